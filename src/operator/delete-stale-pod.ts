import type { JudgeInput } from '../core/judge-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { compareOutcome } from './compare-pods.ts';
import type { OperatorDeps } from './deps.ts';

/**
 * Deletes one pod that does not run the digest of the request, if all the others are ready: its successor pulls what is there now. Gives what
 * stands in the way for good: as many deletions as there were stale pods, or nothing would end them where nodes keep an old image.
 */
export async function deleteStalePod(
  { metadata, spec }: UpdateRequest,
  workload: Workload,
  container: string,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<Pick<JudgeInput, 'pods' | 'deletedInVain'> | undefined> {
  const { newImage, newDigest: wanted = '' } = spec;
  const found = await compareOutcome(workload, container, newImage, wanted, deps, signal);
  if ('unobservable' in found) return { pods: found };
  const [pod] = found.stale;
  if (!pod || !found.areReady) return undefined;
  if (!deps.notes.mayDelete(workloadKey(workload), metadata.name, found.stale.length)) return { pods: found, deletedInVain: true };
  try {
    await deps.pods.delete(workload, pod, signal);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 403)) throw error;
    return { pods: { unobservable: `pods may not be deleted: ${error.message}` } };
  }
  deps.notes.podDeleted(workloadKey(workload), deps.clock.now());
  deps.log.info({ namespace: workload.namespace, pod: pod.name, wanted }, 'stale pod deleted, as headwind.sh/delete-pods asks');
  return undefined;
}
