import { OperatorError, type Retry } from '../errors.ts';
import type { Log, Metrics } from '../ports.ts';
import { Breather } from './breather.ts';
import type { Lane } from './lanes.ts';
import { WorkQueue } from './work-queue.ts';

export interface Result {
  /** Look at the key again after so long, though nothing has changed. */
  readonly requeueAfterMs?: number | undefined;
}

/** Level-triggered: reads all state of its key each time. `signal` aborts at the deadline and when the work has to stop. */
export type Reconcile<K = string> = (key: K, signal: AbortSignal) => Promise<Result>;

export interface Controller<K = string> {
  /** Metric label and log field, for example `workload`. */
  readonly name: string;
  readonly queue: WorkQueue<K>;
  readonly reconcile: Reconcile<K>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly workers?: number;
  readonly deadlineMs?: number;
}

export interface Stop {
  /** No new work: the queue closes, what runs goes on. */
  readonly signal: AbortSignal;
  /** What runs has to end as well (the Lease is lost, or the time to finish is over); by default the same moment. */
  readonly abort?: AbortSignal;
}

/** Workers of a controller that serves tenants; one tenant may hold half of them while its registries, or its objects, are slow. */
export const tenantWorkers = 32;
/** Workers that wait for registries most of the time: many, so that one that hangs holds up few. */
export const registryWorkers = 64;

/** A queue whose depth is the metric `queue_depth` of this controller; with lanes, owners take turns and none holds all workers. */
export function controllerQueue<K = string>(name: string, metrics: Metrics, lanes?: QueueLanes<K>): WorkQueue<K> {
  const onDepth = (depth: number) => metrics.set('queue_depth', depth, { controller: name });
  if (!lanes) return new WorkQueue<K>({ onDepth });
  return new WorkQueue<K>({ onDepth, laneOf: lanes.laneOf, mostPerOwner: lanes.workers / 2, mostPerPart: lanes.mostPerPart });
}

export interface QueueLanes<K> {
  readonly laneOf: (key: K) => Lane;
  /** Of the controller. */
  readonly workers: number;
  /** Of them, those that may wait for one registry of one tenant. */
  readonly mostPerPart: number;
}

/** Works through the queue until `signal` aborts and every running reconcile has returned. */
export async function runController<K>(controller: Controller<K>, { signal, abort = signal }: Stop): Promise<void> {
  const close = () => controller.queue.close();
  signal.addEventListener('abort', close, { once: true });
  abort.addEventListener('abort', close, { once: true });
  if (signal.aborted || abort.aborted) close();
  try {
    const breather = new Breather();
    await Promise.all(Array.from({ length: controller.workers ?? 4 }, () => work(controller, breather, abort)));
  } finally {
    signal.removeEventListener('abort', close);
    abort.removeEventListener('abort', close);
  }
}

async function work<K>(controller: Controller<K>, breather: Breather, abort: AbortSignal): Promise<void> {
  const { queue, name, metrics } = controller;
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const startedAt = performance.now();
    try {
      const outcome = await runOne(key, controller, abort);
      metrics.increment('reconciles_total', { controller: name, outcome });
    } finally {
      queue.done(key);
      metrics.observe('reconcile_duration_seconds', (performance.now() - startedAt) / 1000);
    }
    if (breather.isDue) await breather.breathe();
  }
}

type Outcome = 'success' | 'requeue' | 'error' | 'terminal' | 'stopped';

/** The one place that turns an outcome into the next attempt. Reconcilers only report. */
async function runOne<K>(key: K, controller: Controller<K>, abort: AbortSignal): Promise<Outcome> {
  const { queue, name, log, metrics } = controller;
  try {
    const { requeueAfterMs } = await withDeadline(controller.deadlineMs ?? 120_000, abort, (signal) => controller.reconcile(key, signal));
    queue.forget(key);
    if (requeueAfterMs === undefined) return 'success';
    queue.addAfter(key, requeueAfterMs);
    return 'requeue';
  } catch (error) {
    if (abort.aborted) return 'stopped';
    metrics.increment('reconcile_errors_total');
    const retry: Retry = error instanceof OperatorError ? error.retry : 'backoff';
    if (retry === 'backoff') queue.addWithBackoff(key);
    else queue.forget(key);
    if (typeof retry === 'object') queue.addAfter(key, retry.afterMs);
    log.error({ controller: name, key, retry, error }, 'Error while running controller job');
    return retry === 'never' ? 'terminal' : 'error';
  }
}

/** By hand, because AbortSignal.any and AbortSignal.timeout would keep a timer and a listener of every run for two minutes. */
async function withDeadline<T>(deadlineMs: number, abort: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort(abort.reason);
  const timer = setTimeout(() => controller.abort(new Error(`the deadline of ${deadlineMs} ms has passed`)), deadlineMs);
  abort.addEventListener('abort', stop, { once: true });
  if (abort.aborted) stop();
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(timer);
    abort.removeEventListener('abort', stop);
  }
}
