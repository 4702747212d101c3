import { OutboundError } from '../errors.ts';
import { outboundFailure } from './failure.ts';

/** The time limit of one call, joined with the caller's signal. `end` must be called once the call is over. */
export interface Deadline {
  readonly signal: AbortSignal;
  readonly end: () => void;
  /** What the caller should see instead of `error`: the reason of its own signal, a Timeout, or the error as OutboundError. */
  reasonFor(error: unknown, where: string): unknown;
  /** Passes a body on, with its failures explained. */
  explain(body: AsyncIterable<Buffer>, where: string): AsyncGenerator<Buffer>;
}

/** Starts the clock; `ms` 0 means no limit. A timer of our own, because `AbortSignal.any` keeps its sources alive. */
export function startDeadline(ms: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  let expired = false;
  const timer = ms === 0 ? undefined : setTimeout(expire, ms);
  outer?.addEventListener('abort', abort, { once: true });
  if (outer?.aborted === true) abort();

  function expire(): void {
    expired = true;
    controller.abort();
  }

  function abort(): void {
    controller.abort(outer?.reason);
  }

  function end(): void {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }

  function reasonFor(error: unknown, where: string): unknown {
    if (outer?.aborted === true) return outer.reason;
    if (expired) return new OutboundError('Timeout', where, `no complete answer within ${ms} ms`);
    return outboundFailure(error, where);
  }

  async function* explain(body: AsyncIterable<Buffer>, where: string): AsyncGenerator<Buffer> {
    try {
      yield* body;
    } catch (error) {
      throw reasonFor(error, where);
    } finally {
      end();
    }
  }

  return { signal: controller.signal, end, reasonFor, explain };
}
