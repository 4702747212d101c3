import { LRUCache } from 'lru-cache';
import { noRegistrySettings, type RegistrySettings } from '../core/registry-settings.ts';
import type { Log, PullContext, RepositoryRef } from '../ports.ts';
import type { WantedCredential } from './keychain.ts';
import { operatorCredentials } from './operator-credentials.ts';

/** The credentials of a repository beside those of pull secrets, in the order in which they are tried. */
export type OtherCredentials = (repository: RepositoryRef, context?: PullContext) => readonly WantedCredential[];

interface OtherCredentialsDeps {
  readonly log: Log;
  /** Called for each choice, so that a changed configuration counts at once. */
  readonly settings?: (() => RegistrySettings) | undefined;
}

export function createOtherCredentials({ log, settings = () => noRegistrySettings }: OtherCredentialsDeps): OtherCredentials {
  const told = new LRUCache<string, true>({ max: 1_000 });

  function complain(sentence: string): void {
    if (told.has(sentence)) return;
    told.set(sentence, true);
    log.warn({ problem: sentence }, 'a configured registry credential is not as it should be');
  }

  return (repository) => operatorCredentials(repository, settings(), complain);
}
