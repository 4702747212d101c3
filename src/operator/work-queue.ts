import { type Lane, Lanes } from './lanes.ts';

export interface WorkQueueOptions<K = string> {
  /** First delay after a failure; doubled with each further one. */
  readonly backoffMs?: number;
  readonly maximumBackoffMs?: number;
  /** 0 ≤ n < 1. */
  readonly random?: () => number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Told whenever the number of keys that wait for a worker changes. */
  readonly onDepth?: (depth: number) => void;
  /** Whose key it is: lanes take turns. */
  readonly laneOf?: ((key: K) => Lane) | undefined;
  /** Workers that one owner, and one part of what is theirs, may hold at a time: slow work of one leaves room for others. */
  readonly mostPerOwner?: number | undefined;
  readonly mostPerPart?: number | undefined;
}

export interface AddOptions {
  /** Behind everything else: the objects of an initial list, which nobody waits for. */
  readonly low?: boolean;
}

type Waiter<K> = (key: K | undefined) => void;

// setTimeout fires at once when the delay is longer.
const longestTimerMs = 2 ** 31 - 1;

/** One entry per key, never two workers on one key, delayed adds, a backoff per key, two priorities, turns between lanes. */
export class WorkQueue<K = string> {
  readonly #high = new Lanes<K>();
  readonly #low = new Lanes<K>();
  /** With the lane each was taken from. */
  readonly #active = new Map<K, Lane>();
  /** Keys that workers have, by owner and by part. */
  readonly #busyOwners = new Map<string, number>();
  readonly #busyParts = new Map<string, number>();
  /** Keys added while a worker has them; the value says whether all those adds were low. */
  readonly #dirty = new Map<K, boolean>();
  readonly #delayed = new Map<K, { at: number; timer: NodeJS.Timeout }>();
  readonly #failures = new Map<K, number>();
  readonly #waiters: Waiter<K>[] = [];
  readonly #backoffMs: number;
  readonly #maximumBackoffMs: number;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #onDepth: ((depth: number) => void) | undefined;
  readonly #laneOf: (key: K) => Lane;
  readonly #mostPerOwner: number;
  readonly #mostPerPart: number;
  #closed = false;

  constructor(options: WorkQueueOptions<K> = {}) {
    this.#backoffMs = options.backoffMs ?? 200;
    this.#maximumBackoffMs = options.maximumBackoffMs ?? 300_000;
    this.#random = options.random ?? Math.random;
    this.#now = options.now ?? (() => performance.now());
    this.#onDepth = options.onDepth;
    this.#laneOf = options.laneOf ?? (() => onlyLane);
    this.#mostPerOwner = options.mostPerOwner ?? Infinity;
    this.#mostPerPart = options.mostPerPart ?? Infinity;
  }

  /** Keys that wait for a worker now. */
  get depth(): number {
    return this.#high.size + this.#low.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  get active(): number {
    return this.#active.size;
  }

  /** Wakes a key now and cancels its delay. A key that is being worked on runs once more afterwards. */
  add(key: K, { low = false }: AddOptions = {}): void {
    if (this.#closed) return;
    this.#cancelDelay(key);
    if (this.#active.has(key)) {
      this.#dirty.set(key, low && this.#dirty.get(key) !== false);
      return;
    }
    if (low ? this.#high.has(key) || this.#low.has(key) : this.#high.has(key)) return;
    this.#low.delete(key);
    (low ? this.#low : this.#high).add(key, this.#laneOf(key));
    if (!this.#serve()) this.#onDepth?.(this.depth);
  }

  /** Wakes a key after a delay; of two delays the earlier one stands. */
  addAfter(key: K, delayMs: number): void {
    if (this.#closed) return;
    if (!(delayMs > 0)) {
      this.add(key);
      return;
    }
    const clampedMs = Math.min(delayMs, longestTimerMs);
    const at = this.#now() + clampedMs;
    const earlier = this.#delayed.get(key);
    if (earlier && earlier.at <= at) return;
    this.#cancelDelay(key);
    this.#delayed.set(key, { at, timer: setTimeout(() => this.add(key), clampedMs) });
  }

  /** Wakes a key after a delay that grows with its failures (200 ms·2ⁿ up to 5 min, ±25 %); gives the delay. */
  addWithBackoff(key: K): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = Math.min(this.#maximumBackoffMs, this.#backoffMs * 2 ** failures) * (0.75 + this.#random() / 2);
    this.addAfter(key, delayMs);
    return delayMs;
  }

  /** The next failure of this key waits the shortest time again. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  /** The next key to work on, as soon as there is one; `undefined` when the queue is closed. Each key taken must be given back by `done`. */
  take(): Promise<K | undefined> {
    const key = this.#next();
    if (key !== undefined || this.#closed) return Promise.resolve(key);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Gives a key back; it runs again at once if it was added meanwhile. */
  done(key: K): void {
    this.#free(key);
    const low = this.#dirty.get(key);
    this.#dirty.delete(key);
    if (low !== undefined) this.add(key, { low });
    // A key of the same lane may have waited for this.
    this.#serve();
  }

  /** Ends the queue: what waits is dropped, later adds do nothing, every waiting worker is told. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) clearTimeout(timer);
    this.#delayed.clear();
    this.#dirty.clear();
    this.#high.clear();
    this.#low.clear();
    this.#onDepth?.(0);
    for (const waiter of this.#waiters.splice(0)) waiter(undefined);
  }

  #cancelDelay(key: K): void {
    const delayed = this.#delayed.get(key);
    if (!delayed) return;
    clearTimeout(delayed.timer);
    this.#delayed.delete(key);
  }

  /** Gives keys to workers that wait, as far as there are both. */
  #serve(): boolean {
    let served = false;
    while (this.#waiters.length > 0) {
      const key = this.#next();
      if (key === undefined) break;
      this.#waiters.shift()?.(key);
      served = true;
    }
    return served;
  }

  #next(): K | undefined {
    const mayGoOn = (lane: Lane): boolean =>
      (this.#busyOwners.get(lane.owner) ?? 0) < this.#mostPerOwner && (this.#busyParts.get(nameOf(lane)) ?? 0) < this.#mostPerPart;
    const taken = this.#high.take(mayGoOn) ?? this.#low.take(mayGoOn);
    if (!taken) return undefined;
    this.#active.set(taken.key, taken.lane);
    count(this.#busyOwners, taken.lane.owner, 1);
    count(this.#busyParts, nameOf(taken.lane), 1);
    this.#onDepth?.(this.depth);
    return taken.key;
  }

  #free(key: K): void {
    const lane = this.#active.get(key);
    if (lane === undefined) return;
    this.#active.delete(key);
    count(this.#busyOwners, lane.owner, -1);
    count(this.#busyParts, nameOf(lane), -1);
  }
}

const onlyLane: Lane = { owner: '', part: '' };

function nameOf({ owner, part }: Lane): string {
  return `${owner} ${part}`;
}

function count(counts: Map<string, number>, name: string, by: number): void {
  const number = (counts.get(name) ?? 0) + by;
  if (number > 0) counts.set(name, number);
  else counts.delete(name);
}
