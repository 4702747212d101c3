import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBudget, type Outcome } from './budget.ts';
import { quirksOfHost } from './quirks.ts';

const signal = new AbortController().signal;

function setUp(host: string) {
  const sleeps: number[] = [];
  const clock = { ms: 0, now: () => clock.ms };
  const sleep = (ms: number): Promise<void> => {
    sleeps.push(ms);
    clock.ms += ms;
    return Promise.resolve();
  };
  const budget = createBudget(quirksOfHost(host), { clock, sleep });
  const visit = async (outcome: Outcome = { kind: 'answered' }) => {
    const entrance = await budget.enter('lane', signal);
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
      const visits = Array.from({ length: 20 }, () => budget.enter('lane', controller.signal).then(() => entered++));
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
    assert.deepEqual(await visit(), { refused: 'circuitOpen', afterMs: 30_000 });
    clock.ms += 30_000;
    assert.equal(await visit({ kind: 'failed' }), 'entered');
    assert.deepEqual(await visit(), { refused: 'circuitOpen', afterMs: 30_000 });
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
    const budget = createBudget(quirksOfHost('docker.io'), { clock: { now: () => 0 }, sleep });
    for (let requests = 1; requests <= 20; requests++) {
      const entrance = await budget.enter('lane', signal);
      assert.ok('leave' in entrance);
      entrance.leave({ kind: 'answered' });
    }
    for (let tries = 1; tries <= 5; tries++) await assert.rejects(budget.enter('lane', signal), /enough/);
  });
});
