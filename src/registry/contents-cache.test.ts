import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContentsCache } from './contents-cache.ts';

function contentsOf(images: number) {
  const image = { digest: `sha256:${'a'.repeat(64)}`, os: 'linux', architecture: 'arm64', variant: 'v8' };
  return { digest: image.digest, kind: 'index', images: Array.from({ length: images }, () => ({ ...image })), config: undefined } as const;
}

describe('registry/contents-cache', () => {
  it('gives what was kept, and nothing else', () => {
    const cache = createContentsCache(10_000);
    const contents = contentsOf(2);
    cache.set('a', contents);
    assert.equal(cache.get('a'), contents);
    assert.equal(cache.get('b'), undefined);
  });

  it('counts what is kept, and stays below its limit: the oldest give way', () => {
    const cache = createContentsCache(100_000);
    for (let index = 0; index < 1_000; index++) cache.set(String(index), contentsOf(3));
    assert.ok(cache.bytes > 50_000 && cache.bytes <= 100_000, String(cache.bytes));
    assert.equal(cache.get('0'), undefined);
    assert.ok(cache.get('999'));
  });

  it('keeps 20,000 indexes of five platforms in 64 MiB, and no 200 of 2000', () => {
    const cache = createContentsCache(64 * 1024 * 1024);
    for (let index = 0; index < 20_000; index++) cache.set(String(index), contentsOf(5));
    assert.ok(cache.get('0'));
    const other = createContentsCache(64 * 1024 * 1024);
    for (let index = 0; index < 200; index++) other.set(String(index), contentsOf(2_000));
    assert.equal(other.get('0'), undefined);
  });

  it('does not keep what alone is more than the limit', () => {
    const cache = createContentsCache(1_000);
    cache.set('a', contentsOf(200));
    assert.equal(cache.get('a'), undefined);
  });
});
