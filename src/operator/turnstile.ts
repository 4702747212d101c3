/**
 * Lets a few through in each turn of the event loop; the others wait for the next ones. Between two turns sockets are served, so that a
 * flood of webhooks is answered while what follows from them is worked off. When little happens nobody waits: turns are short then.
 */
export class Turnstile {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #passed = 0;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  async enter(): Promise<void> {
    if (this.#waiting.length > 0 || this.#passed >= this.#perTurn) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return;
    }
    if (this.#passed++ === 0) setImmediate(() => this.#turn());
  }

  #turn(): void {
    const next = this.#waiting.splice(0, this.#perTurn);
    this.#passed = next.length;
    if (next.length > 0) setImmediate(() => this.#turn());
    for (const pass of next) pass();
  }
}
