import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../errors.ts';
import { BrokenLineError, ListAgainError, ReconnectPolicy, type Verdict } from './reconnect-policy.ts';

const times = { minMs: 100, maxMs: 400, absentMs: 10_000 };
const refused = (status: number, message = '', retryAfterMs?: number): ApiError => new ApiError(status, '', message, { retryAfterMs });

const table: readonly { title: string; error: unknown; version: string; waits: readonly [number, number]; verdict: Partial<Verdict> }[] = [
  { title: 'a lost connection resumes', error: new Error('reset'), version: '7', waits: [100, 200], verdict: { relist: false } },
  { title: '500 resumes', error: refused(500), version: '7', waits: [100, 200], verdict: { relist: false } },
  { title: 'Retry-After wins', error: refused(429, '', 1500), version: '7', waits: [1500, 1500], verdict: { relist: false } },
  {
    title: 'Retry-After has a limit',
    error: refused(429, '', 9_999_999),
    version: '7',
    waits: [300_000, 300_000],
    verdict: { relist: false },
  },
  { title: '410 lists at once', error: refused(410), version: '7', waits: [0, 0], verdict: { relist: true } },
  { title: 'our own wish lists at once', error: new ListAgainError(), version: '7', waits: [0, 0], verdict: { relist: true } },
  { title: '403 says so', error: refused(403), version: '7', waits: [100, 200], verdict: { relist: false, state: 'forbidden' } },
  {
    title: '404 is looked for later',
    error: refused(404),
    version: '7',
    waits: [10_000, 11_000],
    verdict: { relist: true, state: 'absent' },
  },
  { title: 'a broken line resumes', error: new BrokenLineError(), version: '7', waits: [100, 200], verdict: { relist: false } },
  {
    title: '400 of a resumed watch is no refusal of streams',
    error: refused(400),
    version: '7',
    waits: [100, 200],
    verdict: { relist: false },
  },
  {
    title: 'an ordinary 500 is no refusal of streams',
    error: refused(500, 'etcd is down'),
    version: '',
    waits: [100, 200],
    verdict: { relist: false },
  },
];

function between(value: number, [low, high]: readonly [number, number]): void {
  assert.ok(value >= low && value <= high, `${value} is not in ${low} to ${high}`);
}

describe('kubernetes/reconnect-policy', () => {
  for (const { title, error, version, waits, verdict } of table) {
    it(title, () => {
      const policy = new ReconnectPolicy(times, true);
      const given = policy.judge(error, version);
      between(given.waitMs, waits);
      assert.partialDeepStrictEqual(given, verdict);
      assert.equal(policy.streaming, true);
    });
  }

  it('doubles the backoff up to its limit, and begins again after a line', () => {
    const policy = new ReconnectPolicy(times, true);
    for (const low of [100, 200, 400, 400]) between(policy.judge(new Error('x'), '1').waitMs, [low, low * 2]);
    policy.lineReceived();
    between(policy.judge(new Error('x'), '1').waitMs, [100, 200]);
  });

  it('waits when a version expires again without news, whatever the lists in between brought', () => {
    const policy = new ReconnectPolicy(times, true);
    for (const [low, high] of [
      [0, 0],
      [100, 200],
      [200, 400],
      [400, 800],
    ] as const) {
      between(policy.judge(refused(410), '1').waitMs, [low, high]);
      policy.lineReceived();
      policy.listCompleted();
    }
    policy.newsReceived();
    assert.equal(policy.judge(refused(410), '1').waitMs, 0);
  });

  it('lists after two broken lines at one version, not at two', () => {
    const policy = new ReconnectPolicy(times, true);
    const relists = ['1', '2', '2', '2'].map((version) => policy.judge(new BrokenLineError(), version).relist);
    assert.deepEqual(relists, [false, false, true, false]);
  });

  for (const error of [refused(422), refused(400), refused(500, 'RequestWatchProgress is disabled')]) {
    it(`a stream refused with ${error.status} means pages, for good`, () => {
      const policy = new ReconnectPolicy(times, true);
      assert.partialDeepStrictEqual(policy.judge(error, ''), { waitMs: 0, relist: true });
      assert.equal(policy.streaming, false);
      between(policy.judge(error, '').waitMs, [100, 200]);
    });
  }
});
