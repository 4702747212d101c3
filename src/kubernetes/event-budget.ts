import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Clock } from '../ports.ts';

const burst = 25;
const refillMs = 5 * 60_000;
const remembered = 4096;

/** How many Events one object may cause: 25 at once, then one every five minutes. */
export class EventBudget {
  readonly #clock: Clock;
  readonly #objects = new LRUCache<string, { tokens: number; at: number }>(atMost(remembered));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** May this object cause one more? */
  take(uid: string): boolean {
    const now = this.#clock.now();
    const { tokens, at } = this.#objects.get(uid) ?? { tokens: burst, at: now };
    const available = Math.min(burst, tokens + Math.max(0, now - at) / refillMs);
    this.#objects.set(uid, { tokens: available >= 1 ? available - 1 : available, at: now });
    return available >= 1;
  }
}
