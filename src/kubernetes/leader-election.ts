import { ApiError } from '../errors.ts';
import type { Clock, Log, Metrics } from '../ports.ts';
import { addressAnnotation, heldLease, type Lease, type LeaseApi, releasedLease } from './lease.ts';
import { realTiming, type Timing, within } from './timing.ts';

/** One time of leading. Work that writes to the cluster belongs to a term and ends with it. */
export interface Term {
  /** Stop taking new work; what runs may finish. */
  readonly stopping: AbortSignal;
  /** The Lease is lost, or the time to finish is over: end at once. Aborts after `stopping`. */
  readonly lost: AbortSignal;
  /** Throws unless the Lease is surely held now. Before each write: a process that was frozen notices it nowhere else. */
  assertHeld(): void;
}

export interface Observed {
  readonly holder: string | undefined;
  /** Where to forward to; `undefined` while nobody leads. */
  readonly address: string | undefined;
  readonly isMine: boolean;
}

export interface LeaderElectionOptions {
  readonly api: LeaseApi;
  /** `<pod>_<uuid>`: no two processes share one. */
  readonly identity: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Name of the Lease. */
  readonly name?: string;
  readonly address?: () => string | undefined;
  readonly onObserve?: (observed: Observed) => void;
  readonly durationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  /** How long running work may go on after `stop`. */
  readonly drainMs?: number;
  readonly timing?: Timing;
  readonly random?: () => number;
}

