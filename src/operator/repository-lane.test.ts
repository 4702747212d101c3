import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { FakeWorkloads } from '../../test/fakes/workloads.ts';
import { laneOfRepository } from './repository-lane.ts';

describe('operator/repository-lane', () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['shop'], 'namespace shop'],
    [['shop', 'shop'], 'namespace shop'],
    [['shop', 'blog'], 'registry docker.io'],
    [[], 'namespace '],
  ];
  for (const [namespaces, lane] of cases) {
    it(`used in [${namespaces.join(', ')}]: ${lane}`, () => {
      const workloads = new FakeWorkloads(
        namespaces.map((namespace, index) => aWorkload({ namespace, name: `web${index}`, uid: String(index) })),
      );
      assert.deepEqual(laneOfRepository('docker.io/library/nginx', workloads), { owner: lane, part: 'docker.io' });
    });
  }
});
