interface Timer {
  at: number;
  readonly everyMs: number | undefined;
  readonly run: () => void;
}

// Taken before anybody can replace them.
const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  random: Math.random,
};

/**
 * The time of a whole operator: while installed, every timer and `performance.now` follow it, and `Math.random` is 0.5. Only `advance`
 * moves it; everything that can happen without waiting happens first.
 */
export class FakeTime {
  #now: number;
  readonly #timers = new Map<object, Timer>();

  constructor(start = '2026-01-15T10:00:00Z') {
    this.#now = Date.parse(start);
  }

  /** Milliseconds since the epoch. */
  readonly now = (): number => this.#now;

  install(): void {
    const start = (run: (...args: unknown[]) => void, ms: number | undefined, args: unknown[], repeat: boolean) => {
      const delayMs = Math.max(1, ms ?? 0);
      const timer = { unref: () => timer, ref: () => timer, hasRef: () => false };
      this.#timers.set(timer, { at: this.#now + delayMs, everyMs: repeat ? delayMs : undefined, run: () => run(...args) });
      return timer;
    };
    const stop = (timer: unknown, otherwise: (timer: NodeJS.Timeout) => void) => {
      if (typeof timer === 'object' && timer !== null && !this.#timers.delete(timer)) otherwise(timer as NodeJS.Timeout);
    };
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms?: number, ...args: unknown[]) => start(run, ms, args, false),
      setInterval: (run: () => void, ms?: number, ...args: unknown[]) => start(run, ms, args, true),
      clearTimeout: (timer: unknown) => stop(timer, real.clearTimeout),
      clearInterval: (timer: unknown) => stop(timer, real.clearInterval),
    });
    Object.defineProperty(performance, 'now', { value: this.now, configurable: true });
    Math.random = () => 0.5;
  }

  /** Gives the process its own time back; what still waits here never wakes. */
  restore(): void {
    const { setTimeout, clearTimeout, setInterval, clearInterval } = real;
    Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval });
    Reflect.deleteProperty(performance, 'now');
    Math.random = real.random;
    this.#timers.clear();
  }

  /** Lets everything happen that needs no time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => real.setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await this.settle();
      const next = this.#next();
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
    await this.settle();
  }

  /** Takes the next timer out, or puts it back for its next time. */
  #next(): Timer | undefined {
    let first: [object, Timer] | undefined;
    for (const entry of this.#timers) if (first === undefined || entry[1].at < first[1].at) first = entry;
    if (first === undefined) return undefined;
    const [key, timer] = first;
    const { at, run, everyMs } = timer;
    const fire = (): void => {
      if (everyMs === undefined) this.#timers.delete(key);
      else timer.at = at + everyMs;
      run();
    };
    return { at, everyMs, run: fire };
  }
}
