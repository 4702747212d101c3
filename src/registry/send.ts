import { LRUCache } from 'lru-cache';
import { OutboundError, type OutboundErrorCode, type RegistryErrorCode } from '../errors.ts';
import type { Outbound, OutboundRequest, OutboundStream, OutboundTimeouts, TlsOptions } from '../outbound.ts';
import type { Clock, Log } from '../ports.ts';
import { type Answer, codeOfAnswer, isThrottled, isTransient } from './answer.ts';
import { type Budget, createBudget, longestWaitMs, type Outcome, type Refusal, type Sleep } from './budget.ts';
import { type Call, callFailure, type Operation } from './call.ts';
import type { Meter } from './meter.ts';
import { quirksOfHost } from './quirks.ts';
import { parseRetryAfter } from './retry-after.ts';

export interface RegistryRequest
  extends Pick<OutboundRequest, 'method' | 'headers' | 'body' | 'maxBytes' | 'directlyNamed' | 'maxRedirects' | 'allowRedirect'> {
  readonly url: URL;
  readonly operation: Operation;
}

/** Sends one request of a call within the budget of its origin; what may heal in a moment is tried again. Throws RegistryError. */
export type Send = (call: Call, request: RegistryRequest) => Promise<Answer>;

export interface SendDeps {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly sleep: Sleep;
  readonly meter: Meter;
  readonly log: Log;
  readonly timeouts: OutboundTimeouts;
  /** How to talk TLS with a registry, by its canonical host. */
  readonly tls?: ((registry: string) => TlsOptions | undefined) | undefined;
}

type Attempt = { readonly answer: Answer; readonly outcome: Outcome } | { readonly error: OutboundError; readonly outcome: Outcome };

const maximumTries = 3;
const firstBackoffMs = 500;
const shortestCoolDownMs = 1_000;
const errorBodyBytes = 64 * 1024;

export function createSend(deps: SendDeps): Send {
  const budgets = new LRUCache<string, Budget>({ max: 1_000 });

  function budgetOf(call: Call, url: URL): Budget {
    const known = budgets.get(url.origin);
    if (known) return known;
    const quirks = url.origin === call.endpoint.origin ? call.endpoint.quirks : quirksOfHost(url.host);
    const budget = createBudget(quirks, deps);
    budgets.set(url.origin, budget);
    return budget;
  }

  async function send(call: Call, request: RegistryRequest): Promise<Answer> {
    const budget = budgetOf(call, request.url);
    let last: Attempt | undefined;
    for (let tries = 1; tries <= maximumTries; tries++) {
      const entrance = await budget.enter(call.credentials.fingerprint, call.signal);
      if ('refused' in entrance) {
        if (last) break;
        throw refusalFailure(call, request, entrance);
      }
      const backoffMs = Math.random() * firstBackoffMs * 2 ** (tries - 1);
      let outcome: Outcome = { kind: 'abandoned' };
      try {
        last = await attempt(deps, call, request, backoffMs);
        outcome = last.outcome;
      } finally {
        report(call, request, outcome, entrance.leave(outcome));
      }
      if (tries === maximumTries || !mayHeal(request, last) || budget.coolDownMs() > longestWaitMs) break;
      // A cool-down is waited for at the entrance, by everybody.
      if (budget.coolDownMs() === 0) await deps.sleep(backoffMs, call.signal);
    }
    return result({ ...call, operation: request.operation }, last, budget.coolDownMs());
  }

  function report(call: Call, { url }: RegistryRequest, outcome: Outcome, opened: boolean): void {
    const fields = { registry: call.endpoint.registry, host: url.host };
    if (opened) deps.log.warn(fields, 'registry failed several times in a row and is left alone');
    const afterMs = 'afterMs' in outcome ? (outcome.afterMs ?? 0) : 0;
    if (afterMs > longestWaitMs) deps.log.warn({ ...fields, afterMs }, 'registry asked to be left alone');
  }

  return send;
}

