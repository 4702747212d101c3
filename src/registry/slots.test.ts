import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSlots } from './slots.ts';

const signal = new AbortController().signal;

describe('registry/slots', () => {
  it('gives no more places than there are', async () => {
    const slots = createSlots(2);
    let [inside, most] = [0, 0];
    const visit = async (): Promise<void> => {
      const giveBack = await slots.acquire('a', signal);
      most = Math.max(most, ++inside);
      await Promise.resolve();
      inside--;
      giveBack();
      giveBack();
    };
    await Promise.all(Array.from({ length: 20 }, visit));
    assert.deepEqual([inside, most], [0, 2]);
  });

  it('takes lanes in turns', async () => {
    const slots = createSlots(1);
    const order: string[] = [];
    const first = await slots.acquire('a', signal);
    const visits = ['a1', 'a2', 'a3', 'b1', 'c1'].map(async (name) => {
      const giveBack = await slots.acquire(name.charAt(0), signal);
      order.push(name);
      giveBack();
    });
    first();
    await Promise.all(visits);
    assert.deepEqual(order, ['a1', 'b1', 'c1', 'a2', 'a3']);
  });

  it('forgets who gave up', async () => {
    const slots = createSlots(1);
    const first = await slots.acquire('a', signal);
    const controller = new AbortController();
    const waiting = slots.acquire('b', controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    first();
    (await slots.acquire('a', signal))();
    await assert.rejects(slots.acquire('a', controller.signal), /enough/);
    (await slots.acquire('a', signal))();
  });
});
