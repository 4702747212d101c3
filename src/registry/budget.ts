import type { Clock } from '../ports.ts';
import { createBreaker } from './breaker.ts';
import { areSameLimits, type Limits } from './limits.ts';
import { createQuotaBook } from './quota-book.ts';
import { createRate } from './rate.ts';
import type { Quota } from './rate-limit-headers.ts';
import { createSlots } from './slots.ts';

/** How one HTTP request ended, as far as it concerns those that follow. */
export type Outcome =
  | { readonly kind: 'answered'; readonly quota?: Quota | undefined }
  /** The registry asks for fewer requests, or for none during `afterMs`. */
  | { readonly kind: 'throttled'; readonly afterMs: number; readonly quota?: Quota | undefined }
  /** 5xx or no connection; with `afterMs` when the answer said so. */
  | {
      readonly kind: 'failed';
      /** A few words for people, about the origin only. */
      readonly why?: string;
      readonly afterMs?: number | undefined;
      readonly quota?: Quota | undefined;
    }
  | { readonly kind: 'abandoned' };

/** A place in the budget; `leave` must be called once. */
export interface Entrance {
  /** `closed`: this outcome was the one failure too many, nobody is let in for a while. `open`: the first good one after that. */
  leave(outcome: Outcome): 'closed' | 'open' | undefined;
}

/** Nobody may ask now, or (`quota`) not for what costs a pull. */
export type Refusal =
  | { readonly refused: 'coolDown'; readonly afterMs: number }
  | { readonly refused: 'circuitOpen'; readonly afterMs: number /** The last failure. */; readonly why?: string | undefined }
  | { readonly refused: 'quota'; readonly afterMs: number; readonly quota: Quota };

/** Who wants to ask, and for what. */
export interface Visitor {
  /** Lanes take turns. */
  readonly lane: string;
  /** Whose quota it costs: a fingerprint of the credentials. */
  readonly asker: string;
  readonly signal: AbortSignal;
  /** It counts as a pull where pulls are counted. */
  readonly isPull: boolean;
  /** Somebody else can be asked instead: a cool-down is not waited for. */
  readonly isHasty?: boolean;
}

/** How it stands with one origin. */
export interface BudgetState {
  readonly quota: Quota | undefined;
  /** Time until which it is left alone; undefined when it may be asked. */
  readonly coolDownUntilMs: number | undefined;
  readonly breaker: 'closed' | 'open' | 'probing';
  readonly inFlight: number;
  readonly waiting: number;
  readonly limits: Limits;
  /** Which part of the configured rate is used since it complained; 1 = all. */
  readonly rateShare: number;
}

/** What may be asked of one origin, shared by everybody in the process. */
export interface Budget {
  /** Waits for a place; refuses when the cool-down would be longer than half a minute. Rejects with the signal's reason. */
  enter(visitor: Visitor): Promise<Entrance | Refusal>;
  /** How long the origin asked to be left alone; 0 = not at all. */
  coolDownMs(): number;
  /** Other limits, from now on. */
  limit(limits: Limits): void;
  state(): BudgetState;
}

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Longer waits end the call; the caller comes back. */
export const longestWaitMs = 30_000;
const longestCoolDownMs = 3_600_000;
/** When pulls are scarce: the quota comes back bit by bit, and HEAD tells how much there is. */
const pullsAgainMs = 15 * 60_000;

