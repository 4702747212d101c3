import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { canonicalRegistry } from '../core/image-reference.ts';
import {
  noRegistrySettings,
  type RegistryHostSettings,
  type RegistrySettings,
  type RegistryTlsSettings,
} from '../core/registry-settings.ts';
import type { Authorities, ProxyTarget, TlsOptions } from '../outbound.ts';
import type { Log, RepositoryRef } from '../ports.ts';
import { createHostRules, type HostRules } from './host-rules.ts';
import { hostSettingsOf } from './host-settings.ts';

/** How a registry is reached, as the configuration says now. */
export interface Transport {
  /** Plain HTTP is to be spoken. */
  readonly isPlain: boolean;
  /** Present where TLS is configured: it is spoken, also on this machine. */
  readonly tls: TlsOptions | undefined;
  /** Trusted for every registry, and wherever it leads. */
  readonly authorities: Authorities | undefined;
  /** Undefined: what the environment says. */
  readonly proxy: ProxyTarget | false | undefined;
  readonly allowPrivate: boolean;
  readonly mirrors: RegistryHostSettings['mirrors'];
  readonly limits: RegistryHostSettings['limits'];
  /** An entry of the configuration names this registry and no other. */
  readonly isNamed: boolean;
}

/** The settings may become others between two calls; nothing of the old ones is kept. */
export interface Transports {
  of(repository: RepositoryRef): Transport;
  /** Of a host that a registry leads to, with its port if that is not the usual one. */
  ofHost(host: string): Transport;
  rules(): HostRules;
}

export interface TransportOptions {
  readonly settings?: (() => RegistrySettings) | undefined;
  /** Hosts (any port) or `host:port` that plain HTTP is spoken with, beside those of the settings. */
  readonly insecureHosts?: readonly string[] | undefined;
  /** TLS options by canonical host; what the settings say of it counts before. */
  readonly tls?: ((registry: string) => TlsOptions | undefined) | undefined;
  readonly log: Pick<Log, 'warn'>;
}

const noLimits = {};

export function createTransports({ settings = () => noRegistrySettings, insecureHosts = [], tls, log }: TransportOptions): Transports {
  const insecure = new Set(insecureHosts.map((host) => host.toLowerCase()));
  const warned = new LRUCache<string, true>(atMost(1_000));

  function of(repository: RepositoryRef): Transport {
    const now = settings();
    const host = hostSettingsOf(repository, now);
    const registry = canonicalRegistry(repository.registry);
    if (host?.tls?.skipVerify === true) warnOnce(registry, host);
    return {
      isPlain: host?.insecure === true || insecure.has(registry) || insecure.has(registry.replace(/:\d+$/, '')),
      tls: host?.tls === undefined ? tls?.(registry) : tlsOptionsOf(host.tls),
      authorities: authoritiesOf(now),
      proxy: proxyOf(host),
      allowPrivate: host?.allowPrivate ?? false,
      mirrors: host?.mirrors ?? [],
      limits: host?.limits ?? noLimits,
      isNamed: host?.hostnamePattern === registry,
    };
  }

  function warnOnce(registry: string, { hostnamePattern }: RegistryHostSettings): void {
    if (warned.has(registry)) return;
    warned.set(registry, true);
    log.warn(
      { registry, hostnamePattern },
      'the certificate of this registry is NOT CHECKED (insecureSkipVerify): whoever is on the way can read its credentials and change its answers; give caCertificatePaths instead',
    );
  }

  return { of, ofHost: (host) => of({ registry: host, repository: '' }), rules: () => rulesOf(settings()) };
}

/** By the identity of what they are made from: changed files give new settings. */
const rulesMade = new WeakMap<RegistrySettings, HostRules>();
const tlsMade = new WeakMap<RegistryTlsSettings, TlsOptions>();
const authoritiesMade = new WeakMap<readonly string[], Authorities>();

function rulesOf(settings: RegistrySettings): HostRules {
  const rules = rulesMade.get(settings) ?? createHostRules(settings);
  rulesMade.set(settings, rules);
  return rules;
}

/** The same object as long as the settings are the same. */
export function authoritiesOf({ caCertificates }: RegistrySettings): Authorities | undefined {
  if (caCertificates.length === 0) return undefined;
  const authorities = authoritiesMade.get(caCertificates) ?? { ca: caCertificates.join('\n') };
  authoritiesMade.set(caCertificates, authorities);
  return authorities;
}

function tlsOptionsOf(settings: RegistryTlsSettings): TlsOptions {
  const options = tlsMade.get(settings) ?? {
    ca: settings.caCertificates.length === 0 ? undefined : settings.caCertificates.join('\n'),
    cert: settings.clientCertificate,
    key: settings.clientKey?.reveal(),
    servername: settings.serverName,
    insecure: settings.skipVerify,
  };
  tlsMade.set(settings, options);
  return options;
}

function proxyOf(host: RegistryHostSettings | undefined): Transport['proxy'] {
  if (host?.proxy === undefined || host.proxy === false) return host?.proxy;
  // Files end with a line break more often than not.
  return { url: host.proxy.url, login: host.proxy.login?.reveal().trim() };
}
