import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBudget, type Outcome, type Visitor } from './budget.ts';
import { limitsOf } from './limits.ts';
import { quirksOfHost } from './quirks.ts';

const signal = new AbortController().signal;

function visitor(more: Partial<Visitor> = {}): Visitor {
  return { lane: 'lane', asker: 'somebody', signal, isPull: false, ...more };
}

function setUp(host: string) {
  const sleeps: number[] = [];
  const clock = { ms: 0, now: () => clock.ms };
  const sleep = (ms: number): Promise<void> => {
    sleeps.push(ms);
    clock.ms += ms;
    return Promise.resolve();
  };
  const budget = createBudget(limitsOf(quirksOfHost(host)), { clock, sleep });
  const visit = async (outcome: Outcome = { kind: 'answered' }, more: Partial<Visitor> = {}) => {
    const entrance = await budget.enter(visitor(more));
    if ('refused' in entrance) return entrance;
    entrance.leave(outcome);
    return 'entered';
  };
  return { budget, clock, sleeps, visit };
}

const concurrencies = [
  // host, at once
  ['docker.io', 2],
  ['ghcr.io', 4],
  ['registry.example.com', 16],
  ['10.0.0.5:5000', 16],
] as const;

describe('registry/budget', () => {
  for (const [host, most] of concurrencies) {
    it(`lets ${most} requests at once go to ${host}`, async () => {
      const { budget } = setUp(host);
      let entered = 0;
      const controller = new AbortController();
      const visits = Array.from({ length: 20 }, () => budget.enter(visitor({ signal: controller.signal })).then(() => entered++));
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(entered, most);
      controller.abort(new Error('enough'));
      await Promise.allSettled(visits);
    });
  }

  it('keeps public services to 20 at once and 10 per second', async () => {
    const { visit, sleeps } = setUp('ghcr.io');
    for (let requests = 1; requests <= 22; requests++) await visit();
    assert.deepEqual(sleeps, [100, 100]);
  });

  it('keeps no rate elsewhere', async () => {
    const { visit, sleeps } = setUp('10.0.0.5:5000');
    for (let requests = 1; requests <= 100; requests++) await visit();
    assert.deepEqual(sleeps, []);
  });

  it('halves the rate of a service that complains', async () => {
    const { visit, sleeps } = setUp('ghcr.io');
    await visit({ kind: 'throttled', afterMs: 0 });
    await visit();
    assert.deepEqual(sleeps, [200]);
  });

  it('makes everybody wait for a short cool-down', async () => {
    const { visit, sleeps } = setUp('10.0.0.5:5000');
    await visit({ kind: 'throttled', afterMs: 20_000 });
    assert.deepEqual([await visit(), await visit(), sleeps], ['entered', 'entered', [20_000]]);
  });

  it('refuses everybody during a long one, of an hour at most', async () => {
    const { visit, clock, sleeps } = setUp('10.0.0.5:5000');
    await visit({ kind: 'throttled', afterMs: 999_999_000 });
    assert.deepEqual(await visit(), { refused: 'coolDown', afterMs: 3_600_000 });
    clock.ms += 3_600_000;
    assert.deepEqual([await visit(), sleeps], ['entered', []]);
  });

  it('stops after five failures in a row, and tries once after half a minute', async () => {
    const { visit, clock } = setUp('10.0.0.5:5000');
    for (let failures = 1; failures <= 5; failures++) await visit({ kind: 'failed' });
    assert.deepEqual(await visit(), { refused: 'circuitOpen', afterMs: 30_000, why: undefined });
    clock.ms += 30_000;
    assert.equal(await visit({ kind: 'failed' }), 'entered');
    assert.deepEqual(await visit(), { refused: 'circuitOpen', afterMs: 30_000, why: undefined });
    clock.ms += 30_000;
    assert.deepEqual([await visit(), await visit()], ['entered', 'entered']);
  });

  it('spends no place and no rate on the refused', async () => {
    const { visit, sleeps } = setUp('ghcr.io');
    for (let failures = 1; failures <= 5; failures++) await visit({ kind: 'failed' });
    for (let refusals = 1; refusals <= 100; refusals++) await visit();
    assert.deepEqual(sleeps, []);
  });

  it('gives the place back when the caller leaves while waiting', async () => {
    const sleep = (): Promise<void> => Promise.reject(new Error('enough'));
    const budget = createBudget(limitsOf(quirksOfHost('docker.io')), { clock: { now: () => 0 }, sleep });
    for (let requests = 1; requests <= 20; requests++) {
      const entrance = await budget.enter(visitor());
      assert.ok('leave' in entrance);
      entrance.leave({ kind: 'answered' });
    }
    for (let tries = 1; tries <= 5; tries++) await assert.rejects(budget.enter(visitor()), /enough/);
  });

  const hub = { limit: 100, windowMs: 21_600_000, countsPulls: true };
  const quotas = [
    // remaining, is it a pull, outcome
    [10, true, 'entered'],
    [9, true, 'quota'],
    [0, true, 'quota'],
    [0, false, 'entered'],
  ] as const;
  for (const [remaining, isPull, outcome] of quotas) {
    it(`with ${remaining} of 100 pulls left, ${isPull ? 'a pull' : 'a HEAD'} is: ${outcome}`, async () => {
      const { visit } = setUp('docker.io');
      await visit({ kind: 'answered', quota: { ...hub, remaining } });
      const answer = await visit(undefined, { isPull });
      assert.equal(typeof answer === 'string' ? answer : answer.refused, outcome);
    });
  }

  it('counts the pulls of each account on its own, and forgets them after the window', async () => {
    const { visit, clock, budget } = setUp('docker.io');
    await visit({ kind: 'answered', quota: { ...hub, remaining: 3 } });
    assert.equal(await visit(undefined, { isPull: true, asker: 'other' }), 'entered');
    assert.equal(budget.state().quota?.remaining, 3);
    clock.ms += hub.windowMs;
    assert.equal(await visit(undefined, { isPull: true }), 'entered');
    assert.equal(budget.state().quota, undefined);
  });

  it('leaves alone who says that no request is left, until there are more', async () => {
    const { visit, sleeps, budget } = setUp('ghcr.io');
    await visit({ kind: 'answered', quota: { remaining: 0, limit: 60, resetMs: 25_000, countsPulls: false } });
    assert.equal(budget.state().coolDownUntilMs, 25_000);
    assert.deepEqual([await visit(), sleeps], ['entered', [25_000]]);
    await visit({ kind: 'answered', quota: { remaining: 0, limit: 60, resetMs: 86_400_000, countsPulls: false } });
    assert.deepEqual(await visit(), { refused: 'coolDown', afterMs: 3_600_000 });
  });

  it('does not make the hasty wait', async () => {
    const { visit, sleeps } = setUp('10.0.0.5:5000');
    await visit({ kind: 'throttled', afterMs: 20_000 });
    assert.deepEqual(await visit(undefined, { isHasty: true }), { refused: 'coolDown', afterMs: 20_000 });
    assert.deepEqual(sleeps, []);
  });

  it('does not let anybody queue while nobody may ask', async () => {
    const { budget, visit } = setUp('10.0.0.5:5000');
    const entrances = await Promise.all(Array.from({ length: 7 }, () => budget.enter(visitor())));
    const turns = entrances.slice(0, 5).map((entrance) => 'leave' in entrance && entrance.leave({ kind: 'failed' }));
    assert.equal(turns.at(-1), 'closed');
    // Both places stay taken by calls that hang.
    budget.limit({ concurrent: 2, rate: undefined });
    assert.deepEqual(await visit(), { refused: 'circuitOpen', afterMs: 30_000, why: undefined });
  });

  it('a clock that is set back makes no wait longer', async () => {
    const { visit, clock } = setUp('10.0.0.5:5000');
    clock.ms = 10 * 3_600_000;
    await visit({ kind: 'throttled', afterMs: 3_600_000 });
    for (let failures = 1; failures <= 5; failures++) await visit({ kind: 'failed' });
    clock.ms = 0;
    assert.deepEqual(await visit(), { refused: 'coolDown', afterMs: 3_600_000 });
    clock.ms += 3_600_000;
    assert.equal(await visit(), 'entered');
  });

  it('takes other limits at once', async () => {
    const { budget, visit, sleeps } = setUp('ghcr.io');
    const controller = new AbortController();
    let entered = 0;
    const visits = Array.from({ length: 20 }, () => budget.enter(visitor({ signal: controller.signal })).then(() => entered++));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(entered, 4);
    budget.limit({ concurrent: 7, rate: undefined });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([entered, budget.state().inFlight, budget.state().waiting], [7, 7, 13]);
    controller.abort(new Error('enough'));
    await Promise.allSettled(visits);
    budget.limit({ concurrent: 16, rate: { perSecond: 1, burst: 1 } });
    for (let requests = 1; requests <= 3; requests++) await visit();
    assert.deepEqual(sleeps, [1_000, 1_000]);
  });

  it('does not fill the bucket by going to and fro between limits', async () => {
    const { budget, visit, sleeps } = setUp('ghcr.io');
    const slow = { concurrent: 4, rate: { perSecond: 1, burst: 1 } };
    const fast = { concurrent: 4, rate: { perSecond: 10, burst: 20 } };
    budget.limit(slow);
    for (let requests = 1; requests <= 5; requests++) {
      budget.limit(slow);
      await visit();
      budget.limit({ concurrent: 16, rate: undefined });
      budget.limit(fast);
    }
    assert.equal(sleeps.length, 4);
  });

  it('tells how it stands', async () => {
    const { budget, visit } = setUp('docker.io');
    assert.deepEqual(budget.state(), {
      quota: undefined,
      coolDownUntilMs: undefined,
      breaker: 'closed',
      inFlight: 0,
      waiting: 0,
      limits: { concurrent: 2, rate: { perSecond: 10, burst: 20 } },
      rateShare: 1,
    });
    await visit({ kind: 'throttled', afterMs: 0 });
    assert.equal(budget.state().rateShare, 0.5);
    for (let failures = 1; failures <= 5; failures++) await visit({ kind: 'failed' });
    assert.equal(budget.state().breaker, 'open');
  });
});
