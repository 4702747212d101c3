import type { Call } from './call.ts';
import type { Reply } from './exchange.ts';
import type { RegistryCredential, UsableCredential } from './keychain.ts';
import type { Refusal } from './refusal.ts';
import type { FetchSecrets } from './registry-secret.ts';

/** Tries one credential that can be written into a request. */
type TryCredential = (credential: UsableCredential) => Promise<Reply | Refusal>;

/** Tries a credential, whose content is asked for where somebody else gives it. What was kept and is refused is asked for anew, once. */
export async function tryWithContent(call: Call, credential: RegistryCredential, tryOne: TryCredential): Promise<Reply | Refusal> {
  if (isUsable(credential)) return await tryOne(credential);
  const content = credential.secret.reveal();
  // A usable one has all other kinds.
  if (content.kind !== 'fetched') throw new Error('a credential of an unknown kind');
  const { source } = credential;
  const isPlain = !call.endpoint.origin.startsWith('https:');
  if (content.needsTls && isPlain) return { source, why: 'unavailable', detail: 'the registry does not speak TLS', isExpected: true };
  return await tryFetched(call, { source, fetch: content.fetch }, tryOne);
}

async function tryFetched(
  call: Call,
  { source, fetch }: { source: string; fetch: FetchSecrets },
  tryOne: TryCredential,
): Promise<Reply | Refusal> {
  let refusal: Refusal = { source, why: 'unavailable', detail: 'it holds nothing for this registry', isExpected: true };
  for (const refused of [false, true]) {
    const fetched = await fetch(call.signal, { refused });
    if ('unavailable' in fetched) return { source, why: 'unavailable', detail: fetched.unavailable, isExpected: fetched.isExpected };
    for (const secret of fetched.secrets) {
      const turn = await tryOne({ source, secret });
      if ('answer' in turn) return turn;
      refusal = turn;
    }
    // Some registries call an expired login a missing right.
    if (fetched.isFresh || (refusal.why !== 'login' && refusal.why !== 'denied')) break;
  }
  return refusal;
}

export function isUsable(credential: RegistryCredential): credential is UsableCredential {
  return credential.secret.kind !== 'fetched';
}
