import { type Workload, workloadKey } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { compareOutcome } from './compare-pods.ts';
import type { OperatorDeps } from './deps.ts';

/**
 * Deletes one pod that does not run the wanted digest, if all the others are ready: its successor pulls what is there now. Gives what
 * stands in the way for good.
 */
export async function deleteStalePod(
  workload: Workload,
  container: string,
  image: string,
  wanted: string,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const found = await compareOutcome(workload, container, image, wanted, deps, signal);
  if ('unobservable' in found) return found.unobservable;
  const [pod] = found.stale;
  if (!pod || !found.areReady) return undefined;
  try {
    await deps.pods.delete(workload, pod, signal);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403)) throw error;
    return `pods may not be deleted: ${error.message}`;
  }
  deps.notes.podDeleted(workloadKey(workload), deps.clock.now());
  deps.log.info({ namespace: workload.namespace, pod: pod.name, wanted }, 'stale pod deleted, as headwind.sh/delete-pods asks');
  return undefined;
}
