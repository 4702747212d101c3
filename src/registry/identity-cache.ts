import { LRUCache } from 'lru-cache';
import { OperatorError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { NoIdentity } from './identity-world.ts';
import { type Fetched, type PlainContent, RegistrySecret } from './registry-secret.ts';
import { createSingleFlight } from './single-flight.ts';

/** What somebody gave for a while. */
export interface Issued {
  readonly contents: readonly PlainContent[];
  /** Undefined: not said. */
  readonly expiresAtMs: number | undefined;
  /** Which of the wanted keys it is for; the first, if not said. */
  readonly key?: string | undefined;
}

export interface Wanted {
  /** What is kept under any of these serves, the first first. */
  readonly keys: readonly [string, ...string[]];
  readonly signal: AbortSignal;
  /** What is kept was refused: only something newer serves. */
  readonly refused: boolean;
  /** Throws NoIdentity, an OperatorError, or an error of the operating system. */
  readonly issue: (signal: AbortSignal) => Promise<Issued>;
}

/** Keeps what clouds and programs give: renewed before its end, once for all who wait, and the old one serves as long as it is valid. */
export interface IdentityCache {
  get(wanted: Wanted): Promise<Fetched>;
  close(): void;
}

interface Kept {
  readonly secrets: readonly RegistrySecret<PlainContent>[];
  readonly issuedAtMs: number;
  readonly renewAtMs: number;
  readonly usableUntilMs: number;
}

interface Failure {
  readonly reason: { readonly unavailable: string; readonly isExpected: boolean };
  readonly untilMs: number;
  readonly restMs: number;
}

/** So long after it was given, asking again gives nothing better. */
const freshMs = 5 * 60_000;
const unknownLifeMs = 5 * 60_000;
const longestLifeMs = 12 * 3_600_000;
const firstRestMs = 30_000;
const longestRestMs = 10 * 60_000;

export function createIdentityCache({ clock, key: processKey }: { clock: Clock; key: Buffer }): IdentityCache {
  const kept = new LRUCache<string, Kept>({ max: 2_000 });
  const failures = new LRUCache<string, Failure>({ max: 2_000 });
  const flights = createSingleFlight<Fetched>(() => undefined);
  const closing = new AbortController();

  async function get({ keys, signal, refused, issue }: Wanted): Promise<Fetched> {
    const now = clock.now();
    const known = keys.map((key) => kept.get(key)).find((one) => one !== undefined && one.usableUntilMs > now);
    const isResting = (failures.get(keys[0])?.untilMs ?? 0) > now;
    if (known && !(refused && now - known.issuedAtMs >= freshMs)) {
      if (now >= known.renewAtMs && !isResting) renew(keys, issue);
      return { secrets: known.secrets, isFresh: now - known.issuedAtMs < freshMs };
    }
    if (refused) for (const key of keys) kept.delete(key);
    const failure = failures.get(keys[0]);
    if (failure && isResting) return failure.reason;
    return await flights.run(keys[0], signal, (shared) => ask(keys, issue, shared));
  }

  /** Nobody waits for it, and its failure is kept like any other. */
  function renew(keys: Wanted['keys'], issue: Wanted['issue']): void {
    flights.run(keys[0], closing.signal, (shared) => ask(keys, issue, shared)).catch(() => undefined);
  }

  async function ask(keys: Wanted['keys'], issue: Wanted['issue'], signal: AbortSignal): Promise<Fetched> {
    try {
      const issued = await issue(signal);
      failures.delete(keys[0]);
      const secrets = issued.contents.map((content) => new RegistrySecret(content, processKey));
      keep(issued.key ?? keys[0], secrets, issued.expiresAtMs);
      return { secrets, isFresh: true };
    } catch (error) {
      signal.throwIfAborted();
      return fail(keys[0], error);
    }
  }

  function keep(key: string, secrets: Kept['secrets'], expiresAtMs: number | undefined): void {
    const now = clock.now();
    const lifeMs = Math.min(longestLifeMs, (expiresAtMs ?? now + unknownLifeMs) - now);
    if (lifeMs <= 0) return;
    const renewAtMs = now + lifeMs * 0.8 * (0.9 + Math.random() * 0.2);
    kept.set(key, { secrets, issuedAtMs: now, renewAtMs, usableUntilMs: now + lifeMs - Math.min(60_000, lifeMs / 10) });
  }

  function fail(key: string, error: unknown): Fetched {
    const reason = reasonOf(error);
    const before = failures.get(key)?.restMs ?? 0;
    const restMs = reason.isExpected ? longestRestMs : Math.min(longestRestMs, Math.max(firstRestMs, before * 2));
    failures.set(key, { reason, restMs, untilMs: clock.now() + restMs });
    return reason;
  }

  function close(): void {
    const reason = new Error('the registry client was closed');
    closing.abort(reason);
    flights.abort(reason);
  }

  return { get, close };
}

/** Anything but a failure of the world is a bug, and thrown. */
function reasonOf(error: unknown): Failure['reason'] {
  if (error instanceof NoIdentity) return { unavailable: error.message, isExpected: error.isExpected };
  const isOfWorld = error instanceof OperatorError || (error instanceof Error && 'syscall' in error);
  if (!isOfWorld) throw error;
  return { unavailable: error.message, isExpected: false };
}
