import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import type { CredentialProviderSettings } from '../core/registry-settings.ts';
import type { Clock, RepositoryRef } from '../ports.ts';
import type { IdentityCache, Issued } from './identity-cache.ts';
import { type AccountRef, type IdentityWorld, NoIdentity, nameOfHolder } from './identity-world.ts';
import { keyedLogins, matchLogins, type WantedCredential } from './keychain.ts';
import { keyMatches, parseRegistryKey, splitKey } from './keychain-match.ts';
import { runPlugin } from './plugin-process.ts';
import { formatPluginRequest, imageOf, type PluginAnswer, type PluginRequest, readPluginAnswer } from './plugin-protocol.ts';
import type { FetchSecrets } from './registry-secret.ts';
import { createSlots } from './slots.ts';

export interface CredentialPluginsDeps {
  readonly clock: Clock;
  readonly cache: IdentityCache;
  /** Undefined: programs that need a token of a ServiceAccount are not run. */
  readonly world: IdentityWorld | undefined;
  readonly timeoutMs?: number;
}

/** The credentials that configured programs give for the repository. `account` is whose pods pull. */
export type CredentialPlugins = (
  repository: RepositoryRef,
  providers: readonly CredentialProviderSettings[],
  account: AccountRef | undefined,
) => readonly WantedCredential[];

/** What the ServiceAccount adds to a request. */
interface AccountPart {
  readonly request: Pick<PluginRequest, 'serviceAccountToken' | 'serviceAccountAnnotations'>;
  /** Answers are kept for this account, or for this token, only. */
  readonly key: string;
}

const maxBytes = 1024 * 1024;
/** Programs running at one time. */
const mostRunning = 4;

export function createCredentialPlugins({ clock, cache, world, timeoutMs = 30_000 }: CredentialPluginsDeps): CredentialPlugins {
  const slots = createSlots(mostRunning);

  async function ask(provider: CredentialProviderSettings, request: PluginRequest, signal: AbortSignal): Promise<PluginAnswer> {
    const giveBack = await slots.acquire(provider.name, signal);
    try {
      const { path, args } = provider;
      const env = Object.fromEntries(provider.env.map(({ name, value }) => [name, value]));
      const output = await runPlugin({ path, args, env, input: formatPluginRequest(request), timeoutMs, maxBytes }, signal);
      const answer = readPluginAnswer(output);
      if ('invalid' in answer) throw new NoIdentity(answer.invalid);
      return answer;
    } finally {
      giveBack();
    }
  }

  async function issue(
    provider: CredentialProviderSettings,
    repository: RepositoryRef,
    part: AccountPart,
    signal: AbortSignal,
  ): Promise<Issued> {
    const { entries, cacheKeyType, cacheMs } = await ask(provider, { image: imageOf(repository), ...part.request }, signal);
    const { logins } = keyedLogins(provider.name, { entries, problems: [] });
    const contents = matchLogins(repository, logins).flatMap((login) => login.contents);
    const key = keysOf(provider, repository, part.key)[['Image', 'Registry', 'Global'].indexOf(cacheKeyType)];
    return { contents, expiresAtMs: clock.now() + (cacheMs ?? provider.defaultCacheMs), key };
  }

  return (repository, providers, account) =>
    providers
      .filter((provider) => isAbsolute(provider.path) && matchesImage(provider, repository))
      .map((provider) => {
        const source = `credential provider ${provider.name}`;
        const wantsAccount = provider.tokenAttributes !== undefined && account !== undefined;
        const identity = [source, imageOf(repository), wantsAccount ? nameOfHolder(account) : ''].join(' ');
        const fetch: FetchSecrets = async (signal, { refused }) => {
          const part = await accountPart(world, provider, account, signal);
          if ('unavailable' in part) return part;
          const issueIt = (shared: AbortSignal): Promise<Issued> => issue(provider, repository, part, shared);
          return await cache.get({ keys: keysOf(provider, repository, part.key), signal, refused, issue: issueIt });
        };
        return { source, content: { kind: 'fetched', identity, needsTls: false, fetch } };
      });
}

/** Images by the kubelet's rule for the keys of docker configurations. */
function matchesImage({ matchImages }: CredentialProviderSettings, { registry, repository }: RepositoryRef): boolean {
  const image = splitKey(registry, `/${repository}`);
  return matchImages.some((pattern) => {
    const key = parseRegistryKey(pattern);
    return key !== undefined && keyMatches(key, image);
  });
}

/** Where an answer may be kept: for the image, its registry, or all images. A changed configuration finds nothing. */
function keysOf(provider: CredentialProviderSettings, repository: RepositoryRef, account: string): readonly [string, string, string] {
  const { name, path, args, env } = provider;
  const program = createHash('sha256')
    .update(JSON.stringify([name, path, args, env]))
    .digest('base64url');
  const prefix = `plugin ${program} ${account}`;
  return [`${prefix} image ${imageOf(repository)}`, `${prefix} registry ${repository.registry}`, `${prefix} global`];
}

async function accountPart(
  world: IdentityWorld | undefined,
  { tokenAttributes: attributes }: CredentialProviderSettings,
  account: AccountRef | undefined,
  signal: AbortSignal,
): Promise<AccountPart | { readonly unavailable: string; readonly isExpected: boolean }> {
  if (!attributes) return { request: {}, key: '' };
  const accounts = world?.serviceAccounts;
  if (!account || !accounts) {
    if (!attributes.requireServiceAccount) return { request: {}, key: '' };
    return { unavailable: 'it needs a token of a ServiceAccount, which cannot be had here', isExpected: false };
  }
  try {
    const { uid, annotations } = await accounts.read(account, signal);
    const own = (names: readonly string[]): [string, string][] =>
      names.flatMap((name) => (Object.hasOwn(annotations, name) ? [[name, annotations[name] ?? '']] : []));
    const required = own(attributes.requiredServiceAccountAnnotationKeys);
    if (required.length < attributes.requiredServiceAccountAnnotationKeys.length) {
      return { unavailable: `${nameOfHolder(account)} lacks an annotation that it requires`, isExpected: true };
    }
    const serviceAccountAnnotations = Object.fromEntries([...required, ...own(attributes.optionalServiceAccountAnnotationKeys)]);
    const { token } = await accounts.token(account, attributes.serviceAccountTokenAudience, signal);
    const identity = [account.namespace, account.name, uid, serviceAccountAnnotations, attributes.cacheType === 'Token' ? token : ''];
    const key = createHash('sha256').update(JSON.stringify(identity)).digest('base64url');
    return { request: { serviceAccountToken: token, serviceAccountAnnotations }, key };
  } catch (error) {
    signal.throwIfAborted();
    return { unavailable: error instanceof Error ? error.message : 'its token cannot be had', isExpected: false };
  }
}
