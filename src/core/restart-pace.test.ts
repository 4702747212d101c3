import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { restsUntil } from './restart-pace.ts';

const now = Date.parse('2026-01-15T12:00:00Z');
const at = (minutesAgo: number): string => new Date(now - minutesAgo * 60_000).toISOString();

const requests = (minutesAgo: readonly number[], spec: object = {}) =>
  minutesAgo.map((minutes) =>
    anUpdateRequest({
      metadata: { creationTimestamp: at(minutes) },
      spec: { currentImage: 'nginx', newImage: 'nginx', trigger: 'polling', ...spec },
    }),
  );
const history = (minutesAgo: readonly number[], approvedBy = 'polling', container = 'web') => ({
  'headwind.sh/update-history': JSON.stringify(
    minutesAgo.map((minutes) => ({ container, image: 'nginx', timestamp: at(minutes), approvedBy })),
  ),
});

const five = [1, 2, 3, 4, 5];
const rows = [
  // title, requests, annotations, seconds from now
  ['nothing happened', [], {}, undefined],
  ['five within the hour', requests([0, ...five].slice(0, 5)), {}, undefined],
  ['six, the last just now', requests([0, ...five]), {}, 30],
  ['six, the last a minute ago', requests([...five, 6]), {}, undefined],
  ['seven', requests([0, ...five, 6]), {}, 60],
  ['very many', requests([0, ...five, 6, 7, 8, 9, 10, 11, 12]), {}, 300],
  ['six, one of them long ago', requests([0, 1, 2, 3, 4, 60]), {}, undefined],
  ['requests that a person made', requests([0, ...five], { trigger: 'manual' }), {}, undefined],
  ['requests for other tags', requests([0, ...five], { newImage: 'nginx:2' }), {}, undefined],
  ['they are deleted, but what was applied is noted', [], history([0, ...five]), 30],
  ['both say the same', requests([0, ...five]), history([0, ...five]), 30],
  ['applied by a person', [], history([0, ...five], 'alice'), undefined],
  ['applied to another container', [], history([0, ...five], 'polling', 'other'), undefined],
  ['times that somebody made up', requests([-60, -1, -2, -3, -4, -5]), history([-1, -2, -3, -4, -5, -6]), undefined],
] as const;

describe('core/restart-pace', () => {
  for (const [title, own, annotations, seconds] of rows) {
    it(`${title}: ${seconds === undefined ? 'no pause' : `a pause of ${seconds} s`}`, () => {
      const until = restsUntil(aWorkload({ annotations }), 'web', own, now);
      assert.equal(until, seconds === undefined ? undefined : now + seconds * 1000);
    });
  }

  it('garbage in the history counts for nothing', () => {
    for (const text of ['', '[', '{}', '[null,1,{}]', '[{"container":"web","image":"a","timestamp":"x","approvedBy":"polling"}]'])
      assert.equal(restsUntil(aWorkload({ annotations: { 'headwind.sh/update-history': text } }), 'web', [], now), undefined);
  });
});
