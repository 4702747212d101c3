import assert from 'node:assert/strict';
import { isAbsolute } from 'node:path';
import { describe, it } from 'node:test';
import { testBedCache } from './build-binaries.ts';
import { findDockerRegistry } from './docker-registry.ts';
import { startRegistry } from './registry.ts';

const root = new URL('../../', import.meta.url).pathname;

describe('test/cluster/docker-registry', () => {
  it('is found or fetched outside the checkout, or says why not', async () => {
    const found = await findDockerRegistry();
    if ('missing' in found) assert.match(found.missing, /docker-registry .{20,}/);
    else assert.ok(isAbsolute(found.path) && !found.path.startsWith(root), found.path);
    assert.ok(!testBedCache().startsWith(root), 'the cache is no part of the checkout');
  });

  it('gives all tags at once, whatever is asked for', async (t) => {
    const found = await findDockerRegistry();
    if ('missing' in found) return t.skip(found.missing);
    const registry = await startRegistry({ release: 2, pageSize: 2 });
    t.after(() => registry.stop());
    await registry.pushAll('many', ['1', '2', '3', '4', '5'], { platforms: ['linux/amd64'], index: false });
    const { text, headers } = await registry.request('GET', '/v2/many/tags/list?n=2');
    assert.deepEqual([JSON.parse(text).tags.toSorted(), headers['link']], [['1', '2', '3', '4', '5'], undefined]);
  });
});
