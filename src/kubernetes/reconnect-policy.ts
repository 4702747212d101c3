import { ApiError } from '../errors.ts';

export interface ReconnectTimes {
  /** First and longest backoff. */
  readonly minMs: number;
  readonly maxMs: number;
  /** Between two looks for a resource that the server does not have. */
  readonly absentMs: number;
}

export interface Verdict {
  readonly waitMs: number;
  /** Begin again with a list instead of resuming. */
  readonly relist: boolean;
  readonly state?: 'forbidden' | 'absent';
  /** It belongs to the protocol: nothing a person needs to hear of. */
  readonly isOrdinary?: boolean;
}

/** A line of a watch that is no event. */
export class BrokenLineError extends Error {}
/** Our own wish to list again. */
export class ListAgainError extends Error {}

const longestWaitMs = 300_000;

/** Decides what follows a failed list or watch: how long to wait, resume or list again, stream or pages. */
export class ReconnectPolicy {
  readonly #times: ReconnectTimes;
  #streaming: boolean;
  #backoffMs = 0;
  /** How often a version expired without news in between. */
  #expiries = 0;
  #brokenAt: string | undefined;

  constructor(times: ReconnectTimes, streaming: boolean) {
    this.#times = times;
    this.#streaming = streaming;
  }

  /** Lists come as a stream; false for good once the server refused that. */
  get streaming(): boolean {
    return this.#streaming;
  }

  lineReceived(): void {
    this.#backoffMs = 0;
  }

  listCompleted(): void {
    this.#backoffMs = 0;
  }

  /** An event or bookmark after a complete list: what expired before is settled. */
  newsReceived(): void {
    this.#expiries = 0;
  }

  /** `version` is where the watch stood; empty while listing. */
  judge(error: unknown, version: string): Verdict {
    if (error instanceof ListAgainError) return { waitMs: 0, relist: true, isOrdinary: true };
    if (error instanceof BrokenLineError) return { waitMs: this.#nextBackoff(), relist: this.#isBrokenAgain(version) };
    if (!(error instanceof ApiError)) return { waitMs: this.#nextBackoff(), relist: false };
    if (error.status === 410) return this.#expired();
    if (version === '' && this.#streaming && refusesStreaming(error)) {
      this.#streaming = false;
      return { waitMs: 0, relist: true, isOrdinary: true };
    }
    const waitMs = error.retryAfterMs === undefined ? this.#nextBackoff() : Math.min(error.retryAfterMs, longestWaitMs);
    if (error.status === 403) return { waitMs, relist: false, state: 'forbidden' };
    if (error.status === 404) return { waitMs: this.#times.absentMs * (1 + Math.random() / 10), relist: true, state: 'absent' };
    return { waitMs, relist: false };
  }

  #expired(): Verdict {
    const earlier = this.#expiries++;
    const { minMs, maxMs } = this.#times;
    // Of its own, because each list in between resets the other backoff.
    const waitMs = earlier === 0 ? 0 : Math.min(maxMs, minMs * 2 ** (earlier - 1)) * (1 + Math.random());
    return { waitMs, relist: true, isOrdinary: true };
  }

  #isBrokenAgain(version: string): boolean {
    const again = this.#brokenAt === version;
    this.#brokenAt = again ? undefined : version;
    return again;
  }

  #nextBackoff(): number {
    this.#backoffMs = Math.min(this.#times.maxMs, this.#backoffMs === 0 ? this.#times.minMs : this.#backoffMs * 2);
    return this.#backoffMs * (1 + Math.random());
  }
}

/** 422 without the WatchList feature, 400 from others, and the 500 of an API server whose etcd is too old for it. */
function refusesStreaming({ status, message }: ApiError): boolean {
  return status === 400 || status === 422 || (status === 500 && message.includes('RequestWatchProgress'));
}