export function createBudget(initial: Limits, deps: { clock: Clock; sleep: Sleep }): Budget {
  const { clock, sleep } = deps;
  let limits = initial;
  const slots = createSlots(limits.concurrent);
  let bucket = rateOf(limits);
  const rate = (): ReturnType<typeof rateOf> => (limits.rate ? bucket : undefined);
  const breaker = createBreaker();
  const quotas = createQuotaBook();
  let coolUntilMs = 0;
  let lastFailure: string | undefined;

  function limit(wanted: Limits): void {
    if (areSameLimits(limits, wanted)) return;
    limits = wanted;
    slots.resize(limits.concurrent);
    // Two entries of the configuration may be about one origin: changing from one to the other must not fill the bucket.
    if (limits.rate && bucket) bucket.configure(limits.rate.perSecond, limits.rate.burst);
    bucket ??= rateOf(limits);
  }

  function coolDownMs(): number {
    // A clock that was set back must not make it longer.
    coolUntilMs = Math.min(coolUntilMs, clock.now() + longestCoolDownMs);
    return Math.max(0, coolUntilMs - clock.now());
  }

  async function enter(visitor: Visitor): Promise<Entrance | Refusal> {
    // Nobody queues for a place that is of no use.
    const refused = refusalNow(visitor);
    if (refused) return refused;
    const giveBack = await slots.acquire(visitor.lane, visitor.signal);
    try {
      const refusal = await pass(visitor);
      if (!refusal) return { leave: (outcome) => leave(visitor, outcome, giveBack) };
      giveBack();
      return refusal;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  function refusalNow({ asker, isPull, isHasty }: Visitor): Refusal | undefined {
    const quota = isPull ? quotas.scarce(asker, clock.now()) : undefined;
    if (quota?.countsPulls === true) return { refused: 'quota', afterMs: pullsAgainMs, quota };
    const coolMs = coolDownMs();
    if (coolMs > longestWaitMs || (coolMs > 0 && isHasty === true)) return { refused: 'coolDown', afterMs: coolMs };
    const leftMs = breaker.leftMs(clock.now());
    return leftMs > 0 ? { refused: 'circuitOpen', afterMs: leftMs, why: lastFailure } : undefined;
  }

  async function pass(visitor: Visitor): Promise<Refusal | undefined> {
    const { signal } = visitor;
    for (let waitMs = coolDownMs(); waitMs > 0 && waitMs <= longestWaitMs && visitor.isHasty !== true; waitMs = coolDownMs())
      await sleep(waitMs, signal);
    const refusal = refusalNow(visitor);
    if (refusal) return refusal;
    const waitMs = rate()?.take(clock.now()) ?? 0;
    if (waitMs > 0) await sleep(waitMs, signal);
    const openMs = breaker.enter(clock.now());
    return openMs > 0 ? { refused: 'circuitOpen', afterMs: openMs, why: lastFailure } : undefined;
  }

  function leave({ asker }: Visitor, outcome: Outcome, giveBack: () => void): ReturnType<Entrance['leave']> {
    const turn = judge(outcome);
    if (outcome.kind === 'answered') rate()?.speedUp();
    if (outcome.kind === 'throttled') rate()?.slowDown();
    if ('afterMs' in outcome && outcome.afterMs !== undefined) coolDown(outcome.afterMs);
    if ('quota' in outcome && outcome.quota !== undefined) learn(asker, outcome.quota);
    giveBack();
    return turn;
  }

  function judge(outcome: Outcome): ReturnType<Entrance['leave']> {
    switch (outcome.kind) {
      case 'abandoned':
        breaker.abandoned();
        return undefined;
      case 'failed':
        lastFailure = outcome.why;
        return breaker.failed(clock.now()) ? 'closed' : undefined;
      case 'answered':
      case 'throttled':
        return breaker.succeeded() ? 'open' : undefined;
    }
  }

  /** Where requests are counted, and not pulls, the last one is the last of everybody until the reset. */
  function learn(asker: string, quota: Quota): void {
    quotas.record(asker, quota, clock.now());
    if (quota.remaining === 0 && !quota.countsPulls && quota.resetMs !== undefined) coolDown(quota.resetMs);
  }

  function coolDown(afterMs: number): void {
    coolUntilMs = Math.max(coolUntilMs, clock.now() + Math.min(afterMs, longestCoolDownMs));
  }

  function state(): BudgetState {
    const nowMs = clock.now();
    const coolMs = coolDownMs();
    return {
      quota: quotas.lowest(nowMs),
      coolDownUntilMs: coolMs > 0 ? nowMs + coolMs : undefined,
      breaker: breaker.state(nowMs),
      inFlight: slots.inUse,
      waiting: slots.waiting,
      limits,
      rateShare: rate()?.share ?? 1,
    };
  }

  return { enter, coolDownMs, limit, state };
}

function rateOf({ rate }: Limits): ReturnType<typeof createRate> | undefined {
  return rate && createRate(rate.perSecond, rate.burst);
}
