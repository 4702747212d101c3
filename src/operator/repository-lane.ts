import { parseImageReference } from '../core/image-reference.ts';
import { parseWorkloadKey } from '../core/workload.ts';
import type { Workloads } from '../ports.ts';
import type { Lane } from './lanes.ts';

/** Enough to see that a repository is no tenant's own. */
const mostLookedAt = 20;

/**
 * Whose turn a check of this canonical repository takes: that of the namespace that alone uses it; of those that several use, that of the
 * registry. A tenant draws no repository of others into its lane, and of its registries a slow one holds up itself alone.
 */
export function laneOfRepository(repository: string, workloads: Pick<Workloads, 'using'>): Lane {
  const registry = repository.slice(0, repository.indexOf('/'));
  let only: string | undefined;
  let looked = 0;
  for (const { namespace } of workloads.using(repository)) {
    if (only !== undefined && namespace !== only) return { owner: `registry ${registry}`, part: registry };
    only = namespace;
    if (++looked >= mostLookedAt) break;
  }
  return { owner: `namespace ${only ?? ''}`, part: registry };
}

/** Whose turn a workload takes: that of its namespace, and there that of the registry of its first container. */
export function laneOfWorkload(key: string, workloads: Pick<Workloads, 'get'>): Lane {
  const ref = parseWorkloadKey(key);
  const reference = parseImageReference(workloads.get(ref)?.slots[0]?.image ?? '');
  return { owner: ref.namespace, part: 'invalid' in reference ? '' : reference.registry };
}
