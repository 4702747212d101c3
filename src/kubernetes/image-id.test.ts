import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseImageId } from './image-id.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}`;
const long = `sha512:${hex}${hex}`;

const table: { runtime: string; imageId: string; says: string }[] = [
  { runtime: 'containerd', imageId: `docker.io/library/nginx@${digest}`, says: digest },
  { runtime: 'containerd, registry with a port', imageId: `127.0.0.1:5000/team/app@${digest}`, says: digest },
  { runtime: 'containerd, tag and digest', imageId: `ghcr.io/acme/app:1@${digest}`, says: digest },
  { runtime: 'CRI-O', imageId: `quay.io/acme/app@${digest}`, says: digest },
  { runtime: 'CRI-O after a restart', imageId: hex, says: `config ${digest}` },
  { runtime: 'Docker', imageId: `docker-pullable://nginx@${digest}`, says: digest },
  { runtime: 'Docker, built locally', imageId: `docker://${digest}`, says: `config ${digest}` },
  { runtime: 'Docker, bare id', imageId: `docker://${hex}`, says: `config ${digest}` },
  { runtime: 'another scheme', imageId: `containerd://${digest}`, says: `config ${digest}` },
  { runtime: 'side-loaded', imageId: digest, says: `config ${digest}` },
  { runtime: 'side-loaded under a made-up name', imageId: `docker.io/library/import-2026-01-15@${digest}`, says: digest },
  { runtime: 'sha512', imageId: `quay.io/acme/app@${long}`, says: long },
  { runtime: 'no name before the digest', imageId: `@${digest}`, says: digest },
  { runtime: 'not started', imageId: '', says: 'nothing' },
  { runtime: 'a tag', imageId: 'docker.io/library/nginx:1.25', says: 'nothing' },
  { runtime: 'a digest that is cut off', imageId: `nginx@sha256:${hex.slice(1)}`, says: 'nothing' },
  { runtime: 'a digest that is too long', imageId: `nginx@${digest}0`, says: 'nothing' },
  { runtime: 'an id that is too short', imageId: hex.slice(1), says: 'nothing' },
  { runtime: 'upper case', imageId: `nginx@${digest.toUpperCase()}`, says: 'nothing' },
  { runtime: 'an unknown algorithm', imageId: `nginx@md5:${hex}`, says: 'nothing' },
  { runtime: 'a bare id after @', imageId: `nginx@${hex}`, says: 'nothing' },
  { runtime: 'nothing after @', imageId: 'nginx@', says: 'nothing' },
  { runtime: 'a scheme alone', imageId: 'docker://', says: 'nothing' },
];

describe('kubernetes/image-id', () => {
  for (const { runtime, imageId, says } of table) {
    it(`${runtime} (${imageId.slice(0, 60) || 'empty'}): ${says.slice(0, 30)}`, () => {
      const found = parseImageId(imageId);
      assert.equal(found === undefined ? 'nothing' : `${found.isConfig ? 'config ' : ''}${found.digest}`, says);
    });
  }

  it('any text gives a digest or nothing, and a digest stands in the text', () => {
    const piece = fc.constantFrom('docker-pullable://', 'docker://', 'nginx', '/', '@', ':', 'sha256:', hex, hex.slice(1), digest, '://');
    const text = fc.oneof(
      fc.string(),
      fc.array(piece).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, (imageId) => {
        const found = parseImageId(imageId);
        if (found === undefined) return;
        assert.match(found.digest, /^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$/);
        assert.ok(imageId.endsWith(found.digest.slice('sha256:'.length)));
        assert.equal(found.isConfig, !imageId.includes('@'));
      }),
    );
  });
});
