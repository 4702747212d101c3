import type { Metrics } from '../ports.ts';

/** The metrics of this adapter. Hosts come from workloads: the first 50 get a label of their own, all later ones are `other`. */
export interface Meter {
  request(registry: string, operation: string, result: string, seconds: number): void;
  authFailure(registry: string, reason: 'login' | 'scope' | 'denied' | 'challenge'): void;
  cacheHit(cache: 'token' | 'resolve' | 'contents' | 'tags'): void;
}

const maximumHosts = 50;

export function createMeter(metrics: Metrics): Meter {
  const hosts = new Set<string>();

  function labelOf(registry: string): string {
    if (hosts.size < maximumHosts) hosts.add(registry);
    return hosts.has(registry) ? registry : 'other';
  }

  return {
    request(host, operation, result, seconds) {
      const registry = labelOf(host);
      metrics.increment('registry_requests_total', { registry, operation, result });
      metrics.observe('registry_request_duration_seconds', seconds, { registry, operation });
    },
    authFailure: (host, reason) => metrics.increment('registry_auth_failures_total', { registry: labelOf(host), reason }),
    cacheHit: (cache) => metrics.increment('registry_cache_hits_total', { cache }),
  };
}
