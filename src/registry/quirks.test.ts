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
  ['acme.azurecr.io', { isPublic: true, pullActions: 'pull,metadata_read,content_read' }],
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
    it(`${host} has ${Object.keys(quirks).join(', ') || 'none'}`, () => {
      const { pushTimes: _, ...others } = quirksOfHost(host);
      assert.deepEqual(others, quirks);
    });
  }

  it('knows who tells when tags were pushed', () => {
    const telling = hosts.map(([host]) => host).filter((host) => quirksOfHost(host).pushTimes);
    assert.deepEqual(telling, ['docker.io', 'quay.io', 'europe-docker.pkg.dev', 'eu.gcr.io', 'acme.azurecr.io']);
  });

  for (const marker of ['x-jfrog-version', 'x-artifactory-id', 'x-artifactory-node-id']) {
    it(`${marker} shows where checksum and repository may stand`, () => {
      const { checksumHeader, headIsReliable, otherRoots } = quirksOfAnswer({ [marker]: 'x' });
      assert.deepEqual([checksumHeader, headIsReliable, typeof otherRoots], ['x-checksum-sha256', true, 'function']);
    });
  }

  const roots = [
    // repository, other paths
    ['app', []],
    ['key/app', ['/artifactory/api/docker/key/v2/app/', '/artifactory/api/docker/key/v2/library/app/']],
    ['key/team/app', ['/artifactory/api/docker/key/v2/team/app/']],
    ['key/a/b/c', ['/artifactory/api/docker/key/v2/a/b/c/']],
  ] as const;
  for (const [repository, expected] of roots) {
    it(`${repository} may also be at ${expected.join(' or ') || 'nowhere'}`, () => {
      assert.deepEqual(quirksOfAnswer({ 'x-jfrog-version': '7' }).otherRoots?.(repository), expected);
    });
  }

  it('an ordinary answer shows nothing', () => assert.deepEqual(quirksOfAnswer({ server: 'nginx' }), {}));
});
