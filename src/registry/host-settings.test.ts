import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { noRegistrySettings, type RegistryHostSettings } from '../core/registry-settings.ts';
import { hostSettingsOf } from './host-settings.ts';

const rows = [
  // registry of the image, pattern, match
  ['docker.io', 'docker.io', true],
  ['docker.io', 'index.docker.io', true],
  ['docker.io', 'registry-1.docker.io', true],
  ['docker.io', 'https://docker.io', false],
  ['docker.io', 'https://docker.io/', false],
  ['docker.io', 'https://index.docker.io/v1/', false],
  ['docker.io', '*', true],
  ['index.docker.io', 'docker.io', true],
  ['registry-1.docker.io', 'docker.io', true],
  ['registry.hub.docker.com', 'docker.io', true],
  ['ghcr.io', 'docker.io', false],
  ['ghcr.io', 'ghcr.io', true],
  ['ghcr.io', 'ghcr.io/acme', false],
  ['ghcr.io', 'https://ghcr.io/', false],
  ['ghcr.io', 'ghcr.io/v2/', false],
  ['ghcr.io', 'GHCR.io', false],
  ['GHCR.io', 'ghcr.io', false],
  ['GHCR.io', 'GHCR.io', true],
  ['a.b.example.com', '*.example.com', true],
  ['example.com', '*.example.com', false],
  ['evil-example.com', '*.example.com', false],
  ['example.com.evil.test', '*.example.com', false],
  ['foo.azurecr.io', '*.azurecr.io', true],
  ['reg:5000', 'reg', false],
  ['reg:5000', 'reg:5000', true],
  ['reg:5000', 'reg*', true],
  ['reg:5000', 'reg:*', true],
  ['reg:5000', 'http://reg:5000/v2/', false],
  ['reg1.local', 'reg?.local', true],
  ['reg10.local', 'reg?.local', false],
  ['rega.local', 'reg[ab].local', true],
  ['regc.local', 'reg[ab].local', false],
  ['regc.local', 'reg[!ab].local', true],
  ['rega.local', 'reg[!ab].local', false],
  ['reg3.local', 'reg[0-9].local', true],
  ['eu.example.com', '{eu,us}.example.com', true],
  ['us.example.com', '{eu,us}.example.com', true],
  ['ap.example.com', '{eu,us}.example.com', false],
  ['a.b.example.com', '**.example.com', true],
  ['a.b.example.com', 'a**', true],
  ['a.example.com', 'a\\.example.com', true],
  ['ghcr.io', '\\*', false],
  ['ghcr.io', '[', false],
  ['ghcr.io', '', false],
] as const;

function aHost(hostnamePattern: string, more: Partial<RegistryHostSettings> = {}): RegistryHostSettings {
  return { hostnamePattern, credential: { kind: 'none' }, insecure: false, allowPrivate: false, mirrors: [], limits: {}, ...more };
}

function find(image: string, hosts: readonly RegistryHostSettings[]): number {
  const slash = image.indexOf('/');
  const found = hostSettingsOf({ registry: image.slice(0, slash), repository: image.slice(slash + 1) }, { ...noRegistrySettings, hosts });
  return found ? hosts.indexOf(found) : -1;
}

describe('registry/host-settings', () => {
  for (const [registry, pattern, expected] of rows) {
    it(`${pattern || 'an empty pattern'} ${expected ? 'matches' : 'does not match'} ${registry}`, () => {
      assert.equal(find(`${registry}/library/app`, [aHost(pattern)]) === 0, expected);
    });
  }

  it('the first that matches counts, in the order of the configuration', () => {
    const hosts = [aHost('quay.io'), aHost('*.io'), aHost('ghcr.io'), aHost('*')];
    assert.deepEqual(
      ['quay.io/a', 'ghcr.io/a', 'docker.io/library/a', 'other.test/a'].map((image) => find(image, hosts)),
      [0, 1, 1, 3],
    );
    assert.equal(find('other.test/a', hosts.slice(0, 3)), -1);
  });

  it('with a prefix it counts for repositories that begin so', () => {
    const hosts = [aHost('ghcr.io', { repositoryPrefix: 'acme/' }), aHost('ghcr.io')];
    assert.deepEqual(
      ['ghcr.io/acme/app', 'ghcr.io/acme-evil/app', 'ghcr.io/other/acme/app'].map((image) => find(image, hosts)),
      [0, 1, 1],
    );
  });

  it('answers for every pattern and name', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (pattern, name) => find(`${name.replaceAll('/', '')}/app`, [aHost(pattern)]) <= 0));
  });
});
