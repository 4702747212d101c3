import { LRUCache } from 'lru-cache';
import { noRegistrySettings, type RegistrySettings } from '../core/registry-settings.ts';
import type { Outbound } from '../outbound.ts';
import type { Clock, Log, PullContext, RepositoryRef } from '../ports.ts';
import { createCloudCredentials } from './cloud-credentials.ts';
import { createCredentialPlugins } from './credential-plugin.ts';
import { createIdentityCache } from './identity-cache.ts';
import type { AccountRef, Holder, IdentityWorld } from './identity-world.ts';
import type { WantedCredential } from './keychain.ts';
import { operatorCredentials } from './operator-credentials.ts';

/** The credentials of a repository beside those of pull secrets, in the order in which they are tried. */
export interface OtherCredentials {
  of(repository: RepositoryRef, context?: PullContext): readonly WantedCredential[];
  /** Ends what is being asked for. */
  close(): void;
}

export interface OtherCredentialsDeps {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for each choice, so that a changed configuration counts at once. */
  readonly settings?: (() => RegistrySettings) | undefined;
  /** Missing: no cloud is asked for anything. */
  readonly identities?: IdentityWorld | undefined;
}

/** Identities of the cloud (the workload's, then our own), then the configuration, then configured programs. `key` is the process's own. */
export function createOtherCredentials(deps: OtherCredentialsDeps, key: Buffer): OtherCredentials {
  const { clock, log, settings = () => noRegistrySettings, identities: world } = deps;
  const cache = createIdentityCache({ clock, key });
  const cloud = world && createCloudCredentials({ outbound: deps.outbound, clock, world, cache });
  const plugins = createCredentialPlugins({ clock, cache, world });
  const told = new LRUCache<string, true>({ max: 1_000 });

  function complain(sentence: string): void {
    if (told.has(sentence)) return;
    told.set(sentence, true);
    log.warn({ problem: sentence }, 'a configured registry credential is not as it should be');
  }

  function of(repository: RepositoryRef, context?: PullContext): readonly WantedCredential[] {
    const config = settings();
    const account = context && { namespace: context.namespace, name: context.serviceAccountName };
    return [
      ...(cloud?.(repository, holdersOf(config, account)) ?? []),
      ...operatorCredentials(repository, config, complain),
      ...plugins(repository, config.credentialProviders, account),
    ];
  }

  return { of, close: () => cache.close() };
}

function holdersOf({ cloudIdentities, workloadIdentities }: RegistrySettings, account: AccountRef | undefined): readonly Holder[] {
  return [...(workloadIdentities === true && account ? [account] : []), ...(cloudIdentities ? (['operator'] as const) : [])];
}
