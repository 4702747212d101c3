/** Conditions that are looked at again whenever something happened: tests wait for them instead of sleeping. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  /** Something happened. */
  notify(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves when `condition` holds; rejects, naming it, after `limitMs`. */
  async until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${condition.toString()}`)), limitMs);
    const look = (): void => {
      if (condition()) resolve();
    };
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }
}
