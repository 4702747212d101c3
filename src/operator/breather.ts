const longestMs = 10;

/** Gives timers and sockets their turn when a long piece of work has had its own: the Lease, probes, webhooks and other tenants share one thread. */
export class Breather {
  #since = performance.now();

  /** Asked between two pieces of work. What is held while others have their turn stays in memory: nobody waits without need. */
  get isDue(): boolean {
    return performance.now() - this.#since >= longestMs;
  }

  async breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}
