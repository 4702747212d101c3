import { OutboundError, type OutboundErrorCode, type RegistryErrorCode } from '../errors.ts';
import type { Outbound, OutboundRequest, OutboundStream, OutboundTimeouts } from '../outbound.ts';
import type { Clock } from '../ports.ts';
import { type Answer, codeOfAnswer, isThrottled, isTransient } from './answer.ts';
import type { Outcome } from './budget.ts';
import type { Call } from './call.ts';
import type { Meter } from './meter.ts';
import { readQuota } from './rate-limit-headers.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { RegistryRequest } from './send.ts';
import type { Transports } from './transport.ts';

/** How one HTTP request ended: with an answer of whatever status, or without. */
export type Attempt = { readonly answer: Answer; readonly outcome: Outcome } | { readonly error: OutboundError; readonly outcome: Outcome };

export interface AttemptDeps {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly timeouts: OutboundTimeouts;
  readonly transports: Transports;
}

const shortestCoolDownMs = 1_000;
const errorBodyBytes = 64 * 1024;
/** The registry itself can be asked instead. */
const mirrorHeadersMs = 5_000;

/** One HTTP request, measured. Throws nothing but the reason of the call's signal. */
export async function attempt(deps: AttemptDeps, call: Call, request: RegistryRequest, backoffMs: number): Promise<Attempt> {
  const { clock, meter } = deps;
  const { registry } = call.endpoint;
  const startedAtMs = clock.now();
  const count = (word: string): void => meter.request(registry, request.operation, word, Math.max(0, clock.now() - startedAtMs) / 1000);
  try {
    const stream = await deps.outbound.stream(outboundRequest(deps, call, request));
    const body = await readBody(stream, stream.status >= 400);
    call.signal.throwIfAborted();
    const answer = { status: stream.status, headers: stream.headers, url: stream.url, body };
    count(answer.status < 400 ? 'ok' : codeOfAnswer(call, answer));
    return { answer, outcome: outcomeOf(call, request, answer, backoffMs, clock.now()) };
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    count(failureCodes[error.code]);
    const isFailure = error.code === 'Timeout' || error.code === 'Unreachable' || error.code === 'Tls';
    if (isFailure) return { error, outcome: { kind: 'failed', why: error.message.slice(error.url.length + ': '.length) } };
    return { error, outcome: { kind: error.code === 'Blocked' ? 'abandoned' : 'answered' } };
  }
}

/** What a failure without an answer is called. */
export const failureCodes: Readonly<Record<OutboundErrorCode, RegistryErrorCode>> = {
  Timeout: 'Timeout',
  Unreachable: 'Unavailable',
  Tls: 'Unavailable',
  TooLarge: 'TooLarge',
  Blocked: 'Blocked',
  Protocol: 'Protocol',
};

function outboundRequest({ transports, timeouts }: AttemptDeps, call: Call, request: RegistryRequest): OutboundRequest {
  const { operation: _, allowRedirect, ...wanted } = request;
  const own = call.endpoint.transport ?? transports.ofHost(call.endpoint.registry);
  // Client certificates of a registry are for its own host, which may be that of its token endpoint; another host may have an entry of its own.
  const isOwnHost = request.url.hostname === new URL(call.endpoint.origin).hostname;
  const there = isOwnHost ? own : transports.ofHost(request.url.host);
  const rules = transports.rules();
  return {
    ...wanted,
    url: withNamespace(call, request),
    tls: there.tls,
    authorities: own.authorities,
    proxy: there.proxy ?? own.proxy,
    allowPrivate: own.allowPrivate,
    allowRedirect: (from, to) => {
      const verdict = allowRedirect?.(from, to) ?? true;
      return verdict === true ? (rules.denial(to.host) ?? true) : verdict;
    },
    signal: call.signal,
    timeouts: call.endpoint.mirrorOf
      ? { ...timeouts, headersMs: Math.min(timeouts.headersMs ?? mirrorHeadersMs, mirrorHeadersMs) }
      : timeouts,
  };
}

/** A mirror of many registries needs to hear which one is meant. */
function withNamespace({ endpoint }: Call, { url, operation }: RegistryRequest): URL {
  if (endpoint.mirrorOf?.sendsNamespace !== true || operation === 'token' || url.origin !== endpoint.origin) return url;
  const named = new URL(url);
  named.searchParams.set('ns', endpoint.mirrorOf.registry);
  return named;
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

function outcomeOf(call: Call, request: RegistryRequest, answer: Answer, backoffMs: number, nowMs: number): Outcome {
  const afterMs = parseRetryAfter(answer.headers['retry-after'], nowMs);
  // What another host says behind a redirect is about that host.
  const quota = answer.url.origin === request.url.origin ? readQuota(answer.headers, nowMs) : undefined;
  if (isThrottled(answer, call.endpoint.quirks)) return { kind: 'throttled', afterMs: afterMs ?? shortestCoolDownMs + backoffMs, quota };
  return isTransient(answer) ? { kind: 'failed', why: `HTTP ${answer.status}`, afterMs, quota } : { kind: 'answered', quota };
}
