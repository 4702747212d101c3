import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError, OperatorError, type Retry } from '../errors.ts';
import type { Log, Metrics } from '../ports.ts';
import { controllerQueue, type Reconcile, runController } from './controller.ts';
import { WorkQueue } from './work-queue.ts';

class Failure extends OperatorError {
  readonly code = 'Failure';
  readonly retry: Retry;
  constructor(retry: Retry) {
    super('failed on purpose');
    this.retry = retry;
  }
}

interface Recorded {
  readonly errors: object[];
  readonly metrics: Map<string, number>;
}

function aRecorder(): { recorded: Recorded; log: Log; metrics: Metrics } {
  const recorded: Recorded = { errors: [], metrics: new Map() };
  const nothing = () => undefined;
  const log: Log = { debug: nothing, info: nothing, warn: nothing, error: (fields) => recorded.errors.push(fields) };
  const nameOf = (name: string, labels: object = {}) => [name, ...Object.values(labels)].join(' ');
  const metrics: Metrics = {
    increment: (name, labels, by = 1) => recorded.metrics.set(nameOf(name, labels), (recorded.metrics.get(nameOf(name, labels)) ?? 0) + by),
    set: (name, value, labels) => recorded.metrics.set(nameOf(name, labels), value),
    observe: (name, _seconds, labels) => recorded.metrics.set(nameOf(name, labels), (recorded.metrics.get(nameOf(name, labels)) ?? 0) + 1),
    reset: nothing,
  };
  return { recorded, log, metrics };
}

/** Remembers the delays it was given, and stops after one run. */
class OneRunQueue extends WorkQueue {
  readonly delays: number[] = [];
  readonly stop = new AbortController();

  override addAfter(key: string, delayMs: number): void {
    this.delays.push(delayMs);
    super.addAfter(key, delayMs);
  }

  override done(key: string): void {
    super.done(key);
    this.stop.abort();
  }
}

/** Runs a key that has failed once before. */
async function runOnce(reconcile: Reconcile) {
  const { recorded, log, metrics } = aRecorder();
  const queue = new OneRunQueue({ random: () => 0.5 });
  queue.addWithBackoff('a');
  queue.delays.length = 0;
  queue.add('a');
  await runController({ name: 'test', queue, reconcile, log, metrics }, { signal: queue.stop.signal });
  const delays = [...queue.delays];
  return { recorded, delays, forgotten: queue.addWithBackoff('a') === 200 };
}

