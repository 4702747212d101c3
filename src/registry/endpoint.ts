import { canonicalRepository, parseImageReference } from '../core/image-reference.ts';
import type { RepositoryRef } from '../ports.ts';
import { type Quirks, quirksOfHost } from './quirks.ts';

/** Where the API of a registry is. */
export interface Endpoint {
  /** The registry's one name: lower case, aliases folded, without `:443`. */
  readonly registry: string;
  readonly origin: string;
  readonly quirks: Quirks;
}

export interface Schemes {
  /** Hosts (any port) or `host:port` that plain HTTP is spoken with. */
  readonly insecureHosts: readonly string[];
  /** Has the registry got TLS options? Then TLS is spoken, also on this machine. */
  hasTls(registry: string): boolean;
}

/** Finds the API of the repository's registry; a sentence when the reference is not a valid one. */
export function endpointOf(repository: RepositoryRef, schemes: Schemes): Endpoint | { readonly invalid: string } {
  const reference = parseImageReference(`${repository.registry}/${repository.repository}`);
  if ('invalid' in reference) return reference;
  if (reference.repository !== repository.repository) return { invalid: `"${repository.repository}" is not a full repository name` };
  const registry = canonicalRepository(reference).slice(0, -repository.repository.length - 1);
  const quirks = quirksOfHost(registry);
  const url = URL.parse(`https://${quirks.apiHost ?? registry}`);
  if (!url) return { invalid: `"${registry}" is not a host` };
  // The canonical name has lost `:443`, which says https even on this machine.
  const isSecure = repository.registry.endsWith(':443') || schemes.hasTls(registry);
  const isPlain = !isSecure && (isLoopback(url.hostname) || isListed(registry, schemes.insecureHosts));
  return { registry, origin: isPlain ? `http://${url.host}` : url.origin, quirks };
}

/** Hosts that plain HTTP is spoken with unasked: what is sent does not leave the machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** An entry without port stands for every port of the host. */
function isListed(registry: string, insecureHosts: readonly string[]): boolean {
  const withoutPort = registry.replace(/:\d+$/, '');
  return insecureHosts.some((entry) => [registry, withoutPort].includes(entry.toLowerCase()));
}
