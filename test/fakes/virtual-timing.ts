import type { Timing } from '../../src/kubernetes/timing.ts';

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** Time that only `advance` moves: everything that can happen without waiting happens first, then the next sleeper wakes. */
export class VirtualTiming implements Timing {
  #now = 0;
  readonly #sleepers = new Set<Sleeper>();

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = { at: this.#now + ms, wake: end };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', end, { once: true });
      const sleepers = this.#sleepers;
      if (signal.aborted) end();
      function end() {
        sleepers.delete(sleeper);
        signal.removeEventListener('abort', end);
        resolve();
      }
    });
  }

  /** Lets `ms` pass, or less when `done` says so. */
  async advance(ms: number, done: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (done()) return;
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = end;
  }
}

/** The time of one process, which can be frozen as by SIGSTOP: time goes on, but nobody wakes. */
export class FreezableTiming implements Timing {
  readonly #timing: Timing;
  #thaw = Promise.resolve();
  #end: () => void = () => undefined;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  now(): number {
    return this.#timing.now();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#timing.sleep(ms, signal);
    await this.#thaw;
  }

  freeze(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#thaw = promise;
    this.#end = resolve;
  }

  thaw(): void {
    this.#end();
  }
}
