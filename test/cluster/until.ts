import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface UntilOptions {
  readonly timeoutMs?: number;
  /** Ends the waiting early, with its reason. */
  readonly signal?: AbortSignal;
}

type Falsy = undefined | false | null | 0 | '';
/** Tells the timeout's message what the world looked like. */
export type See = (state: unknown) => void;

/** Thrown by an attempt: no other attempt makes sense. */
export class GiveUp extends Error {}

/** Tries again and again until `attempt` gives something truthy, and returns that. The failure shows what was seen last. */
export async function until<T>(
  description: string,
  attempt: (see: See) => T | Falsy | Promise<T | Falsy>,
  { timeoutMs = 30_000, signal }: UntilOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  const done = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: done.signal }).catch(() => undefined); // an attempt may hang
  let last: unknown;
  const see: See = (state) => {
    last = state;
  };
  try {
    for (let waitMs = 10; ; waitMs = Math.min(waitMs * 1.5, 250)) {
      signal?.throwIfAborted();
      try {
        const result = await Promise.race([attempt(see), late]);
        if (result) return result;
      } catch (error) {
        if (error instanceof GiveUp) throw error;
        last = error;
      }
      if (performance.now() >= deadline) throw new Error(timeoutMessage(description, timeoutMs, last));
      await delay(waitMs);
    }
  } finally {
    done.abort();
  }
}

export function timeoutMessage(description: string, timeoutMs: number, last: unknown): string {
  const seen = last instanceof Error ? last.message : inspect(last, { depth: 8, breakLength: 140 });
  return `not within ${timeoutMs / 1000} s: ${description}${last === undefined ? '' : `\nlast seen: ${seen.slice(0, 4_000)}`}`;
}
