import { canonicalRepository, parseImageReference } from '../core/image-reference.ts';
import type { RepositoryRef } from '../ports.ts';
import { type Quirks, quirksOfHost } from './quirks.ts';
import type { Transport, Transports } from './transport.ts';

/** Where the API of a registry is, and how it is reached. */
export interface Endpoint {
  /** The registry's one name: lower case, aliases folded, without `:443`. */
  readonly registry: string;
  readonly origin: string;
  readonly quirks: Quirks;
  readonly transport?: Transport;
  /** Of a mirror: the registry it stands for, told it by `ns` if it wants to know. */
  readonly mirrorOf?: { readonly registry: string; readonly sendsNamespace: boolean };
}

/** Finds the API of the repository's registry; a sentence when the reference is not a valid one, or when its registry must not be asked. */
export function endpointOf(
  repository: RepositoryRef,
  transports: Pick<Transports, 'of' | 'rules'>,
): Endpoint | { readonly invalid: string } | { readonly blocked: string } {
  const reference = parseImageReference(`${repository.registry}/${repository.repository}`);
  if ('invalid' in reference) return reference;
  if (reference.repository !== repository.repository) return { invalid: `"${repository.repository}" is not a full repository name` };
  const registry = canonicalRepository(reference).slice(0, -repository.repository.length - 1);
  const quirks = quirksOfHost(registry);
  const url = URL.parse(`https://${quirks.apiHost ?? registry}`);
  if (!url) return { invalid: `"${registry}" is not a host` };
  const blocked = transports.rules().refusal(registry);
  if (blocked !== undefined) return { blocked };
  const transport = transports.of(repository);
  // The canonical name has lost `:443`, which says https even on this machine.
  const isSecure = repository.registry.endsWith(':443') || transport.tls !== undefined;
  const isPlain = !isSecure && (isLoopback(url.hostname) || transport.isPlain);
  return { registry, origin: isPlain ? `http://${url.host}` : url.origin, quirks, transport };
}

/** Hosts that plain HTTP is spoken with unasked: what is sent does not leave the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