async function attempt(deps: SendDeps, call: Call, request: RegistryRequest, backoffMs: number): Promise<Attempt> {
  const { clock, meter } = deps;
  const startedAtMs = clock.now();
  const count = (word: string): void =>
    meter.request(call.endpoint.registry, request.operation, word, Math.max(0, clock.now() - startedAtMs) / 1000);
  try {
    const { operation: _, ...wanted } = request;
    // Authorities and client certificates of a registry are for its own host, which may be that of its token endpoint.
    const isOwnHost = request.url.hostname === new URL(call.endpoint.origin).hostname;
    const tls = isOwnHost ? deps.tls?.(call.endpoint.registry) : undefined;
    const stream = await deps.outbound.stream({ ...wanted, tls, signal: call.signal, timeouts: deps.timeouts });
    const body = await readBody(stream, stream.status >= 400);
    call.signal.throwIfAborted();
    const answer = { status: stream.status, headers: stream.headers, url: stream.url, body };
    count(answer.status < 400 ? 'ok' : codeOfAnswer(call, answer));
    return { answer, outcome: outcomeOf(call, answer, backoffMs, clock.now()) };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    count(codes[error.code]);
    const isFailure = error.code === 'Timeout' || error.code === 'Unreachable' || error.code === 'Tls';
    return { error, outcome: { kind: isFailure ? 'failed' : error.code === 'Blocked' ? 'abandoned' : 'answered' } };
  }
}

/** The body; of an error only its beginning, and it does not matter if that breaks off. */
async function readBody(stream: OutboundStream, isError: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of stream.body) {
      parts.push(part);
      size += part.length;
      if (isError && size > errorBodyBytes) break;
    }
  } catch (error) {
    if (!isError) throw error;
  }
  const body = Buffer.concat(parts);
  return isError ? body.subarray(0, errorBodyBytes) : body;
}

function outcomeOf(call: Call, answer: Answer, backoffMs: number, nowMs: number): Outcome {
  const afterMs = parseRetryAfter(answer.headers['retry-after'], nowMs);
  if (isThrottled(answer, call.endpoint.quirks)) return { kind: 'throttled', afterMs: afterMs ?? shortestCoolDownMs + backoffMs };
  return isTransient(answer) ? { kind: 'failed', afterMs } : { kind: 'answered' };
}

function mayHeal(request: RegistryRequest, attempt: Attempt): boolean {
  if (request.method === 'POST') return false;
  if ('error' in attempt) return attempt.error.code === 'Unreachable';
  return attempt.outcome.kind === 'throttled' || isTransient(attempt.answer);
}

function result(call: Call, attempt: Attempt | undefined, coolDownMs: number): Answer {
  if (attempt && 'answer' in attempt) return coolDownMs > 0 ? { ...attempt.answer, retryAfterMs: coolDownMs } : attempt.answer;
  const error = attempt?.error;
  const code = error ? codes[error.code] : 'Unavailable';
  const advice = error?.code === 'Tls' ? '; check the certificate of the registry and the authorities trusted here' : '';
  throw callFailure(call, code, `${error?.message ?? 'no answer'}${advice}`, { cause: error });
}

function refusalFailure(call: Call, request: RegistryRequest, { refused, afterMs }: Refusal): Error {
  const seconds = Math.ceil(afterMs / 1000);
  const { host } = request.url;
  return refused === 'coolDown'
    ? callFailure(call, 'RateLimited', `${host} asked to be left alone for ${seconds} s more`, { retryAfterMs: afterMs })
    : callFailure(call, 'Unavailable', `${host} failed several times in a row and is asked again in ${seconds} s`, {
        retryAfterMs: afterMs,
      });
}

const codes: Readonly<Record<OutboundErrorCode, RegistryErrorCode>> = {
  Timeout: 'Timeout',
  Unreachable: 'Unavailable',
  Tls: 'Unavailable',
  TooLarge: 'TooLarge',
  Blocked: 'Blocked',
  Protocol: 'Protocol',
};
