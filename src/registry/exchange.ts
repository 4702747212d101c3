import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { RegistryError } from '../errors.ts';
import type { Clock, Log } from '../ports.ts';
import { createAbroad, readAsked } from './abroad.ts';
import { type Answer, answerFailure, isThrottled } from './answer.ts';
import { createAskedSchemes } from './asked-schemes.ts';
import { createAuthorizer } from './authorize.ts';
import type { Call } from './call.ts';
import { type AskedScheme, chooseScheme, parseChallenges } from './challenge.ts';
import { tryWithContent } from './fetched-credential.ts';
import type { RegistryCredential, UsableCredential } from './keychain.ts';
import { createLogins } from './logins.ts';
import type { Meter } from './meter.ts';
import { type Refusal, refusalFailure } from './refusal.ts';
import { createRefusalReport } from './refusal-report.ts';
import type { RegistryRequest, Send } from './send.ts';
import { createTokens } from './tokens.ts';

/** An answer other than 401 and 403, and the source of the credential that led to it. */
export interface Reply {
  readonly answer: Answer;
  readonly source: string;
}

/** How one request ended with one credential; for a person who looks for the reason. Holds nothing secret. */
export interface CredentialAttempt {
  readonly operation: Call['operation'];
  readonly source: string;
  readonly httpStatus: number | undefined;
  /** `failed`: no answer that says anything about the credential. */
  readonly outcome: 'accepted' | 'failed' | Refusal['why'];
}

/** Sends a request with the credentials of the call, one after the other until one is accepted. Throws RegistryError. */
export type Exchange = (call: Call, request: RegistryRequest) => Promise<Reply>;

interface Winner {
  readonly fingerprint: string;
  readonly sinceMs: number;
}

const anonymousFirstMs = 3_600_000;

interface ExchangeDeps {
  readonly send: Send;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly onAttempt?: ((attempt: CredentialAttempt) => void) | undefined;
}

