import type { Answer } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { type AskedScheme, chooseScheme, parseChallenges } from './challenge.ts';
import type { UsableCredential } from './keychain.ts';
import type { RegistryRequest, Send } from './send.ts';
import type { Tokens } from './tokens.ts';

/** Deals with a redirect that led to a host which wants a login. Throws RegistryError when that host refuses an anonymous one. */
export type Abroad = (call: Call, request: RegistryRequest, answer: Answer) => Promise<Answer>;

/** The other host gets an anonymous token of its own, never what belongs to the registry. */
export function createAbroad({ send, tokens }: { send: Send; tokens: Tokens }): Abroad {
  async function abroad(call: Call, request: RegistryRequest, answer: Answer): Promise<Answer> {
    const { endpoint } = call;
    const sentence = `${endpoint.registry} leads to ${answer.url.host}, which wants a login of its own`;
    const refused = callFailure(call, 'Unauthorized', sentence, { httpStatus: 401, source: 'anonymous' });
    const authorization = await anonymousToken(call, answer);
    if (authorization === undefined) throw refused;
    const headers = { ...request.headers, authorization };
    const directlyNamed = answer.url.hostname === new URL(endpoint.origin).hostname;
    const second = await send(call, { ...request, url: answer.url, headers, directlyNamed });
    if (second.status === 401) throw refused;
    return second;
  }

  async function anonymousToken(call: Call, answer: Answer): Promise<string | undefined> {
    const asked = readAsked(call, answer);
    const credential = call.credentials.candidates.find(
      (candidate): candidate is UsableCredential => candidate.secret.kind === 'anonymous',
    );
    if (asked.kind !== 'bearer' || !credential) return undefined;
    const { realm, service, scope } = asked;
    const origin = new URL(answer.url.origin);
    const outcome = await tokens.get(call, { origin, realm, service, scopes: scope?.split(' ') ?? [], credential });
    return 'token' in outcome ? `Bearer ${outcome.token}` : undefined;
  }

  return abroad;
}

/** What the answer asks for; throws where its challenge cannot be read. */
export function readAsked(call: Call, answer: Answer): AskedScheme {
  const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
  if (!('invalid' in challenges)) return chooseScheme(challenges);
  throw callFailure(call, 'Protocol', `${answer.url.host} asks for a login that cannot be read: ${challenges.invalid}`, {
    httpStatus: answer.status,
  });
}
