import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRate } from './rate.ts';

function takeMany(rate: ReturnType<typeof createRate>, count: number, nowMs: number): number[] {
  return Array.from({ length: count }, () => rate.take(nowMs));
}

describe('registry/rate', () => {
  it('lets a burst pass, then keeps the rate', () => {
    const rate = createRate(10, 20);
    assert.deepEqual(
      takeMany(rate, 20, 0),
      Array.from({ length: 20 }, () => 0),
    );
    assert.deepEqual(takeMany(rate, 3, 0), [100, 200, 300]);
  });

  it('fills up again, never beyond the burst', () => {
    const rate = createRate(10, 2);
    takeMany(rate, 2, 0);
    assert.deepEqual(takeMany(rate, 3, 3_600_000), [0, 0, 100]);
  });

  it('halves when told so and recovers slowly', () => {
    const rate = createRate(10, 1);
    rate.take(0);
    rate.slowDown();
    assert.equal(rate.take(0), 200);
    for (let answers = 0; answers < 20; answers++) rate.speedUp();
    // Two tokens are owed now: at half the rate that would be 400 ms.
    assert.equal(rate.take(0), 200);
  });

  it('never stops completely', () => {
    const rate = createRate(10, 1);
    for (let complaints = 0; complaints < 100; complaints++) rate.slowDown();
    assert.ok(rate.take(0) <= 6_400);
  });

  it('takes a clock that was set back for one that stands still', () => {
    const rate = createRate(10, 1);
    assert.deepEqual([rate.take(1_000), rate.take(0), rate.take(100)], [0, 100, 100]);
  });
});
