import { nextRun, type Schedule } from '../core/schedule.ts';

/** How often a repository is looked at for a workload: every so often, or when the schedule of labelled workloads says so. */
export type Cadence = { readonly kind: 'every'; readonly ms: number } | { readonly kind: 'schedule'; readonly schedule: Schedule };

const startSpreadMs = 60_000;
/** An interval counts as passed this much early, so that jitter never costs a whole round; a timer may fire a little early as well. */
const tolerance = 0.85;
const timerEarlyMs = 50;

/** Has enough time passed since `last`? */
export function isDue(cadence: Cadence, last: number | undefined, now: number): boolean {
  if (last === undefined) return true;
  if (cadence.kind === 'every') return now - last >= cadence.ms * tolerance;
  return nextRun(cadence.schedule, last) <= now + timerEarlyMs;
}

/** When it is due after a look at `last`; `jitter` about 1. */
export function nextDue(cadence: Cadence, last: number, now: number, jitter = 1): number {
  return cadence.kind === 'every' ? last + cadence.ms * jitter : nextRun(cadence.schedule, now + timerEarlyMs);
}

/** When somebody who was never looked at gets their first look: spread, so that a start is no burst. `random` from 0 to 1. */
export function firstDue(cadence: Cadence, now: number, random: number): number {
  const period = cadence.kind === 'every' ? cadence.ms : nextRun(cadence.schedule, now) - now;
  return now + random * Math.min(period, startSpreadMs);
}

/** The one of the two that comes sooner. */
export function sooner(a: Cadence | undefined, b: Cadence, now: number): Cadence {
  return a !== undefined && nextDue(a, now, now) <= nextDue(b, now, now) ? a : b;
}
