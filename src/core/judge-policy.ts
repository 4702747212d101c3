import { annotationPrefix } from './annotation-table.ts';
import { choose } from './choose.ts';
import { followsDigest } from './follow-digest.ts';
import { wasInPlace } from './history.ts';
import { effectiveTag, type ImageReference, parseImageReference } from './image-reference.ts';
import type { Step, Target } from './judge-request.ts';
import type { ContainerSettings } from './settings.ts';
import { isByHand, isForPerson, triggerOf } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';

/** Does the policy, as it is now, allow what a request wants? */

/** Annotations may have changed since the request was made. A container held by a bad one is no answer of the policy. */
export function checkPolicy(request: UpdateRequest, target: Target): Step | undefined {
  const { settings, slot } = target;
  const container = settings.container(slot.container);
  const [current, next] = [parseImageReference(request.spec.currentImage), parseImageReference(request.spec.newImage)];
  if ('held' in container || isRollback(request, target)) return undefined;
  if ('invalid' in next) return { kind: 'fail', reason: 'InvalidReference', message: next.invalid };
  if ('invalid' in current) return { kind: 'fail', reason: 'InvalidReference', message: current.invalid };
  const forbidden = settings.selects(slot.container, current)
    ? checkStep(container, current, next, isForPerson(request))
    : `${annotationPrefix}images does not mean container ${slot.container}`;
  if (forbidden === undefined) return undefined;
  return isUnseen(request) ? { kind: 'fail', reason: 'UpdateFailed', message: forbidden } : { kind: 'supersede', message: forbidden };
}

/** Why the policy does not allow this step; undefined when it does. Another digest of the same tag is no step. */
function checkStep(container: ContainerSettings, current: ImageReference, next: ImageReference, isForPerson: boolean): string | undefined {
  const { policy } = container;
  const tag = effectiveTag(next);
  if (policy.name === 'none') return 'policy none allows no update';
  if (tag === undefined && !isForPerson) return `policy ${policy.text} has no tag to judge; an image without one needs a person's approval`;
  if (tag === undefined) return undefined;
  if (tag === effectiveTag(current)) {
    return isForPerson || followsDigest(container, tag) ? undefined : `policy ${policy.text} does not follow new digests of ${tag}`;
  }
  const before = effectiveTag(current) ?? '';
  // Which of the two is younger was looked at when it was proposed; whoever writes a request by hand decides that.
  const created = new Map([
    [before, 0],
    [tag, 1],
  ]);
  const verdict = choose({ ...container, current: before, created, tags: [tag], event: tag });
  if (verdict.outcome === 'update' && verdict.tag === tag) return undefined;
  return `policy ${policy.text} does not allow ${tag}: ${verdict.message}`;
}

/** Back to what was in place before, by a person's decision. Calling a request so is not enough: it would step over every check. */
export function isRollback(request: UpdateRequest, { workload, slot }: Pick<Target, 'workload' | 'slot'>): boolean {
  if (!triggerOf(request).includes('rollback') || !isForPerson(request)) return false;
  return wasInPlace(workload.annotations, slot.container, request.spec.newImage);
}

/** Made by hand, and looked at for the first time: what is wrong with it is a mistake, and no change since. */
export function isUnseen(request: UpdateRequest): boolean {
  return isByHand(request) && request.status.createdAt === undefined;
}
