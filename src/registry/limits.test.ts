import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitsOf } from './limits.ts';
import { quirksOfHost } from './quirks.ts';

const table = [
  // host, configured, at once, per second, burst
  ['docker.io', {}, 2, 10, 20],
  ['ghcr.io', {}, 4, 10, 20],
  ['auth.docker.io', {}, 4, 10, 20],
  ['registry.example.com', {}, 16, undefined, undefined],
  ['10.0.0.5:5000', {}, 16, undefined, undefined],
  ['127.0.0.1:5000', {}, 16, undefined, undefined],
  ['docker.io', { concurrent: 8 }, 8, 10, 20],
  ['docker.io', { burst: 5 }, 2, 10, 5],
  ['docker.io', { requestsPerSecond: 50 }, 2, 50, 100],
  ['registry.example.com', { requestsPerSecond: 2, burst: 3 }, 16, 2, 3],
  ['registry.example.com', { requestsPerSecond: 0.2 }, 16, 0.2, 1],
  ['registry.example.com', { concurrent: 0, burst: 3 }, 1, undefined, undefined],
] as const;

describe('registry/limits', () => {
  for (const [host, configured, concurrent, perSecond, burst] of table) {
    it(`${host} with ${JSON.stringify(configured)}: ${concurrent} at once, ${perSecond ?? 'any number'} a second`, () => {
      const limits = limitsOf(quirksOfHost(host), configured);
      assert.deepEqual([limits.concurrent, limits.rate?.perSecond, limits.rate?.burst], [concurrent, perSecond, burst]);
    });
  }
});