describe('operator/controller', () => {
  const outcomes: { title: string; reconcile: Reconcile; delays: number[]; forgotten: boolean; outcome: string; errors: number }[] = [
    { title: 'success', reconcile: async () => ({}), delays: [], forgotten: true, outcome: 'success', errors: 0 },
    {
      title: 'requeueAfterMs',
      reconcile: async () => ({ requeueAfterMs: 5_000 }),
      delays: [5_000],
      forgotten: true,
      outcome: 'requeue',
      errors: 0,
    },
    { title: 'retry never', reconcile: throwing(new Failure('never')), delays: [], forgotten: true, outcome: 'terminal', errors: 1 },
    {
      title: 'retry after exactly so long',
      reconcile: throwing(new Failure({ afterMs: 7_000 })),
      delays: [7_000],
      forgotten: true,
      outcome: 'error',
      errors: 1,
    },
    { title: 'retry backoff', reconcile: throwing(new Failure('backoff')), delays: [400], forgotten: false, outcome: 'error', errors: 1 },
    {
      title: 'a 429 with Retry-After',
      reconcile: throwing(new ApiError(429, 'TooManyRequests', 'slow down', { retryAfterMs: 1_000 })),
      delays: [1_000],
      forgotten: true,
      outcome: 'error',
      errors: 1,
    },
    { title: 'a bug', reconcile: throwing(new TypeError('a bug')), delays: [400], forgotten: false, outcome: 'error', errors: 1 },
  ];
  for (const row of outcomes) {
    it(`${row.title}: ${row.outcome}, delays [${row.delays.join()}], ${row.forgotten ? 'forgotten' : 'remembered'}`, async () => {
      const { recorded, delays, forgotten } = await runOnce(row.reconcile);
      assert.deepEqual(delays, row.delays);
      assert.equal(forgotten, row.forgotten);
      assert.equal(recorded.metrics.get(`reconciles_total test ${row.outcome}`), 1);
      assert.equal(recorded.metrics.get('reconcile_duration_seconds'), 1);
      assert.equal(recorded.metrics.get('reconcile_errors_total') ?? 0, row.errors);
      assert.equal(recorded.errors.length, row.errors);
    });
  }

  it('a bug is logged with its error, key and controller', async () => {
    const bug = new TypeError('a bug');
    const { recorded } = await runOnce(throwing(bug));
    assert.deepEqual(recorded.errors, [{ controller: 'test', key: 'a', retry: 'backoff', error: bug }]);
  });

  it('a run that passes its deadline is told by its signal', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { log, metrics } = aRecorder();
    const queue = new WorkQueue();
    const stop = new AbortController();
    const seen = Promise.withResolvers<unknown>();
    const running = runController(
      {
        name: 'test',
        queue,
        log,
        metrics,
        reconcile: async (_key, signal) => {
          t.mock.timers.tick(119_999);
          assert.equal(signal.aborted, false);
          t.mock.timers.tick(1);
          seen.resolve(signal.reason);
          return {};
        },
      },
      { signal: stop.signal },
    );
    queue.add('a');
    assert.match(String(await seen.promise), /deadline of 120000 ms/);
    stop.abort();
    await running;
  });

  it('runs as many keys at once as it has workers, and four by default', async () => {
    const { log, metrics } = aRecorder();
    for (const workers of [undefined, 2]) {
      const queue = new WorkQueue();
      const stop = new AbortController();
      const release = Promise.withResolvers<void>();
      let active = 0;
      let most = 0;
      const reconcile: Reconcile = async () => {
        most = Math.max(most, ++active);
        if (most === (workers ?? 4)) setImmediate(() => release.resolve());
        await release.promise;
        if (--active === 0 && queue.depth === 0) stop.abort();
        return {};
      };
      for (let i = 0; i < 10; i++) queue.add(`key-${i}`);
      const size = workers === undefined ? {} : { workers };
      await runController({ name: 'test', queue, reconcile, log, metrics, ...size }, { signal: stop.signal });
      assert.equal(most, workers ?? 4);
    }
  });

  it('stops when the signal aborts and what runs has returned; what waits is not begun', async () => {
    const { log, metrics } = aRecorder();
    const queue = new WorkQueue();
    const stop = new AbortController();
    const abort = new AbortController();
    const order: string[] = [];
    const running = runController(
      {
        name: 'test',
        queue,
        log,
        metrics,
        workers: 1,
        reconcile: async (key, signal) => {
          stop.abort();
          await new Promise((resolve) => setImmediate(resolve));
          order.push(`${key} ${signal.aborted}`);
          return { requeueAfterMs: 1 };
        },
      },
      { signal: stop.signal, abort: abort.signal },
    );
    queue.add('a');
    queue.add('b');
    await running;
    assert.deepEqual(order, ['a false']);
    assert.equal(queue.depth + queue.delayed, 0);
  });

  it('aborting reaches what runs, and its failure is not an error', async () => {
    const { recorded, log, metrics } = aRecorder();
    const queue = new WorkQueue();
    const stop = new AbortController();
    const running = runController(
      {
        name: 'test',
        queue,
        log,
        metrics,
        reconcile: (_key, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted', { cause: signal.reason })));
            stop.abort();
          }),
      },
      { signal: stop.signal },
    );
    queue.add('a');
    await running;
    assert.equal(recorded.metrics.get('reconciles_total test stopped'), 1);
    assert.equal(recorded.metrics.get('reconcile_errors_total'), undefined);
    assert.deepEqual(recorded.errors, []);
  });

  it('a signal that has aborted already starts nothing', async () => {
    const { log, metrics } = aRecorder();
    const queue = new WorkQueue();
    queue.add('a');
    await runController(
      { name: 'test', queue, log, metrics, reconcile: throwing(new Error('not to be called')) },
      { signal: AbortSignal.abort() },
    );
  });

  it('its queue reports queue_depth', () => {
    const { recorded, metrics } = aRecorder();
    const queue = controllerQueue('test', metrics);
    queue.add('a');
    assert.equal(recorded.metrics.get('queue_depth test'), 1);
    queue.close();
    assert.equal(recorded.metrics.get('queue_depth test'), 0);
  });
});

function throwing(error: Error): Reconcile {
  return async () => {
    throw error;
  };
}
