import type { ServerResponse } from 'node:http';
import { type RecordedRequest, sendError } from './registry-wire.ts';

export interface TokenSwitches {
  auth: 'none' | 'basic' | 'bearer' | 'both';
  /** User → password. */
  users: Record<string, string>;
  /** Refresh tokens that the OAuth2 flow accepts. */
  identityTokens: string[];
  /** Does the token endpoint give tokens to callers without credentials? */
  anonymousPull: boolean;
  /** `user repository` pairs that get 403; the user of an anonymous token is the empty text. */
  denied: string[];
  /** Replaces the whole `WWW-Authenticate` header; `<scope>` is filled in. */
  challenge: string | undefined;
  /** Replaces the realm of the Bearer challenge. */
  realm: string | undefined;
  /** Where tokens are given. */
  tokenPath: string;
  tokenField: 'token' | 'access_token';
  /** More members of the token's answer: `expires_in`, `issued_at`, `refresh_token`. */
  tokenFields: Record<string, unknown>;
  /** Status of the token endpoint instead of the normal answer. */
  tokenStatus: number | undefined;
  /** false: tokens are given but none is ever accepted. */
  acceptTokens: boolean;
}

export interface TokenService {
  /** Serves `/token`; false when the request is for something else. */
  answer(request: RecordedRequest, response: ServerResponse): boolean;
  /** False after answering 401 or 403. */
  authorize(request: RecordedRequest, response: ServerResponse, repository: string): boolean;
  revoke(): void;
}

export function createTokenService(switches: TokenSwitches, origin: () => string): TokenService {
  /** Token → user. */
  const tokens = new Map<string, string>();
  let given = 0;

  function answer(request: RecordedRequest, response: ServerResponse): boolean {
    if (!request.url.startsWith(switches.tokenPath)) return false;
    const user = userOf(request, switches);
    if (switches.tokenStatus !== undefined) sendError(response, switches.tokenStatus, 'UNSUPPORTED');
    else if (user === undefined || (user === '' && !switches.anonymousPull)) sendError(response, 401, 'UNAUTHORIZED');
    else {
      const token = `token-${++given}`;
      tokens.set(token, user);
      const body = { [switches.tokenField]: token, ...switches.tokenFields };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }
    return true;
  }

  function authorize(request: RecordedRequest, response: ServerResponse, repository: string): boolean {
    const user = identify(request);
    if (user !== undefined && !switches.denied.includes(`${user} ${repository}`)) return true;
    if (user === undefined) response.setHeader('www-authenticate', challengeFor(repository));
    sendError(response, user === undefined ? 401 : 403, user === undefined ? 'UNAUTHORIZED' : 'DENIED');
    return false;
  }

  function identify(request: RecordedRequest): string | undefined {
    if (switches.auth === 'none') return '';
    const [scheme, value = ''] = (request.headers['authorization'] ?? '').split(' ');
    if (scheme === 'Bearer' && switches.auth !== 'basic') return switches.acceptTokens ? tokens.get(value) : undefined;
    if (scheme === 'Basic' && switches.auth !== 'bearer') return userOf(request, switches) || undefined;
    return undefined;
  }

  function challengeFor(repository: string): string {
    const scope = `repository:${repository}:pull`;
    if (switches.challenge !== undefined) return switches.challenge.replace('<scope>', scope);
    const bearer = `Bearer realm="${switches.realm ?? `${origin()}/token`}",service="fake",scope="${scope}"`;
    const basic = 'Basic realm="fake"';
    return switches.auth === 'basic' ? basic : switches.auth === 'both' ? `${bearer},${basic}` : bearer;
  }

  return { answer, authorize, revoke: () => tokens.clear() };
}

/** The user behind Basic or a refresh token; empty without credentials, undefined when they are wrong. */
function userOf(request: RecordedRequest, switches: TokenSwitches): string | undefined {
  if (request.method === 'POST') {
    const refreshToken = new URLSearchParams(request.body).get('refresh_token') ?? '';
    return switches.identityTokens.includes(refreshToken) ? 'identity' : undefined;
  }
  const header = request.headers['authorization'];
  if (header === undefined) return '';
  const text = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString();
  const colon = text.indexOf(':');
  const user = text.slice(0, colon);
  return colon > 0 && Object.hasOwn(switches.users, user) && switches.users[user] === text.slice(colon + 1) ? user : undefined;
}
