import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noRegistrySettings } from '../core/registry-settings.ts';
import { endpointOf } from './endpoint.ts';
import { createTransports } from './transport.ts';

const transports = createTransports({
  insecureHosts: ['reg.local', 'other.local:5000', 'UPPER.local'],
  tls: (registry) => (registry === '127.0.0.1:5443' ? { ca: 'PEM' } : undefined),
  settings: () => ({ ...noRegistrySettings, denied: ['denied.local'] }),
  log: { warn: () => undefined },
});
const table = [
  // registry, repository, origin, name
  ['docker.io', 'library/nginx', 'https://registry-1.docker.io', 'docker.io'],
  ['index.docker.io', 'library/nginx', 'https://registry-1.docker.io', 'docker.io'],
  ['registry-1.docker.io', 'library/nginx', 'https://registry-1.docker.io', 'docker.io'],
  ['ghcr.io', 'acme/app', 'https://ghcr.io', 'ghcr.io'],
  ['GHCR.io:443', 'acme/app', 'https://ghcr.io', 'ghcr.io'],
  ['10.0.0.5', 'app', 'https://10.0.0.5', '10.0.0.5'],
  ['10.0.0.5:5000', 'app', 'https://10.0.0.5:5000', '10.0.0.5:5000'],
  ['localhost', 'app', 'http://localhost', 'localhost'],
  ['localhost:5000', 'app', 'http://localhost:5000', 'localhost:5000'],
  ['localhost:443', 'app', 'https://localhost', 'localhost'],
  ['registry.localhost:5000', 'app', 'http://registry.localhost:5000', 'registry.localhost:5000'],
  ['127.0.0.1:5000', 'app', 'http://127.0.0.1:5000', '127.0.0.1:5000'],
  ['127.0.0.1:5443', 'app', 'https://127.0.0.1:5443', '127.0.0.1:5443'],
  ['127.9.9.9:5000', 'app', 'http://127.9.9.9:5000', '127.9.9.9:5000'],
  ['127.0.0.1.evil.example', 'app', 'https://127.0.0.1.evil.example', '127.0.0.1.evil.example'],
  ['localhost.evil.example', 'app', 'https://localhost.evil.example', 'localhost.evil.example'],
  ['[::1]:5000', 'app', 'http://[::1]:5000', '[::1]:5000'],
  ['[fd00::1]:5000', 'app', 'https://[fd00::1]:5000', '[fd00::1]:5000'],
  ['reg.local', 'app', 'http://reg.local', 'reg.local'],
  ['reg.local:8080', 'app', 'http://reg.local:8080', 'reg.local:8080'],
  ['other.local:5000', 'app', 'http://other.local:5000', 'other.local:5000'],
  ['other.local', 'app', 'https://other.local', 'other.local'],
  ['upper.local', 'app', 'http://upper.local', 'upper.local'],
] as const;

const invalid = [
  ['ghcr.io', '../../etc'],
  ['ghcr.io', 'a/../b'],
  ['ghcr.io', 'a?x=1'],
  ['ghcr.io', 'Acme/App'],
  ['ghcr.io', ''],
  ['docker.io', 'nginx'],
  ['user@ghcr.io', 'app'],
  ['ghcr.io/x', 'app'],
  ['ghcr.io', 'app:1'],
  ['', 'app'],
] as const;

describe('registry/endpoint', () => {
  for (const [registry, repository, origin, name] of table) {
    it(`${registry} is asked at ${origin}`, () => {
      const endpoint = endpointOf({ registry, repository }, transports);
      assert.ok('origin' in endpoint);
      assert.deepEqual([endpoint.origin, endpoint.registry], [origin, name]);
    });
  }

  for (const [registry, repository] of invalid) {
    it(`refuses ${registry} / ${repository}`, () => assert.ok('invalid' in endpointOf({ registry, repository }, transports)));
  }

  it('refuses a registry that is denied', () => {
    assert.ok('blocked' in endpointOf({ registry: 'Denied.local:443', repository: 'app' }, transports));
  });
});
