const longestMs = 20;

/** Gives timers and sockets their turn when a long piece of work has had its own: the Lease, probes and other tenants share one thread. */
export class Breather {
  #since = performance.now();

  /** To be awaited between two pieces of work; costs nothing while they are short. */
  async breathe(): Promise<void> {
    if (performance.now() - this.#since < longestMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
