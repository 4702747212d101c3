import { canonicalRegistry } from '../core/image-reference.ts';
import type { RegistryHostSettings, RegistrySettings } from '../core/registry-settings.ts';
import { type ProxySettings, proxyChooser } from '../outbound/proxy.ts';
import type { RepositoryRef } from '../ports.ts';
import { isLoopback } from '../registry/endpoint.ts';
import { hostSettingsOf } from '../registry/host-settings.ts';
import { quirksOfHost } from '../registry/quirks.ts';

export interface TransportSources {
  readonly settings: RegistrySettings;
  readonly insecureHosts: readonly string[];
  /** Of the environment. */
  readonly proxy: ProxySettings;
}

export interface TransportFacts {
  readonly isPlainHttp: boolean;
  /** For people; nothing secret. */
  readonly facts: readonly string[];
}

/** How a repository's registry is reached, in words: which scheme and why, whose certificates are trusted, through what. */
export function describeTransport(repository: RepositoryRef, sources: TransportSources): TransportFacts {
  const host = hostSettingsOf(repository, sources.settings);
  const registry = canonicalRegistry(repository.registry);
  const api = quirksOfHost(registry).apiHost ?? registry;
  const plain = whyPlain(registry, repository, host, sources);
  const url = new URL(`${plain === undefined ? 'https' : 'http'}://${api}`);
  const facts = [
    ...(plain === undefined ? tlsFacts(host, sources.settings) : [`plain HTTP: ${plain}`]),
    ...(api === registry ? [] : [`its API is at ${api}`]),
    ...proxyFacts(host, url, sources.proxy),
    ...(host?.mirrors ?? []).map((mirror) => `asked first, without credentials: the mirror ${originOf(mirror.url)}`),
  ];
  return { isPlainHttp: plain !== undefined, facts };
}

function whyPlain(
  registry: string,
  repository: RepositoryRef,
  host: RegistryHostSettings | undefined,
  { insecureHosts }: TransportSources,
): string | undefined {
  // Whoever configures TLS for a registry means it.
  if (host?.tls !== undefined || repository.registry.endsWith(':443')) return undefined;
  if (host?.insecure === true) return `insecure is set for ${entry(host)}`;
  const listed = insecureHosts.map((each) => each.toLowerCase());
  const name = registry.replace(/:\d+$/, '');
  const isOwnMachine = isLoopback(URL.parse(`http://${registry}`)?.hostname ?? '');
  if (listed.includes(registry) || listed.includes(name)) return 'the host is in HEADWIND_REGISTRY_INSECURE_HOSTS';
  return isOwnMachine ? 'the host is this machine' : undefined;
}

function tlsFacts(host: RegistryHostSettings | undefined, { caCertificates }: RegistrySettings): string[] {
  const tls = host?.tls;
  if (host && tls?.skipVerify === true) return [`HTTPS, and the certificate is NOT CHECKED: insecureSkipVerify is set for ${entry(host)}`];
  const own = countOf(tls?.caCertificates ?? []);
  const authorities = [
    'the authorities of the system',
    ...(caCertificates.length === 0 ? [] : [`${countOf(caCertificates)} of SSL_CERT_FILE, SSL_CERT_DIR and tls.caCertificatePaths`]),
    ...(host && own > 0 ? [`${own} of ${entry(host)}`] : []),
  ];
  return [
    `HTTPS; the certificate is checked against ${authorities.join(' and ')}`,
    ...(tls?.serverName === undefined ? [] : [`the certificate must be for ${tls.serverName}`]),
    ...(host && tls?.clientCertificate !== undefined ? [`the client certificate of ${entry(host)} is shown`] : []),
  ];
}

function proxyFacts(host: RegistryHostSettings | undefined, url: URL, environment: ProxySettings): string[] {
  if (host?.proxy === false) return [`without a proxy: ${entry(host)} says so`];
  if (host?.proxy !== undefined) return [`through the proxy ${originOf(host.proxy.url)} of ${entry(host)}`];
  const chosen = proxyChooser(environment)(url);
  return chosen === undefined ? [] : [`through the proxy ${originOf(chosen)} of the environment`];
}

function entry({ hostnamePattern }: RegistryHostSettings): string {
  return `the entry "${hostnamePattern}" of registries`;
}

function countOf(pems: readonly string[]): number {
  return pems.reduce((sum, pem) => sum + pem.split('-----BEGIN CERTIFICATE-----').length - 1, 0);
}

/** Without user, password and path. */
function originOf(address: string): string {
  const url = URL.parse(address);
  return url ? `${url.protocol}//${url.host}` : 'that cannot be read';
}
