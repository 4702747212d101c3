import { performance } from 'node:perf_hooks';
import type { Log } from '../ports.ts';

/**
 * Gives memory back when nothing happens. V8 lets its heap grow while there is work and has no reason to collect when there is none: what a
 * sync or a burst has left would stay for ever. Costs a tenth of a second or two, in which nobody waits.
 */
export interface IdleMemoryOptions {
  /** `globalThis.gc`, which is there with the flag `--expose-gc`; without it nothing is done. */
  readonly collect: (() => void) | undefined;
  readonly log: Log;
  /** How busy the event loop was since the last call, from 0 to 1. */
  readonly busy?: () => number;
  readonly residentBytes?: () => number;
  readonly everyMs?: number;
}

const checkEveryMs = 5_000;
const idleBelow = 0.05;
/** Less is not worth a collection. */
const worthBytes = 4 * 1024 * 1024;
/** Checks without a collection, so that a cluster where something always happens is not collected all the time. */
const restAfterGain = 2;
const restAfterNone = 12;

/** Looks every few seconds until the signal aborts. */
export async function giveBackWhenIdle({ collect, log, ...options }: IdleMemoryOptions, signal: AbortSignal): Promise<void> {
  const { busy = busyMeter(), residentBytes = () => process.memoryUsage.rss(), everyMs = checkEveryMs } = options;
  if (!collect || signal.aborted) return;
  let lowest = 0;
  let rest = 0;
  let again: NodeJS.Timeout | undefined;
  const collectNow = (): void => {
    const before = residentBytes();
    // What has begun in the last moment would wait for the collection.
    if (busy() > idleBelow) return;
    collect();
    lowest = residentBytes();
    // What gave little is not tried again soon.
    rest = lowest < before - worthBytes ? restAfterGain : restAfterNone;
    log.debug({ before, after: lowest }, 'memory given back');
  };
  const timer = setInterval(() => {
    rest = Math.max(0, rest - 1);
    if (busy() > idleBelow || rest > 0 || residentBytes() - lowest < worthBytes) return;
    again = setTimeout(collectNow, everyMs / 20).unref();
  }, everyMs);
  timer.unref();
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  clearInterval(timer);
  clearTimeout(again);
}

/** The collection that also gives up what V8 keeps for speed: an ordinary one leaves the heap as large as it is. */
export function collectorOf(gc: unknown): (() => void) | undefined {
  if (typeof gc !== 'function') return undefined;
  return () => void gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

function busyMeter(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
