import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest } from '../../test/builders.ts';
import type { UpdateRequest, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { findOutdated } from './clean-up.ts';

const day = 86_400_000;
const now = Date.parse('2026-01-15T10:00:00Z');
const settings = { retentionMs: 7 * day, keepPerContainer: 3 };

/** `Completed 1.26 -8d`: ended eight days ago; with `api/` of another container. */
function aRequest(text: string): UpdateRequest {
  const [phase = '', image = '', age = '-0d'] = text.split(' ');
  const [tag = '', containerName = 'web'] = image.split('/').toReversed();
  const ended = new Date(now + Number.parseInt(age, 10) * day).toISOString().replace('.000', '');
  const reasons: Record<string, string> = { Failed: 'PatchRefused', Expired: 'UpdateExpired' };
  const applied = { type: 'Applied', status: phase === 'Completed' ? 'True' : 'False', message: '', lastTransitionTime: ended } as const;
  const conditions = phase === 'Pending' || phase === 'Rejected' ? [] : [{ ...applied, reason: reasons[phase] ?? 'UpdateApplied' }];
  const status = {
    phase,
    createdAt: ended,
    lastUpdated: ended,
    conditions,
    ...(phase === 'Rejected' && { rejectedAt: ended }),
  } as UpdateRequestStatus;
  return anUpdateRequest({ metadata: { name: text, creationTimestamp: ended }, spec: { newImage: `nginx:${tag}`, containerName }, status });
}

describe('operator/clean-up', () => {
  const table: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['Completed 1.26 -6d'], []],
    [['Completed 1.26 -7d'], ['Completed 1.26 -7d']],
    [['Expired 1.26 -8d'], ['Expired 1.26 -8d']],
    [['Pending 1.26 -30d'], []],
    [['Rejected 1.26 -30d'], []],
    [['Failed 1.26 -30d'], []],
    [['Rejected 1.26 -30d', 'Completed 1.27 -1d'], ['Rejected 1.26 -30d']],
    [['Rejected 1.26 -30d', 'Rejected 1.27 -29d'], ['Rejected 1.26 -30d']],
    [
      ['Completed 1.1 -5d', 'Completed 1.2 -4d', 'Completed 1.3 -3d', 'Completed 1.4 -2d', 'Completed 1.5 -1d'],
      ['Completed 1.2 -4d', 'Completed 1.1 -5d'],
    ],
    // what is memory counts, but stays
    [['Rejected 2.0 -9d', 'Completed 1.2 -4d', 'Completed 1.3 -3d', 'Completed 1.4 -2d'], []],
    [['Completed 1.1 -5d', 'Completed 1.2 -4d', 'Completed 1.3 -3d', 'Rejected 2.0 -2d'], ['Completed 1.1 -5d']],
    // each container by itself
    [['Completed 1.1 -5d', 'Completed 1.2 -4d', 'Completed api/1.3 -3d', 'Completed api/1.4 -2d'], []],
    [['Rejected api/1.26 -30d', 'Completed 1.27 -1d'], []],
    // open ones do not count
    [['Completed 1.1 -5d', 'Completed 1.2 -4d', 'Completed 1.3 -3d', 'Pending 1.4 -2d'], []],
  ];
  for (const [requests, outdated] of table) {
    it(`of [${requests.join(', ')}] go [${outdated.join(', ')}]`, () => {
      const found = findOutdated(requests.map(aRequest), now, settings).outdated.map(({ metadata }) => metadata.name);
      assert.deepEqual(found, outdated);
    });
  }

  it('thousands that only remember are cut to the newest hundred, in no time', () => {
    const requests = Array.from({ length: 5000 }, (_, index) => aRequest(`Failed 1.${index} -${index % 5000}d`));
    const startedAt = performance.now();
    assert.equal(findOutdated(requests, now, settings).outdated.length, 4900);
    assert.ok(performance.now() - startedAt < 500);
  });

  it('says when the next one is due', () => {
    assert.equal(
      findOutdated(['Completed 1.26 -6d', 'Completed 1.27 -5d', 'Rejected 1.28 -30d'].map(aRequest), now, settings).wakeAtMs,
      now + day,
    );
    assert.equal(findOutdated([aRequest('Rejected 1.28 -30d')], now, settings).wakeAtMs, undefined);
    assert.equal(findOutdated([], now, settings).wakeAtMs, undefined);
  });

  it('counts from the creation where the end is not known', () => {
    const request = aRequest('Completed 1.26 -8d');
    const { lastUpdated: _time, ...status } = request.status;
    assert.equal(findOutdated([{ ...request, status }], now, settings).outdated.length, 1);
  });
});
