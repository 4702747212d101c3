import { type AskedSchemes, pullScope } from './asked-schemes.ts';
import type { Call } from './call.ts';
import type { AskedScheme } from './challenge.ts';
import type { UsableCredential } from './keychain.ts';
import type { Refusal } from './refusal.ts';
import { basicAuthorization, type Tokens } from './tokens.ts';

/** What to send with a request: a header, or none. */
export interface Authorization {
  readonly header: string | undefined;
  /** The token in the header, if it came from a token endpoint. */
  readonly token?: string;
  /** Another one from there would be refused as well. */
  readonly isFresh?: boolean;
}

export interface Authorizer {
  /** For a first request, from what is known of the registry. */
  guess(call: Call, credential: UsableCredential): Promise<Authorization | Refusal>;
  /** For what the registry asked; `refused` is an old token that it just refused. */
  answer(call: Call, asked: AskedScheme, credential: UsableCredential, refused?: string): Promise<Authorization | Refusal>;
}

export function createAuthorizer({ schemes, tokens }: { schemes: AskedSchemes; tokens: Tokens }): Authorizer {
  async function guess(call: Call, credential: UsableCredential): Promise<Authorization | Refusal> {
    const { origin } = call.endpoint;
    const asked = schemes.of(origin, call.repository);
    const content = credential.secret.reveal();
    if (content.kind === 'bearer') return { header: `Bearer ${content.token}` };
    if (asked?.kind === 'basic') return { header: content.kind === 'basic' ? basicAuthorization(content) : undefined };
    if (asked?.kind !== 'bearer') return { header: undefined };
    try {
      return await answer(call, asked, credential);
    } catch (error) {
      // The token endpoint may have moved: the next call asks the registry.
      schemes.forget(origin, call.repository);
      throw error;
    }
  }

  async function answer(call: Call, asked: AskedScheme, credential: UsableCredential, refused?: string): Promise<Authorization | Refusal> {
    const { source } = credential;
    const content = credential.secret.reveal();
    if (content.kind === 'bearer') return { header: `Bearer ${content.token}` };
    if (asked.kind === 'none') return { source, why: 'challenge' };
    if (asked.kind === 'basic') {
      return content.kind === 'basic' ? { header: basicAuthorization(content) } : { source, why: 'challenge', httpStatus: 401 };
    }
    const wanted = pullScope(call.repository, call.endpoint.quirks.pullActions);
    const scopes = [...new Set([...(asked.scope ?? '').split(' '), wanted])].filter((scope) => scope !== '');
    const { realm, service } = asked;
    const origin = new URL(call.endpoint.origin);
    const outcome = await tokens.get(call, { origin, realm, service, scopes, credential, refused });
    if ('refusedWith' in outcome) return { source, why: 'login', httpStatus: outcome.refusedWith };
    return { header: `Bearer ${outcome.token}`, token: outcome.token, isFresh: outcome.isFresh };
  }

  return { guess, answer };
}