export function createExchange({ send, clock, log, meter, onAttempt }: ExchangeDeps): Exchange {
  const schemes = createAskedSchemes();
  const tokens = createTokens({ send, clock, meter });
  const authorizer = createAuthorizer({ schemes, tokens });
  const abroad = createAbroad({ send, tokens });
  const logins = createLogins(clock);
  /** (origin, repository, set of credentials) → the one that was accepted last. */
  const winners = new LRUCache<string, Winner>(atMost(10_000));

  const report = createRefusalReport({ clock, log, meter });

  async function exchange(call: Call, request: RegistryRequest): Promise<Reply> {
    const winnerKey = `${call.endpoint.origin} ${call.repository} ${call.credentials.fingerprint}`;
    const refusals: Refusal[] = [];
    for (const credential of inOrder(call.credentials.candidates, winners.get(winnerKey), clock.now())) {
      const turn = await login(call, request, credential).catch((error: unknown) => {
        const httpStatus = error instanceof RegistryError ? error.httpStatus : undefined;
        onAttempt?.({ operation: call.operation, source: credential.source, httpStatus, outcome: 'failed' });
        throw error;
      });
      onAttempt?.({ operation: call.operation, source: credential.source, ...endOf(turn) });
      if ('answer' in turn) {
        const { fingerprint } = credential.secret;
        if (winners.get(winnerKey)?.fingerprint !== fingerprint) winners.set(winnerKey, { fingerprint, sinceMs: clock.now() });
        return turn;
      }
      refusals.push(turn);
      report(call, turn);
    }
    throw refusalFailure(call, refusals);
  }

  async function login(call: Call, request: RegistryRequest, credential: RegistryCredential): Promise<Reply | Refusal> {
    const tryIt = async (): Promise<Reply | Refusal> =>
      await tryWithContent(call, credential, (usable) => tryCredential(call, request, usable));
    if (credential.secret.kind === 'anonymous') return await tryIt();
    const attempt = await logins.begin(call.endpoint.origin, credential.secret.fingerprint, call.signal);
    if (!attempt) return { source: credential.source, why: 'resting' };
    let outcome: 'accepted' | 'refused' | 'unknown' = 'unknown';
    try {
      const turn = await tryIt();
      outcome = outcomeOf(turn);
      return turn;
    } finally {
      attempt.end(outcome);
    }
  }

  async function tryCredential(call: Call, request: RegistryRequest, credential: UsableCredential): Promise<Reply | Refusal> {
    const { source } = credential;
    const first = await authorizer.guess(call, credential);
    if ('why' in first) return first;
    const answer = await sendWith(call, request, first.header);
    if (answer.status !== 401 && answer.status !== 403) return { answer, source };
    if (answer.status === 403 && first.header !== undefined) return { source, why: 'denied', httpStatus: 403 };
    const asked = askedBy(call, answer, credential);
    schemes.learn(call.endpoint.origin, call.repository, asked);
    const second = await authorizer.answer(call, asked, credential, first.isFresh ? undefined : first.token);
    if ('why' in second) return answer.status === 403 ? { source, why: 'denied', httpStatus: 403 } : second;
    // The same login again would be the second failure of one poll.
    if (second.header === first.header) return { source, why: second.token === undefined ? 'login' : 'scope', httpStatus: answer.status };
    const again = await withToldScope(call, request, credential, asked, await sendWith(call, request, second.header));
    if (again.status !== 401 && again.status !== 403) return { answer: again, source };
    const why = again.status === 403 ? 'denied' : second.token === undefined ? 'login' : 'scope';
    return { source, why, httpStatus: again.status };
  }

  /** Some registries say which scope they want only when a token lacks it: one more token, and no more after that. */
  async function withToldScope(
    call: Call,
    request: RegistryRequest,
    credential: UsableCredential,
    before: AskedScheme,
    refused: Answer,
  ): Promise<Answer> {
    if (refused.status !== 401 || before.kind !== 'bearer') return refused;
    const challenges = parseChallenges(refused.headers['www-authenticate'] ?? '');
    const asked: AskedScheme = 'invalid' in challenges ? { kind: 'none' } : chooseScheme(challenges);
    if (asked.kind !== 'bearer' || asked.error !== 'insufficient_scope' || !asked.scope || asked.scope === before.scope) return refused;
    const wider = await authorizer.answer(call, asked, credential);
    if ('why' in wider) return refused;
    schemes.learn(call.endpoint.origin, call.repository, asked);
    return await sendWith(call, request, wider.header);
  }

  async function sendWith(call: Call, request: RegistryRequest, authorization: string | undefined): Promise<Answer> {
    // Whatever address is asked on the way: a credential is for its registry.
    const isOwn = request.url.origin === call.endpoint.origin;
    const headers = authorization === undefined || !isOwn ? request.headers : { ...request.headers, authorization };
    const answer = await send(call, headers === undefined ? request : { ...request, headers });
    // Otherwise the next credentials would be tried, and refused for the same reason.
    if (isThrottled(answer, call.endpoint.quirks)) throw answerFailure(call, answer);
    if (answer.url.origin === call.endpoint.origin) return answer;
    return withoutChallenge(answer.status === 401 ? await abroad(call, request, answer) : answer);
  }

  return exchange;
}

function outcomeOf(turn: Reply | Refusal): 'accepted' | 'refused' | 'unknown' {
  if ('answer' in turn) return 'accepted';
  if (turn.why === 'unavailable') return 'unknown';
  return turn.why === 'login' ? 'refused' : 'accepted';
}

function endOf(turn: Reply | Refusal): Pick<CredentialAttempt, 'httpStatus' | 'outcome'> {
  return 'answer' in turn ? { httpStatus: turn.answer.status, outcome: 'accepted' } : { httpStatus: turn.httpStatus, outcome: turn.why };
}

/** The winner first. Anonymous keeps that place for an hour only: quotas are larger for accounts that work again. */
function inOrder(candidates: readonly RegistryCredential[], winner: Winner | undefined, nowMs: number): readonly RegistryCredential[] {
  const isOld = winner !== undefined && nowMs - winner.sinceMs > anonymousFirstMs;
  const isWinner = ({ secret }: RegistryCredential): boolean =>
    secret.fingerprint === winner?.fingerprint && !(isOld && secret.kind === 'anonymous');
  return [...candidates.filter(isWinner), ...candidates.filter((candidate) => !isWinner(candidate))];
}

/** What the host behind a redirect asks for would lead the registry's credentials to a token endpoint of that host's choice. */
function withoutChallenge(answer: Answer): Answer {
  const { 'www-authenticate': _, ...headers } = answer.headers;
  return { ...answer, headers };
}

/** A registry that hides what it has says 403 without asking for anything: a user and password may change that. */
function askedBy(call: Call, answer: Answer, credential: UsableCredential): AskedScheme {
  const isMute = answer.status === 403 && answer.headers['www-authenticate'] === undefined;
  return isMute && credential.secret.kind === 'basic' ? { kind: 'basic' } : readAsked(call, answer);
}
