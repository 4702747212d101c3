import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { algorithmOf, digestOfBytes, digestOfHead } from './digest.ts';

const hex = 'a'.repeat(64);
const other = 'b'.repeat(64);
const indexType = 'application/vnd.oci.image.index.v1+json';

function anAnswer(headers: Readonly<Record<string, string>>, body = '') {
  return {
    status: 200,
    headers: { 'content-type': indexType, ...headers },
    url: new URL('https://reg.example.com/'),
    body: Buffer.from(body),
  };
}

const heads = [
  // title, headers, digest
  ['the digest header', { 'docker-content-digest': `sha256:${hex}` }, `sha256:${hex}`],
  ['a digest header of SHA-512', { 'docker-content-digest': `sha512:${hex}${hex}` }, `sha512:${hex}${hex}`],
  ['a digest header that is none', { 'docker-content-digest': 'sha256:abc' }, undefined],
  ['a digest header in upper case', { 'docker-content-digest': `sha256:${hex.toUpperCase()}` }, undefined],
  ['a digest header of MD5', { 'docker-content-digest': `md5:${'a'.repeat(32)}` }, undefined],
  ['the checksum of Artifactory', { 'x-checksum-sha256': hex, 'x-jfrog-version': '7' }, `sha256:${hex}`],
  ['a checksum of somebody else', { 'x-checksum-sha256': hex }, undefined],
  [
    'a checksum of something that is no manifest',
    { 'x-checksum-sha256': hex, 'x-jfrog-version': '7', 'content-type': 'text/plain' },
    undefined,
  ],
  ['both', { 'docker-content-digest': `sha256:${hex}`, 'x-checksum-sha256': other, 'x-jfrog-version': '7' }, `sha256:${hex}`],
  ['an ETag that is a digest', { etag: `"sha256:${hex}"` }, `sha256:${hex}`],
  ['an ETag that is a SHA-1', { etag: '"da39a3ee5e6b4b0d3255bfef95601890afd80709"' }, undefined],
  ['a weak ETag', { etag: `W/"sha256:${hex}"` }, undefined],
  ['nothing', {}, undefined],
  ['a page for people', { 'content-type': 'text/html; charset=utf-8', 'docker-content-digest': `sha256:${hex}` }, undefined],
] as const;

describe('registry/digest', () => {
  for (const [title, headers, digest] of heads) {
    it(`HEAD with ${title} ${digest ? 'tells' : 'does not tell'} the digest`, () => {
      assert.deepEqual(digestOfHead(anAnswer(headers)), { digest });
    });
  }

  it('HEAD of schema 1 is unsupported', () => {
    const type = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    assert.ok('unsupported' in digestOfHead(anAnswer({ 'content-type': type, 'docker-content-digest': `sha256:${hex}` })));
  });

  for (const algorithm of ['sha256', 'sha512']) {
    it(`hashes bytes with ${algorithm} where that was asked for`, () => {
      const bytes = Buffer.from('{}');
      const expected = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
      assert.equal(digestOfBytes(bytes, `${algorithm}:${hex}`), expected);
    });
  }

  it('hashes with sha256 where a tag was asked for', () => {
    assert.equal(algorithmOf(digestOfBytes(Buffer.from('{}'), 'latest')), 'sha256');
  });
});
