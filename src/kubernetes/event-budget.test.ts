import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EventBudget } from './event-budget.ts';

describe('kubernetes/event-budget', () => {
  it('25 at once, then one every five minutes, never more than 25 saved up, each object for itself', () => {
    let now = 0;
    const budget = new EventBudget({ now: () => now });
    const take = (uid: string) => Array.from({ length: 30 }, () => budget.take(uid)).filter(Boolean).length;
    assert.equal(take('a'), 25);
    assert.equal(take('b'), 25);
    now += 4 * 60_000;
    assert.equal(take('a'), 0);
    now += 60_000;
    assert.equal(take('a'), 1);
    now += 365 * 24 * 3_600_000;
    assert.equal(take('a'), 25);
  });

  it('a clock that goes back costs nothing', () => {
    let now = 1_000_000;
    const budget = new EventBudget({ now: () => now });
    budget.take('a');
    now = 0;
    assert.equal(budget.take('a'), true);
  });
});
