import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Breather } from './breather.ts';

describe('operator/breather', () => {
  for (const [ms, isLong] of [
    [0, false],
    [25, true],
  ] as const) {
    it(`after ${ms} ms of work others ${isLong ? 'have' : 'need not have'} their turn`, async () => {
      const breather = new Breather();
      let others = false;
      setImmediate(() => (others = true));
      const until = performance.now() + ms;
      while (performance.now() < until);
      if (breather.isDue) await breather.breathe();
      assert.equal(others, isLong);
      await new Promise((resolve) => setImmediate(resolve));
    });
  }
});
