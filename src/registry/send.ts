import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { OutboundError } from '../errors.ts';
import type { OutboundRequest } from '../outbound.ts';
import type { Log } from '../ports.ts';
import { type Answer, isTransient } from './answer.ts';
import { type Attempt, attempt, type AttemptDeps, failureCodes } from './attempt.ts';
import {
  type Budget,
  type BudgetState,
  createBudget,
  longestWaitMs,
  type Outcome,
  type Refusal,
  type Sleep,
  type Visitor,
} from './budget.ts';
import { type Call, callFailure, type Operation } from './call.ts';
import { limitsOf } from './limits.ts';
import { quirksOfHost } from './quirks.ts';
import { createWarnings } from './warnings.ts';

export interface RegistryRequest
  extends Pick<OutboundRequest, 'method' | 'headers' | 'body' | 'maxBytes' | 'directlyNamed' | 'maxRedirects' | 'allowRedirect'> {
  readonly url: URL;
  readonly operation: Operation;
}

/** Sends one request of a call within the budget of its origin; what may heal in a moment is tried again. Throws RegistryError. */
export type Send = (call: Call, request: RegistryRequest) => Promise<Answer>;

/** Sends requests, and tells how it stands with the origins they went to. */
export interface Sender {
  readonly send: Send;
  /** Undefined when the origin was not asked so far. */
  readonly stateOf: (origin: string) => BudgetState | undefined;
}

export interface SendDeps extends AttemptDeps {
  readonly sleep: Sleep;
  readonly log: Log;
}

const maximumTries = 3;
const firstBackoffMs = 500;

export function createSender(deps: SendDeps): Sender {
  const budgets = new LRUCache<string, Budget>(atMost(1_000));
  const warnings = createWarnings(deps.log);

  function budgetOf(call: Call, url: URL): Budget {
    const isOwn = url.origin === call.endpoint.origin;
    const transport = (isOwn ? call.endpoint.transport : undefined) ?? deps.transports.ofHost(url.host);
    const limits = limitsOf(isOwn ? call.endpoint.quirks : quirksOfHost(url.host), transport.limits);
    const known = budgets.get(url.origin);
    known?.limit(limits);
    if (known) return known;
    const budget = createBudget(limits, deps);
    budgets.set(url.origin, budget);
    return budget;
  }

  async function send(call: Call, request: RegistryRequest): Promise<Answer> {
    refuseDenied(call, request);
    const budget = budgetOf(call, request.url);
    const mostTries = call.endpoint.mirrorOf ? 1 : maximumTries;
    let last: Attempt | undefined;
    for (let tries = 1; tries <= mostTries; tries++) {
      const entrance = await budget.enter(visitorOf(call, request));
      if ('refused' in entrance) {
        if (last) break;
        throw refusalFailure(call, request, entrance);
      }
      const backoffMs = Math.random() * firstBackoffMs * 2 ** (tries - 1);
      let outcome: Outcome = { kind: 'abandoned' };
      try {
        last = await attempt(deps, call, request, backoffMs);
        outcome = last.outcome;
        if ('answer' in last) warnings.read(call.endpoint.registry, last.answer.headers['warning']);
      } finally {
        report(call, request, outcome, { turn: entrance.leave(outcome), coolDownMs: budget.coolDownMs() });
      }
      if (tries === mostTries || !mayHeal(request, last) || budget.coolDownMs() > longestWaitMs) break;
      // A cool-down is waited for at the entrance, by everybody.
      if (budget.coolDownMs() === 0) await deps.sleep(backoffMs, call.signal);
    }
    return result({ ...call, operation: request.operation }, last, budget.coolDownMs());
  }

  /** The call's own registry was looked at before the call began. */
  function refuseDenied(call: Call, { url, operation }: RegistryRequest): void {
    if (url.origin === call.endpoint.origin && !call.endpoint.mirrorOf) return;
    const denial = deps.transports.rules().denial(url.host);
    if (denial !== undefined) throw callFailure({ ...call, operation }, 'Blocked', denial);
  }

  function report(
    call: Call,
    { url }: RegistryRequest,
    outcome: Outcome,
    now: { turn: 'closed' | 'open' | undefined; coolDownMs: number },
  ): void {
    const { registry } = call.endpoint;
    const fields = { registry, host: url.host };
    if (now.turn === 'closed') deps.log.warn(fields, 'registry failed several times in a row and is left alone');
    if (now.turn === 'open') deps.log.info(fields, 'registry answers again');
    const afterMs = 'afterMs' in outcome ? (outcome.afterMs ?? 0) : 0;
    if (afterMs > longestWaitMs) deps.log.warn({ ...fields, afterMs }, 'registry asked to be left alone');
    if (url.origin !== call.endpoint.origin) return;
    if ('quota' in outcome && outcome.quota) deps.meter.quota(registry, outcome.quota.remaining);
    if (now.coolDownMs > 0) deps.meter.coolDown(registry, deps.clock.now() + now.coolDownMs);
  }

  return { send, stateOf: (origin) => budgets.peek(origin)?.state() };
}

