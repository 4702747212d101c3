import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { WorkQueue } from './work-queue.ts';

/** Timers and time of this test only advance by `t.mock.timers.tick`. */
function aQueue(t: TestContext, random = 0.5): WorkQueue {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const queue = new WorkQueue({ now: () => Date.now(), random: () => random });
  t.after(() => queue.close());
  return queue;
}

/** Takes what is there now, without waiting. */
async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) keys.push((await queue.take())!);
  return keys;
}

describe('operator/work-queue', () => {
  it('holds one entry per key, however often it is added', async (t) => {
    const queue = aQueue(t);
    for (let i = 0; i < 5; i++) queue.add('a');
    queue.add('b');
    assert.deepEqual(await drain(queue), ['a', 'b']);
  });

  it('200,000 adds of 20,000 keys are about 20,000 runs in less than half a second', async () => {
    const queue = new WorkQueue();
    let runs = 0;
    const worker = async () => {
      for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
        runs++;
        queue.done(key);
        if (queue.depth === 0) queue.close();
      }
    };
    const startedAt = performance.now();
    const workers = Array.from({ length: 8 }, worker);
    for (let i = 0; i < 200_000; i++) queue.add(`key-${i % 20_000}`);
    await Promise.all(workers);
    assert.ok(runs >= 20_000 && runs <= 20_100, `${runs} runs`);
    assert.ok(performance.now() - startedAt < 500, `${performance.now() - startedAt} ms`);
  });

  it('never gives one key to two workers; an add during a run makes it run once more', async (t) => {
    const queue = aQueue(t);
    queue.add('a');
    assert.equal(await queue.take(), 'a');
    queue.add('a');
    queue.add('a');
    assert.equal(queue.depth, 0);
    queue.done('a');
    assert.deepEqual(await drain(queue), ['a']);
    queue.done('a');
    assert.equal(queue.depth, 0);
  });

  describe('lanes', () => {
    /** `owner/key` or `owner/part/key`. */
    const inLanes = (t: TestContext, mostPerOwner?: number, mostPerPart?: number) => {
      const laneOf = (key: string) => {
        const [owner = '', part = '', rest] = key.split('/');
        return { owner, part: rest === undefined ? '' : part };
      };
      const queue = new WorkQueue({ laneOf, mostPerOwner, mostPerPart });
      t.after(() => queue.close());
      return queue;
    };

    it('take turns, so that many keys of one do not hold up another', async (t) => {
      const queue = inLanes(t);
      for (const key of ['a/1', 'a/2', 'a/3', 'b/1', 'c/1', 'b/2']) queue.add(key);
      assert.deepEqual(await drain(queue), ['a/1', 'b/1', 'c/1', 'a/2', 'b/2', 'a/3']);
    });

    it('hold only so many workers, whatever waits', async (t) => {
      const queue = inLanes(t, 2);
      for (let index = 0; index < 100; index++) queue.add(`a/${index}`);
      assert.deepEqual([await queue.take(), await queue.take()], ['a/0', 'a/1']);
      const [third, fourth] = [queue.take(), queue.take()];
      queue.add('b/1');
      assert.equal(await third, 'b/1');
      queue.done('a/0');
      assert.equal(await fourth, 'a/2');
      queue.done('b/1');
      queue.done('a/1');
      assert.equal(await queue.take(), 'a/3');
    });

    it('what is slow in one part of an owner holds up nothing else of it', async (t) => {
      const queue = inLanes(t, 4, 2);
      for (let index = 0; index < 100; index++) queue.add(`a/slow/${index}`);
      for (const key of ['a/fast/1', 'a/fast/2', 'b/slow/1']) queue.add(key);
      const taken = [await queue.take(), await queue.take(), await queue.take(), await queue.take(), await queue.take()];
      assert.deepEqual(taken, ['a/slow/0', 'b/slow/1', 'a/fast/1', 'a/slow/1', 'a/fast/2']);
      const sixth = queue.take();
      queue.done('b/slow/1');
      queue.done('a/slow/0');
      assert.equal(await sixth, 'a/slow/2');
    });

    it('parts of an owner take turns, and do not give it more turns than others', async (t) => {
      const queue = inLanes(t);
      for (const key of ['a/x/1', 'a/y/1', 'a/z/1', 'b/x/1', 'b/x/2']) queue.add(key);
      assert.deepEqual(await drain(queue), ['a/x/1', 'b/x/1', 'a/y/1', 'b/x/2', 'a/z/1']);
    });

    it('a key that was added while a worker had it waits like every other of its lane', async (t) => {
      const queue = inLanes(t, 1);
      queue.add('a/1');
      assert.equal(await queue.take(), 'a/1');
      queue.add('a/2');
      queue.add('a/1');
      const next = queue.take();
      queue.done('a/1');
      assert.equal(await next, 'a/2');
      queue.done('a/2');
      assert.equal(await queue.take(), 'a/1');
    });

    it('a key that is lifted from low to high keeps its lane', async (t) => {
      const queue = inLanes(t);
      queue.add('a/1', { low: true });
      queue.add('b/1', { low: true });
      queue.add('b/1');
      assert.deepEqual(await drain(queue), ['b/1', 'a/1']);
    });
  });

  it('serves low adds after all others, and a high add lifts a waiting low one', async (t) => {
    const queue = aQueue(t);
    for (const key of ['a', 'b', 'c']) queue.add(key, { low: true });
    queue.add('d');
    queue.add('b');
    queue.add('d', { low: true });
    assert.deepEqual(await drain(queue), ['d', 'b', 'a', 'c']);
  });

  it('a key added low and high during its run runs again as a high one', async (t) => {
    const queue = aQueue(t);
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a', { low: true });
    queue.add('waiting', { low: true });
    queue.done('a');
    assert.deepEqual(await drain(queue), ['a', 'waiting']);
  });

  const delays = [
    // delays in ms, an add at once, when it becomes due
    { delays: [100, 50], due: 50 },
    { delays: [50, 100], due: 50 },
    { delays: [50, 0], due: 0 },
    { delays: [-1], due: 0 },
    { delays: [Number.NaN], due: 0 },
  ];
  for (const row of delays) {
    it(`delays of ${row.delays.join(', ')} ms are due once, after ${row.due} ms`, async (t) => {
      const queue = aQueue(t);
      for (const ms of row.delays) queue.addAfter('a', ms);
      if (row.due > 0) {
        t.mock.timers.tick(row.due - 1);
        assert.equal(queue.depth, 0);
        t.mock.timers.tick(1);
      }
      assert.deepEqual(await drain(queue), ['a']);
      queue.done('a');
      t.mock.timers.tick(1_000);
      assert.equal(queue.depth, 0);
      assert.equal(queue.delayed, 0);
    });
  }

  it('a delay that ends while the key is running makes it run once more', async (t) => {
    const queue = aQueue(t);
    queue.add('a');
    await queue.take();
    queue.addAfter('a', 10);
    t.mock.timers.tick(10);
    assert.equal(queue.depth, 0);
    queue.done('a');
    assert.deepEqual(await drain(queue), ['a']);
  });

  it('an add at once cancels the delay', async (t) => {
    const queue = aQueue(t);
    queue.addAfter('a', 100);
    queue.add('a');
    assert.equal(queue.delayed, 0);
  });

  const backoffs = [
    { random: 0.5, expected: [200, 400, 800, 1_600] },
    { random: 0, expected: [150, 300, 600, 1_200] },
    { random: 1, expected: [250, 500, 1_000, 2_000] },
  ];
  for (const { random, expected } of backoffs) {
    it(`backs off ${expected.join(', ')} ms with random ${random}, and starts again after forget`, (t) => {
      const queue = aQueue(t, random);
      assert.deepEqual(
        expected.map(() => queue.addWithBackoff('a')),
        expected,
      );
      queue.forget('a');
      assert.equal(queue.addWithBackoff('a'), expected[0]);
    });
  }

  it('backs off for five minutes at most, however often a key fails', (t) => {
    const queue = aQueue(t);
    for (let i = 0; i < 2_000; i++) queue.addWithBackoff('a');
    assert.equal(queue.addWithBackoff('a'), 300_000);
  });

  it('clamps a delay that is longer than a timer can be', (t) => {
    const queue = aQueue(t);
    queue.addAfter('a', 2 ** 40);
    t.mock.timers.tick(1);
    assert.equal(queue.depth, 0);
    assert.equal(queue.delayed, 1);
    t.mock.timers.tick(2 ** 31 - 2);
    assert.equal(queue.depth, 1);
  });

  it('close wakes all waiting workers, drops what waits and takes nothing more', async (t) => {
    const queue = aQueue(t);
    const waiting = [queue.take(), queue.take()];
    queue.addAfter('later', 10);
    queue.close();
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
    queue.add('a');
    queue.addAfter('b', 1);
    t.mock.timers.tick(100);
    assert.equal(await queue.take(), undefined);
    assert.equal(queue.depth + queue.delayed, 0);
  });

  it('a key added during its run is dropped when the queue closes meanwhile', async (t) => {
    const queue = aQueue(t);
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.close();
    queue.done('a');
    assert.equal(queue.depth, 0);
  });

  it('tells each change of its depth', async () => {
    const depths: number[] = [];
    const queue = new WorkQueue({ onDepth: (depth) => depths.push(depth) });
    queue.add('a');
    queue.add('a');
    queue.add('b');
    await queue.take();
    queue.close();
    assert.deepEqual(depths, [1, 2, 1, 0]);
  });
});
