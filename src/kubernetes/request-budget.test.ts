import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestBudget } from './request-budget.ts';

describe('kubernetes/request-budget', () => {
  it('gives the burst at once, then makes each caller wait its turn', () => {
    const budget = new RequestBudget(100, 3);
    assert.deepEqual([budget.take(), budget.take(), budget.take()], [0, 0, 0]);
    const [first, second] = [budget.take(), budget.take()];
    assert.ok(first > 5 && first <= 10, String(first));
    assert.ok(second > 15 && second <= 20, String(second));
  });

  it('has no limit at a rate of 0', () => {
    const budget = new RequestBudget(0, 0);
    for (let call = 0; call < 1000; call++) assert.equal(budget.take(), 0);
  });
});
