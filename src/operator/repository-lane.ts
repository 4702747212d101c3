import type { Workloads } from '../ports.ts';

/** Enough to see that a repository is no tenant's own. */
const mostLookedAt = 20;

/**
 * Whose turn a check of this canonical repository takes: that of the namespace that alone uses it; of those that several use, that of the
 * registry. A tenant with slow registries waits for them alone, and draws no repository of others into its lane.
 */
export function laneOfRepository(repository: string, workloads: Pick<Workloads, 'using'>): string {
  let only: string | undefined;
  let looked = 0;
  for (const { namespace } of workloads.using(repository)) {
    if (only !== undefined && namespace !== only) return `registry ${repository.slice(0, repository.indexOf('/'))}`;
    only = namespace;
    if (++looked >= mostLookedAt) break;
  }
  return `namespace ${only ?? ''}`;
}
