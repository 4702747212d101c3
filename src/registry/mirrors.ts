import { canonicalRegistry } from '../core/image-reference.ts';
import { RegistryError } from '../errors.ts';
import type { Log, RepositoryRef } from '../ports.ts';
import type { Call } from './call.ts';
import type { Endpoint } from './endpoint.ts';
import type { RegistryCredentialSet } from './keychain.ts';
import { quirksOfHost } from './quirks.ts';
import type { Transport, Transports } from './transport.ts';

/** An operation on a repository: what it asks is below the endpoint and repository of its call. */
export type Operation<Rest extends readonly unknown[], Result> = (call: Call, ...rest: Rest) => Promise<Result>;

export interface Mirrors {
  /**
   * The operation at the mirrors of the call's registry, in order, and last at the registry itself.
   * The next one is asked whenever one fails, does not have it, or gives what is not good enough.
   */
  first<Rest extends readonly unknown[], Result>(
    operation: Operation<Rest, Result>,
    isGood?: (result: Result) => boolean,
  ): Operation<Rest, Result>;
}

export interface MirrorDeps {
  readonly transports: Transports;
  /** What the configuration has for the mirror itself. Credentials of the registry and of workloads never go there. */
  readonly credentials: (mirror: RepositoryRef) => RegistryCredentialSet;
  readonly log: Pick<Log, 'debug'>;
}

export function createMirrors({ transports, credentials, log }: MirrorDeps): Mirrors {
  function callTo(mirror: Mirror, call: Call): Call | undefined {
    const url = URL.parse(mirror.url);
    if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
    const repository = `${prefixOf(url)}${call.repository}`;
    const ref = { registry: url.host, repository };
    const endpoint: Endpoint = {
      registry: canonicalRegistry(url.host),
      origin: url.origin,
      quirks: quirksOfHost(url.host),
      transport: { ...transports.of(ref), mirrors: [] },
      mirrorOf: { registry: call.endpoint.registry, sendsNamespace: mirror.sendsNamespace },
    };
    return { ...call, endpoint, repository, credentials: credentials(ref) };
  }

  return {
    first(operation, isGood = () => true) {
      return async (call, ...rest) => {
        for (const mirror of call.endpoint.transport?.mirrors ?? []) {
          const there = callTo(mirror, call);
          if (!there) continue;
          try {
            const result = await operation(there, ...rest);
            if (isGood(result)) return result;
          } catch (error) {
            if (call.signal.aborted || !(error instanceof RegistryError)) throw error;
            const { registry } = call.endpoint;
            log.debug({ registry, mirror: there.endpoint.registry, code: error.code }, 'mirror gave no answer, the next one is asked');
          }
        }
        return await operation(call, ...rest);
      };
    },
  };
}

type Mirror = Transport['mirrors'][number];

/** `https://harbor.example.com/v2/hub` and `https://harbor.example.com/hub` have all repositories below `hub/`. */
function prefixOf({ pathname }: URL): string {
  const parts = pathname.split('/').filter((part) => part !== '');
  if (parts[0] === 'v2') parts.shift();
  return parts.map((part) => `${part}/`).join('');
}
