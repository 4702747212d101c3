import type { Metrics } from '../ports.ts';

/** The metrics of this adapter. Hosts come from workloads: the first 50 get a label of their own, all later ones are `other`. */
export interface Meter {
  request(registry: string, operation: string, result: string, seconds: number): void;
  authFailure(registry: string, reason: 'login' | 'scope' | 'denied' | 'challenge'): void;
  cacheHit(cache: 'token' | 'resolve' | 'contents' | 'tags' | 'referrers' | 'created'): void;
  /** What a registry says that is left of its limit. */
  quota(registry: string, remaining: number): void;
  coolDown(registry: string, untilMs: number): void;
}

const maximumHosts = 50;
/** The rest is kept for registries that everybody knows, or the configuration. */
const maximumUnknownHosts = 35;

export function createMeter(metrics: Metrics, isKnown: (registry: string) => boolean = () => true): Meter {
  const hosts = new Set<string>();

  function ownLabel(registry: string): string | undefined {
    if (!hosts.has(registry) && hosts.size < (isKnown(registry) ? maximumHosts : maximumUnknownHosts)) hosts.add(registry);
    return hosts.has(registry) ? registry : undefined;
  }

  /** Of many registries together they would say nothing. */
  function setGauge(name: 'registry_ratelimit_remaining' | 'registry_cool_down_until_seconds', host: string, value: number): void {
    const registry = ownLabel(host);
    if (registry !== undefined) metrics.set(name, value, { registry });
  }

  return {
    request(host, operation, result, seconds) {
      const registry = ownLabel(host) ?? 'other';
      metrics.increment('registry_requests_total', { registry, operation, result });
      metrics.observe('registry_request_duration_seconds', seconds, { registry, operation });
    },
    authFailure: (host, reason) => metrics.increment('registry_auth_failures_total', { registry: ownLabel(host) ?? 'other', reason }),
    cacheHit: (cache) => metrics.increment('registry_cache_hits_total', { cache }),
    quota: (host, remaining) => setGauge('registry_ratelimit_remaining', host, remaining),
    coolDown: (host, untilMs) => setGauge('registry_cool_down_until_seconds', host, Math.ceil(untilMs / 1000)),
  };
}
