import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quirksOfAnswer, quirksOfHost } from './quirks.ts';

const hosts = [
  // host, quirks
  ['docker.io', { apiHost: 'registry-1.docker.io', isPublic: true, concurrency: 2, headIsReliable: true }],
  ['ghcr.io', { isPublic: true, limitsBy403: true }],
  ['auth.docker.io', { isPublic: true }],
  ['quay.io', { isPublic: true }],
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', { isPublic: true }],
  ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', { isPublic: true }],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', { isPublic: true }],
  ['123456789012.dkr-ecr.eu-west-1.on.aws', { isPublic: true }],
  ['public.ecr.aws', { isPublic: true }],
  ['europe-docker.pkg.dev', { isPublic: true }],
  ['eu.gcr.io', { isPublic: true }],
  ['acme.azurecr.io', { isPublic: true }],
  ['registry.gitlab.com', { isPublic: true }],
  ['registry.k8s.io', { isPublic: true }],
  ['mcr.microsoft.com', { isPublic: true }],
  ['cgr.dev', { isPublic: true }],
  ['registry.redhat.io', { isPublic: true }],
  ['registry.gitlab.acme.example', {}],
  ['quay.io.evil.example', {}],
  ['a.b.azurecr.io', {}],
  ['localhost:5000', {}],
  ['10.0.0.5', {}],
] as const;

describe('registry/quirks', () => {
  for (const [host, quirks] of hosts) {
    it(`${host} has ${Object.keys(quirks).join(', ') || 'none'}`, () => assert.deepEqual(quirksOfHost(host), quirks));
  }

  for (const marker of ['x-jfrog-version', 'x-artifactory-id', 'x-artifactory-node-id']) {
    it(`${marker} shows where the checksum stands`, () => {
      assert.deepEqual(quirksOfAnswer({ [marker]: 'x' }), { checksumHeader: 'x-checksum-sha256' });
    });
  }

  it('an ordinary answer shows nothing', () => assert.deepEqual(quirksOfAnswer({ server: 'nginx' }), {}));
});