function visitorOf({ credentials, lane, signal, endpoint }: Call, { method, url }: RegistryRequest): Visitor {
  return {
    lane: lane ?? credentials.fingerprint,
    asker: credentials.fingerprint,
    signal,
    isPull: (method ?? 'GET') === 'GET' && url.pathname.includes('/manifests/'),
    isHasty: endpoint.mirrorOf !== undefined,
  };
}

function mayHeal(request: RegistryRequest, attempt: Attempt): boolean {
  if (request.method === 'POST') return false;
  if ('error' in attempt) return attempt.error.code === 'Unreachable';
  return attempt.outcome.kind === 'throttled' || isTransient(attempt.answer);
}

function result(call: Call, attempt: Attempt | undefined, coolDownMs: number): Answer {
  if (attempt && 'answer' in attempt) return coolDownMs > 0 ? { ...attempt.answer, retryAfterMs: coolDownMs } : attempt.answer;
  const error = attempt?.error;
  const code = error ? failureCodes[error.code] : 'Unavailable';
  const message = error?.message ?? 'no answer';
  throw callFailure(call, code, `${message}${error ? adviceOn(error, call.endpoint.registry) : ''}`, { cause: error });
}

/** What the message of a failure cannot know: which setting is meant for it. */
function adviceOn({ code, message }: OutboundError, registry: string): string {
  if (code === 'Blocked') {
    return message.endsWith(' is private') ? `; if it may be contacted, set allowPrivate for ${registry} in the configuration` : '';
  }
  if (code !== 'Tls') return '';
  return message.includes('wrong version number')
    ? '; if the registry speaks plain HTTP, set insecure for it in the configuration, or name it in HEADWIND_REGISTRY_INSECURE_HOSTS'
    : '; check the certificate of the registry and caCertificatePaths in the configuration';
}

function refusalFailure(call: Call, { url: { host } }: RegistryRequest, refusal: Refusal): Error {
  const seconds = Math.ceil(refusal.afterMs / 1000);
  const facts = { retryAfterMs: refusal.afterMs };
  switch (refusal.refused) {
    case 'coolDown':
      return callFailure(call, 'RateLimited', `${host} asked to be left alone for ${seconds} s more`, facts);
    case 'circuitOpen':
      return callFailure(
        call,
        'Unavailable',
        `${host} failed several times in a row and is asked again in ${seconds} s${refusal.why === undefined ? '' : `; the last time: ${refusal.why}`}`,
        facts,
      );
    case 'quota': {
      const { remaining, limit } = refusal.quota;
      const sentence = `${host} allows this account or address ${remaining} of ${limit} pulls for now, and the last tenth is left to the nodes`;
      return callFailure(call, 'RateLimited', `${sentence}; it is asked again in ${seconds} s. An account has a larger quota`, facts);
    }
  }
}
