import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Turnstile } from './turnstile.ts';

function crowd(turnstile: Turnstile, size: number): number[] {
  const through: number[] = [];
  for (let person = 0; person < size; person++) void turnstile.enter().then(() => through.push(person));
  return through;
}

describe('operator/turnstile', () => {
  it('lets a few through in each turn, in their order', async () => {
    const through = crowd(new Turnstile(3), 8);
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      await Promise.resolve();
      await Promise.resolve();
      counts.push(through.length);
      await nextTurn();
    }
    assert.deepEqual(counts, [3, 6, 8, 8]);
    assert.deepEqual(through, [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('who comes alone never waits', async () => {
    const turnstile = new Turnstile(1);
    for (let turn = 0; turn < 3; turn++) {
      const through = crowd(turnstile, 1);
      await Promise.resolve();
      assert.equal(through.length, 1);
      await nextTurn();
      await nextTurn();
    }
  });

  it('nobody passes those who wait', async () => {
    const turnstile = new Turnstile(1);
    const order: string[] = [];
    const enter = (name: string) => turnstile.enter().then(() => order.push(name));
    const early = [enter('a'), enter('b'), enter('c')];
    await nextTurn();
    await Promise.all([...early, enter('d')]);
    assert.deepEqual(order, ['a', 'b', 'c', 'd']);
  });
});
