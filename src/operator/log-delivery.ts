import { canonicalRepository } from '../core/image-reference.ts';
import type { PushHint } from '../core/push-hint.ts';
import type { Clock, Log } from '../ports.ts';

/** One webhook: `taken` hints are looked at, `users` are the managed workloads of each repository. */
export interface LoggedDelivery {
  readonly hints: readonly PushHint[];
  readonly taken: number;
  readonly users: readonly number[];
}

/** Nobody reads more lines than this in a second, and thousands would be a tenth of the work for a webhook. */
const linesPerSecond = 20;
const secondMs = 1000;
const nothing = { deliveries: 0, hints: 0, taken: 0, unused: 0 };

/**
 * One line for each delivery of a webhook: the answer to "does it arrive, and does it concern anybody?". When there are many, the first
 * ones of each second have a line of their own and the others one together.
 */
export class DeliveryLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #secondStartedAt = 0;
  #lines = 0;
  #others = nothing;
  #timer: NodeJS.Timeout | undefined;

  constructor({ log, clock }: { readonly log: Log; readonly clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
  }

  told(delivery: LoggedDelivery): void {
    if (delivery.hints.length === 0) return;
    this.#turnSecond();
    if (this.#lines < linesPerSecond) {
      this.#lines++;
      logDelivery(this.#log, delivery);
      return;
    }
    const { deliveries, hints, taken, unused } = this.#others;
    this.#others = {
      deliveries: deliveries + 1,
      hints: hints + delivery.hints.length,
      taken: taken + delivery.taken,
      unused: unused + (workloadsOf(delivery) === 0 ? 1 : 0),
    };
    this.#timer ??= setTimeout(() => this.flush(), secondMs).unref();
  }

  /** Writes what is counted and not written yet; leaves no timer. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { deliveries, hints, taken, unused } = this.#others;
    if (deliveries === 0) return;
    this.#others = nothing;
    const message = `webhooks: ${deliveries} more in this second, with ${hints} hints: ${taken} taken in; no managed workload uses the images of ${unused}`;
    this.#log.info({ deliveries, hints, taken, unused }, message);
  }

  #turnSecond(): void {
    const now = this.#clock.now();
    if (Math.abs(now - this.#secondStartedAt) < secondMs) return;
    this.flush();
    this.#secondStartedAt = now;
    this.#lines = 0;
  }
}

function logDelivery(log: Log, delivery: LoggedDelivery): void {
  const { hints, taken } = delivery;
  const [first] = hints;
  if (!first) return;
  const workloads = workloadsOf(delivery);
  const image = `${canonicalRepository(first)}:${first.tag}`.slice(0, 400);
  const what = hints.length === 1 ? image : `${image} and ${hints.length - 1} more`;
  const news = taken === 0 ? 'nothing new' : hints.length === 1 ? 'taken in' : `${taken} taken in`;
  const concerns = workloads === 0 ? 'no managed workload uses it' : `${news}; managed workloads that use it: ${workloads}`;
  log.info({ provider: first.provider, image, hints: hints.length, taken, workloads }, `webhook: ${what}: ${concerns}`);
}

function workloadsOf({ users }: LoggedDelivery): number {
  return users.reduce((sum, using) => sum + using, 0);
}
