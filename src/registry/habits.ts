import { LRUCache } from 'lru-cache';
import type { Clock, Log } from '../ports.ts';
import type { Endpoint } from './endpoint.ts';

/** By which method registries tell digests of tags: HEAD costs nothing, GET is a pull. */
export interface Habits {
  /** What is known of a registry; undefined when nothing is, or not any more. */
  methodOf(endpoint: Endpoint): 'HEAD' | 'GET' | undefined;
  learn(endpoint: Endpoint, method: 'HEAD' | 'GET'): void;
}

const lifeMs = 24 * 3_600_000;

export function createHabits({ clock, log }: { clock: Clock; log: Log }): Habits {
  const known = new LRUCache<string, { readonly method: 'HEAD' | 'GET'; readonly learntAtMs: number }>({ max: 1_000 });

  function methodOf({ quirks, origin }: Endpoint): 'HEAD' | 'GET' | undefined {
    if (quirks.headIsReliable) return 'HEAD';
    const habit = known.get(origin);
    return habit && clock.now() - habit.learntAtMs < lifeMs ? habit.method : undefined;
  }

  return {
    methodOf,
    learn(endpoint, method) {
      if (methodOf(endpoint) === method) return;
      const { origin, registry } = endpoint;
      known.set(origin, { method, learntAtMs: clock.now() });
      if (method === 'GET') log.warn({ registry }, 'registry tells no digest by HEAD: manifests are fetched whole, which counts as pulls');
    },
  };
}
