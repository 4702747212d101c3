import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { AskedScheme } from './challenge.ts';

/** What registries asked for before, so that the next call brings it unasked. The challenge of a real answer always wins. */
export interface AskedSchemes {
  of(origin: string, repository: string): AskedScheme | undefined;
  learn(origin: string, repository: string, asked: AskedScheme): void;
  forget(origin: string, repository: string): void;
}

export function createAskedSchemes(): AskedSchemes {
  const known = new LRUCache<string, AskedScheme>(atMost(10_000));

  return {
    of: (origin, repository) => known.get(`${origin} ${repository}`) ?? known.get(origin),
    learn(origin, repository, asked) {
      if (asked.kind === 'none') return;
      known.set(`${origin} ${repository}`, asked);
      // An ordinary scope: a repository not seen yet will be asked for the same.
      if (asked.kind === 'basic') known.set(origin, asked);
      else if (asked.scope === undefined || asked.scope === pullScope(repository)) {
        known.set(origin, { ...asked, scope: undefined, error: undefined });
      }
    },
    forget(origin, repository) {
      known.delete(`${origin} ${repository}`);
      known.delete(origin);
    },
  };
}

/** The right to pull a repository, as token servers write it. */
export function pullScope(repository: string, actions = 'pull'): string {
  return `repository:${repository}:${actions}`;
}
