import { effectiveTag, parseImageReference } from './image-reference.ts';
import type { Condition, UpdateRequest, UpdateRequestSpec, UpdateRequestStatus } from './update-request-schema.ts';

/** Requests for a new digest of the tag that runs: a restart (same text) or a pin. They are complete only when the pods run it. */

/** The text of the image stays; pods are replaced. */
export function isRestart({ newImage, currentImage }: UpdateRequestSpec): boolean {
  return newImage === currentImage;
}

export function isDigestChange(spec: UpdateRequestSpec): boolean {
  if (isRestart(spec)) return true;
  const [current, next] = [parseImageReference(spec.currentImage), parseImageReference(spec.newImage)];
  if ('invalid' in current || 'invalid' in next) return false;
  const tag = effectiveTag(next);
  return tag !== undefined && tag === effectiveTag(current);
}

/** Applied, and its outcome is not known yet. */
export function isWatched({ spec, status }: UpdateRequest): boolean {
  return wasApplied(status) && isDigestChange(spec) && outcomeOf(status) === undefined;
}

/** How a change that was applied has ended; undefined while its rollout is watched. */
export function outcomeOf(status: UpdateRequestStatus): 'Completed' | 'Failed' | undefined {
  const healthy = conditionIn(status, 'RolloutHealthy');
  if (healthy === undefined || healthy.reason === 'Progressing') return undefined;
  return healthy.status === 'False' ? 'Failed' : 'Completed';
}

export function wasApplied(status: UpdateRequestStatus): boolean {
  const applied = conditionIn(status, 'Applied');
  return applied?.status === 'True' && applied.reason === 'UpdateApplied';
}

function conditionIn({ conditions }: UpdateRequestStatus, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}
