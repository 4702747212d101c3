import type { Clock } from '../ports.ts';
import { createBreaker } from './breaker.ts';
import type { Quirks } from './quirks.ts';
import { createRate } from './rate.ts';
import { createSlots } from './slots.ts';

/** How one HTTP request ended, as far as it concerns those that follow. */
export type Outcome =
  | { readonly kind: 'answered' }
  /** The registry asks for fewer requests, or for none during `afterMs`. */
  | { readonly kind: 'throttled'; readonly afterMs: number }
  /** 5xx or no connection; with `afterMs` when the answer said so. */
  | { readonly kind: 'failed'; readonly afterMs?: number | undefined }
  | { readonly kind: 'abandoned' };

/** A place in the budget; `leave` must be called once. */
export interface Entrance {
  /** True when this outcome was the one failure too many: nobody is let in for a while. */
  leave(outcome: Outcome): boolean;
}

/** Nobody may ask now. */
export interface Refusal {
  readonly refused: 'coolDown' | 'circuitOpen';
  readonly afterMs: number;
}

/** What may be asked of one origin, shared by everybody in the process. */
export interface Budget {
  /** Waits for a place; refuses when the wait would be longer than half a minute. Rejects with the signal's reason. */
  enter(lane: string, signal: AbortSignal): Promise<Entrance | Refusal>;
  /** How long the origin asked to be left alone; 0 = not at all. */
  coolDownMs(): number;
}

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Longer waits end the call; the caller comes back. */
export const longestWaitMs = 30_000;
const longestCoolDownMs = 3_600_000;
const publicLimits = { concurrency: 4, perSecond: 10, burst: 20 };
const ownConcurrency = 16;

/** The budget of an origin: public services are limited in number and rate, others slow us down only by asking for it. */
export function createBudget(quirks: Quirks, deps: { clock: Clock; sleep: Sleep }): Budget {
  const { clock, sleep } = deps;
  const slots = createSlots(quirks.concurrency ?? (quirks.isPublic ? publicLimits.concurrency : ownConcurrency));
  const rate = quirks.isPublic ? createRate(publicLimits.perSecond, publicLimits.burst) : undefined;
  const breaker = createBreaker();
  let coolUntilMs = 0;

  function coolDownMs(): number {
    return Math.min(longestCoolDownMs, Math.max(0, coolUntilMs - clock.now()));
  }

  async function enter(lane: string, signal: AbortSignal): Promise<Entrance | Refusal> {
    const giveBack = await slots.acquire(lane, signal);
    try {
      const refusal = await pass(signal);
      if (!refusal) return { leave: (outcome) => leave(outcome, giveBack) };
      giveBack();
      return refusal;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async function pass(signal: AbortSignal): Promise<Refusal | undefined> {
    for (let waitMs = coolDownMs(); waitMs > 0; waitMs = coolDownMs()) {
      if (waitMs > longestWaitMs) return { refused: 'coolDown', afterMs: waitMs };
      await sleep(waitMs, signal);
    }
    const leftMs = breaker.leftMs(clock.now());
    if (leftMs > 0) return { refused: 'circuitOpen', afterMs: leftMs };
    const waitMs = rate?.take(clock.now()) ?? 0;
    if (waitMs > 0) await sleep(waitMs, signal);
    const openMs = breaker.enter(clock.now());
    return openMs > 0 ? { refused: 'circuitOpen', afterMs: openMs } : undefined;
  }

  function leave(outcome: Outcome, giveBack: () => void): boolean {
    const opened = outcome.kind === 'failed' && breaker.failed(clock.now());
    if (outcome.kind === 'abandoned') breaker.abandoned();
    if (outcome.kind === 'answered' || outcome.kind === 'throttled') breaker.succeeded();
    if (outcome.kind === 'answered') rate?.speedUp();
    if (outcome.kind === 'throttled') rate?.slowDown();
    if ('afterMs' in outcome && outcome.afterMs !== undefined) coolDown(outcome.afterMs);
    giveBack();
    return opened;
  }

  function coolDown(afterMs: number): void {
    coolUntilMs = Math.max(coolUntilMs, clock.now() + Math.min(afterMs, longestCoolDownMs));
  }

  return { enter, coolDownMs };
}
