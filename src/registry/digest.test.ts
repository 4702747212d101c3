import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestOfBody, digestOfHead } from './digest.ts';

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

const bodies = [
  // title, content type, body, outcome
  ['an index', indexType, '{"schemaVersion":2,"manifests":[]}', 'digest'],
  ['an index without a type', 'application/json', '{"schemaVersion":2,"manifests":[]}', 'digest'],
  ['a manifest without a type', 'application/octet-stream', '{"schemaVersion":2,"config":{}}', 'digest'],
  ['a manifest that names its type', '', '{"mediaType":"application/vnd.oci.image.manifest.v1+json"}', 'digest'],
  ['a type with parameters', `${indexType}; charset=utf-8`, '{}', 'digest'],
  ['schema 1', 'application/vnd.docker.distribution.manifest.v1+prettyjws', '{"schemaVersion":1}', 'unsupported'],
  ['schema 1 under another type', 'application/json', '{"schemaVersion":1,"config":{}}', 'unsupported'],
  ['a page', 'text/html', '<html></html>', 'broken'],
  ['nothing', indexType, '', 'broken'],
  ['an error', 'application/json', '{"errors":[]}', 'broken'],
  ['a list', 'application/json', '[]', 'broken'],
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

  for (const [title, type, body, outcome] of bodies) {
    it(`a body with ${title} is ${outcome}`, () => {
      const found = digestOfBody(anAnswer({ 'content-type': type }, body), 'latest');
      assert.deepEqual(Object.keys(found), [outcome]);
      if ('digest' in found) assert.equal(found.digest, `sha256:${createHash('sha256').update(body).digest('hex')}`);
    });
  }

  it('hashes with the algorithm that was asked for', () => {
    const found = digestOfBody(anAnswer({}, '{}'), `sha512:${hex}${hex}`);
    assert.ok('digest' in found && found.digest.startsWith('sha512:') && found.digest.length === 'sha512:'.length + 128);
  });
});
