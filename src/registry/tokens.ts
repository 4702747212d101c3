import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Clock } from '../ports.ts';
import { type Answer, answerFailure, isThrottled, isTransient } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import type { UsableCredential } from './keychain.ts';
import type { Meter } from './meter.ts';
import { parseRealm, type Realm } from './realm.ts';
import type { PlainContent } from './registry-secret.ts';
import type { Send } from './send.ts';
import { createSingleFlight } from './single-flight.ts';
import { readTokenAnswer, type Token } from './token-answer.ts';

/** What a token is for. */
export interface TokenRequest {
  /** Origin of the answer that asked for it. */
  readonly origin: URL;
  readonly realm: string;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: UsableCredential;
  /** A token that was just refused: not to be given again. */
  readonly refused?: string | undefined;
}

/** The token, or the HTTP status with which the endpoint refused the credential. */
export type TokenOutcome =
  | { readonly token: string /** Made for this call. */; readonly isFresh: boolean }
  | { readonly refusedWith: number };

export interface Tokens {
  get(call: Call, request: TokenRequest): Promise<TokenOutcome>;
}

interface TokenDeps {
  readonly send: Send;
  readonly clock: Clock;
  readonly meter: Meter;
}

const tokenBytes = 128 * 1024;
const longestParameter = 4_096;

/** Tokens by origin, realm, service, scopes and credential: two tenants never share one, unless their credentials are the same. */
export function createTokens({ send, clock, meter }: TokenDeps): Tokens {
  const cache = new LRUCache<string, Token>(atMost(5_000));
  const rotated = new LRUCache<string, string>({ max: 500 });
  const flights = createSingleFlight<TokenOutcome>(() => meter.cacheHit('token'));

  async function get(call: Call, request: TokenRequest): Promise<TokenOutcome> {
    const realm = checkedRealm(call, request);
    const { origin, service, scopes, credential } = request;
    const key = [origin.origin, realm.url.href, service ?? '', [...scopes].sort().join(' '), credential.secret.fingerprint].join('\n');
    const known = cache.get(key);
    if (known && known.text !== request.refused && known.usableUntilMs > clock.now()) {
      meter.cacheHit('token');
      return { token: known.text, isFresh: false };
    }
    return await flights.run(key, call.signal, async (signal) => {
      const outcome = await fetchToken({ ...call, signal }, request, realm);
      if (!('text' in outcome)) return outcome;
      cache.set(key, outcome);
      return { token: outcome.text, isFresh: true };
    });
  }

  async function fetchToken(call: Call, request: TokenRequest, realm: Realm): Promise<Token | { refusedWith: number }> {
    const content = request.credential.secret.reveal();
    const refreshed = content.kind === 'identity' ? await refresh(call, request, realm, content.token) : undefined;
    return refreshed ?? readAnswer(call, await send(call, basicRequest(request, realm, content)), request);
  }

  /** Trades the refresh token that came last, then the one of the secret; undefined where the endpoint knows no such thing. */
  async function refresh(
    call: Call,
    request: TokenRequest,
    realm: Realm,
    own: string,
  ): Promise<Token | { refusedWith: number } | undefined> {
    const key = `${realm.url.href}\n${request.credential.secret.fingerprint}`;
    const last = rotated.get(key);
    const answer = await send(call, refreshRequest(request, realm, last ?? own));
    if (answer.status === 404 || answer.status === 405) return undefined;
    const token = readAnswer(call, answer, request);
    if ('text' in token && token.refreshToken) rotated.set(key, token.refreshToken);
    if (!('refusedWith' in token)) return token;
    rotated.delete(key);
    return last === undefined || last === own ? token : await refresh(call, request, realm, own);
  }

  function readAnswer(call: Call, answer: Answer, { credential }: TokenRequest): Token | { refusedWith: number } {
    if (answer.status === 200) {
      const token = readTokenAnswer(answer.body, clock.now());
      if (token) return token;
      throw callFailure(call, 'Protocol', `the token endpoint ${answer.url.host} answered without a usable token`, { httpStatus: 200 });
    }
    const isRefusal = [400, 401, 403].includes(answer.status) && !isThrottled(answer, call.endpoint.quirks);
    if (isRefusal) return { refusedWith: answer.status };
    if (isTransient(answer) || isThrottled(answer, call.endpoint.quirks)) throw answerFailure(call, answer, credential.source);
    const { host } = answer.url;
    throw callFailure(call, 'Protocol', `the token endpoint ${host} gave no token (HTTP ${answer.status})`, { httpStatus: answer.status });
  }

  return { get };
}

function checkedRealm(call: Call, { origin, realm, service, scopes }: TokenRequest): Realm {
  const parsed = parseRealm(realm, origin);
  if ('invalid' in parsed) throw callFailure(call, 'Blocked', `${origin.host} cannot be trusted with a credential: ${parsed.invalid}`);
  if ([service ?? '', ...scopes].some((text) => text.length > longestParameter)) {
    throw callFailure(call, 'Protocol', `the challenge of ${origin.host} is longer than any real one`);
  }
  return parsed;
}

function common({ origin }: TokenRequest, { isOwnHost }: Realm) {
  return {
    operation: 'token',
    maxBytes: tokenBytes,
    directlyNamed: isOwnHost,
    maxRedirects: 3,
    allowRedirect: (_: URL, to: URL) => !('invalid' in parseRealm(to.href, origin)),
  } as const;
}

function basicRequest(request: TokenRequest, realm: Realm, content: PlainContent) {
  const added = new URLSearchParams(request.service === undefined ? {} : { service: request.service });
  for (const scope of request.scopes) added.append('scope', scope);
  const url = new URL(realm.url);
  // The realm's own query stays as it was written.
  url.search = [url.search.slice(1), added.toString()].filter((part) => part !== '').join('&');
  const authorization = basicAuthorization(content);
  const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) };
  return { ...common(request, realm), method: 'GET', url, headers } as const;
}

function refreshRequest(request: TokenRequest, realm: Realm, refreshToken: string) {
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'headwind' });
  if (request.service !== undefined) form.set('service', request.service);
  if (request.scopes.length > 0) form.set('scope', request.scopes.join(' '));
  const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
  return { ...common(request, realm), method: 'POST', url: realm.url, headers, body: form.toString() } as const;
}

/** The header for user and password; an identity token goes as the password of the user `<token>`. */
export function basicAuthorization(content: PlainContent): string | undefined {
  if (content.kind === 'anonymous' || content.kind === 'bearer') return undefined;
  const pair = content.kind === 'basic' ? `${content.username}:${content.password}` : `<token>:${content.token}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}
