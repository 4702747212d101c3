import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LRUCache } from 'lru-cache';
import { atMost } from './at-most.ts';

describe('core/at-most', () => {
  it('keeps so many entries, those used last', () => {
    const cache = new LRUCache<number, string>(atMost(3));
    for (const key of [1, 2, 3]) cache.set(key, 'x');
    cache.get(1);
    cache.set(4, 'x');
    assert.deepEqual(new Set(cache.keys()), new Set([1, 3, 4]));
    cache.set(4, 'y');
    assert.equal(cache.size, 3);
  });

  it('takes no memory for entries that are not there', () => {
    const before = process.memoryUsage();
    const caches = Array.from({ length: 20 }, () => new LRUCache<string, string>(atMost(1_000_000)));
    const after = process.memoryUsage();
    const taken = after.heapUsed + after.external - before.heapUsed - before.external;
    assert.ok(taken < 10_000_000, `${taken} bytes for ${caches.length} empty caches`);
  });
});