/**
 * Takes part in the election of the leader. Another's Lease counts from when this process last saw it change, by its own monotonic
 * clock, so the clocks of replicas need not agree.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #timing: Timing;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  /** The Lease as this process last wrote it; `undefined` when it has to be read first. */
  #lease: Lease | undefined;
  #seenChange = '';
  #seenChangeAt = 0;
  /** Surely ours until then: counted from before the write that last took or renewed the Lease. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  #isLeading = false;
  #observed: Observed = { holder: undefined, address: undefined, isMine: false };
  #problem: string | undefined;
  /** The failure that was told last; the same one again is no news. */
  #told: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#timing = options.timing ?? realTiming;
    this.#durationMs = options.durationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryMs ?? 2_000;
  }

  get observed(): Observed {
    return this.#observed;
  }

  get isLeading(): boolean {
    return this.#isLeading;
  }

  /** A sentence that says what keeps every replica from leading; for readiness. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Still leading by its own account though the Lease has run out: the process does not do its work. */
  get isStuck(): boolean {
    return this.#isLeading && this.#timing.now() - this.#heldUntil > this.#durationMs - this.#renewDeadlineMs;
  }

  /** Leads whenever it can, one term after the other, until `stop` aborts; a lost Lease only ends the term. */
  async run(stop: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    while (!stop.aborted) {
      if (await this.#attempt(this.#renewDeadlineMs, stop)) await this.#lead(stop, lead);
      await this.#pause(stop);
    }
  }

  async #lead(stop: AbortSignal, lead: (term: Term) => Promise<void>): Promise<void> {
    const { log, identity } = this.#options;
    const stopping = new AbortController();
    const lost = new AbortController();
    const over = new AbortController();
    const assertHeld = () => {
      if (!lost.signal.aborted && !this.#isHeld()) endTerm(new Error('the Lease is lost: it was not renewed in time'));
      lost.signal.throwIfAborted();
    };
    const endTerm = (reason: Error) => {
      stopping.abort(reason);
      lost.abort(reason);
    };
    const drain = () => {
      stopping.abort(new Error('the operator is stopping'));
      void this.#timing.sleep(this.#options.drainMs ?? 20_000, over.signal).then(() => endTerm(new Error('the time to finish is over')));
    };
    this.#setLeading(true);
    log.info({ identity }, 'leading');
    stop.addEventListener('abort', drain, { once: true });
    if (stop.aborted) drain();
    const work = lead({ stopping: stopping.signal, lost: lost.signal, assertHeld })
      .catch((error: unknown) => log.error({ error }, 'the work of the leader failed'))
      .finally(() => over.abort());
    await this.#keepRenewing(over.signal, () => endTerm(new Error('the Lease is lost: it could not be renewed in time')));
    await work;
    stop.removeEventListener('abort', drain);
    this.#setLeading(false);
    log.info({ identity }, 'no longer leading');
    if (this.#isHeld()) await this.#release();
  }

  /** Renews until the work is over, and says so when that fails for too long. */
  async #keepRenewing(over: AbortSignal, onLost: () => void): Promise<void> {
    while (!over.aborted) {
      await this.#timing.sleep(this.#retryMs, over);
      if (over.aborted) return;
      const leftMs = this.#heldUntil - this.#timing.now();
      if (leftMs > 0) await this.#attempt(leftMs, over);
      if (!this.#isHeld() && !over.aborted) {
        onLost();
        return;
      }
    }
  }

  #isHeld(): boolean {
    return this.#timing.now() < this.#heldUntil;
  }

  /** Takes or renews the Lease, if it is free or ours. Never throws. */
  async #attempt(limitMs: number, stop: AbortSignal): Promise<boolean> {
    try {
      const isMine = await within(this.#timing, limitMs, stop, (signal) => this.#tryHold(signal));
      this.#problem = undefined;
      this.#told = undefined;
      return isMine;
    } catch (error) {
      if (!stop.aborted) this.#explain(error);
      return false;
    }
  }

  async #tryHold(signal: AbortSignal): Promise<boolean> {
    const { api, identity } = this.#options;
    // The leader need not read what it wrote itself: a conflict says when it has to.
    const known = this.#lease;
    this.#lease = undefined;
    const current = known ?? (await api.get(signal));
    signal.throwIfAborted();
    if (current) this.#observe(current);
    if (current && current.spec?.holderIdentity !== identity && !this.#hasRunOut(current)) {
      this.#heldUntil = Number.NEGATIVE_INFINITY;
      return false;
    }
    const startedAt = this.#timing.now();
    const next = heldLease(current, this.#holding());
    const written = await (current ? api.update(next, signal) : this.#create(next, signal));
    signal.throwIfAborted();
    this.#lease = written;
    this.#heldUntil = startedAt + this.#renewDeadlineMs;
    this.#observe(written);
    return true;
  }

  async #create(lease: Lease, signal: AbortSignal): Promise<Lease> {
    try {
      return await this.#options.api.create(lease, signal);
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) {
        this.#problem = `namespace ${lease.metadata.namespace} does not exist: create it, or set HEADWIND_NAMESPACE to one that does`;
      }
      throw error;
    }
  }

  #holding() {
    const { identity, namespace, name = 'headwind', address, clock } = this.#options;
    return { identity, namespace, name, durationMs: this.#durationMs, address: address?.(), now: clock.now() };
  }

  #hasRunOut({ spec }: Lease): boolean {
    if (!spec?.holderIdentity) return true;
    const seconds = spec.leaseDurationSeconds ?? 0;
    return this.#timing.now() - this.#seenChangeAt >= (seconds > 0 ? seconds * 1000 : this.#durationMs);
  }

  #observe({ metadata, spec }: Lease): void {
    const change = `${spec?.holderIdentity} ${spec?.renewTime} ${spec?.leaseTransitions}`;
    if (change !== this.#seenChange) {
      this.#seenChange = change;
      this.#seenChangeAt = this.#timing.now();
    }
    const holder = spec?.holderIdentity || undefined;
    const address = holder === undefined ? undefined : metadata.annotations?.[addressAnnotation];
    if (holder === this.#observed.holder && address === this.#observed.address) return;
    if (holder !== undefined && holder !== this.#options.identity && holder !== this.#observed.holder) {
      this.#options.log.info({ leader: holder }, `standing by: ${holder} leads`);
    }
    this.#observed = { holder, address, isMine: holder === this.#options.identity };
    this.#options.onObserve?.(this.#observed);
  }

  /** Hands over at once: without a holder nobody waits the Lease out. */
  async #release(): Promise<void> {
    const { api, clock, log, identity } = this.#options;
    const known = this.#lease;
    this.#lease = undefined;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    try {
      await within(this.#timing, 3_000, new AbortController().signal, async (signal) => {
        const lease = known ?? (await api.get(signal));
        if (lease?.spec?.holderIdentity !== identity) return;
        this.#observe(await api.update(releasedLease(lease, clock.now()), signal));
      });
    } catch (error) {
      log.warn({ error }, 'the Lease could not be released; it runs out by itself');
    }
  }

  #explain(error: unknown): void {
    const { namespace, log } = this.#options;
    if (error instanceof ApiError && error.isConflict) return;
    const problem = error instanceof Error ? error.message : String(error);
    const level = problem === this.#told ? 'debug' : 'warn';
    log[level]({ problem, leading: this.#isLeading }, `the Lease could not be taken or renewed, which is tried again: ${problem}`);
    this.#told = problem;
    if (error instanceof ApiError && error.status === 403) {
      this.#problem = `no leader can be elected: namespace ${namespace} does not exist, or the right to its leases is missing (${error.message})`;
    }
  }

  #setLeading(isLeading: boolean): void {
    this.#isLeading = isLeading;
    this.#options.metrics.set('leader', isLeading ? 1 : 0);
  }

  /** A little shorter at random, so that candidates do not ask in step. */
  #pause(stop: AbortSignal): Promise<void> {
    return this.#timing.sleep(this.#retryMs * (0.8 + 0.2 * (this.#options.random ?? Math.random)()), stop);
  }
}
