import type { Outbound } from '../outbound.ts';
import type { Clock, RepositoryRef } from '../ports.ts';
import { issueForAzure } from './identity-azure.ts';
import type { IdentityCache, Issued } from './identity-cache.ts';
import { issueForEcr } from './identity-ecr.ts';
import { issueForGoogle } from './identity-google.ts';
import { type CloudRegistry, cloudOf } from './identity-hosts.ts';
import { createIdentityHttp } from './identity-http.ts';
import { type Holder, type IdentityWorld, nameOfHolder } from './identity-world.ts';
import type { WantedCredential } from './keychain.ts';
import type { FetchSecrets } from './registry-secret.ts';

export interface CloudCredentialsDeps {
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly world: IdentityWorld;
  readonly cache: IdentityCache;
}

/** The credentials that the cloud of a registry gives to the holders, in their order; none where the registry is in no cloud. */
export type CloudCredentials = (repository: RepositoryRef, holders: readonly Holder[]) => readonly WantedCredential[];

export function createCloudCredentials({ outbound, clock, world, cache }: CloudCredentialsDeps): CloudCredentials {
  const deps = { http: createIdentityHttp(outbound), world };

  async function issue(registry: CloudRegistry, holder: Holder, signal: AbortSignal): Promise<Issued> {
    switch (registry.cloud) {
      case 'AWS':
        return await issueForEcr(deps, holder, registry, clock.now(), signal);
      case 'Google':
        return await issueForGoogle(deps, holder, clock.now(), signal);
      case 'Azure':
        return await issueForAzure(deps, holder, registry.host, signal);
    }
  }

  return ({ registry: name }, holders) => {
    const registry = cloudOf(name);
    if (!registry) return [];
    return holders.map((holder) => {
      const source = `${registry.cloud} identity of ${nameOfHolder(holder)}`;
      const identity = `${source} ${placeOf(registry)}`;
      const fetch: FetchSecrets = (signal, { refused }) =>
        cache.get({ keys: [identity], signal, refused, issue: (shared) => issue(registry, holder, shared) });
      return { source, content: { kind: 'fetched', identity, needsTls: true, fetch } };
    });
  };
}

/** What one credential is good for: a region of AWS, all of Google, one registry of Azure. */
function placeOf(registry: CloudRegistry): string {
  return registry.cloud === 'AWS' ? registry.api : registry.cloud === 'Azure' ? registry.host : '';
}
