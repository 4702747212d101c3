import { annotationPrefix } from './annotation-table.ts';
import { choose } from './choose.ts';
import { isRestart, isWatched } from './digest-change.ts';
import { formatDuration, formatTime, parseTime } from './duration.ts';
import { followsDigest } from './follow-digest.ts';
import { type HistoryEntry, readHistory, readLastUpdate, wasInPlace } from './history.ts';
import { effectiveTag, type ImageReference, parseImageReference, withoutTagAndDigest } from './image-reference.ts';
import { judgeWatch, type PodsAnswer, type WatchStep } from './judge-watch.ts';
import type { Reason } from './reasons.ts';
import { digestOf, withoutDigest } from './request-digest.ts';
import type { ContainerSettings, Settings } from './settings.ts';
import {
  conditionOf,
  type FailureReason,
  isAcrossNamespaces,
  isApprovedByPerson,
  isByHand,
  isForPerson,
  isOpen,
  phaseOf,
  triggerOf,
} from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import { type Slot, type Workload, workloadKindNames } from './workload.ts';

/** What the registry said about the new image of a request, when it was asked just now. */
export type RegistryAnswer =
  | { readonly kind: 'confirmed'; readonly digest: string }
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly message: string };

export interface JudgeInput {
  readonly request: UpdateRequest;
  /** All requests of the same workload. */
  readonly siblings: readonly UpdateRequest[];
  readonly workload: Workload | undefined;
  readonly settings: Settings | undefined;
  /** undefined = not asked yet. */
  readonly registry: RegistryAnswer | undefined;
  /** Of a change whose rollout is watched; undefined = not asked yet. */
  readonly pods?: PodsAnswer | undefined;
  readonly deletedAt?: number | undefined;
  readonly now: number;
  /** Since when, to the operator's knowledge, a rollout of the workload has been running. */
  readonly unsettledSince: number | undefined;
}

/** The one next step of a request. `wakeAtMs` is an absolute time in milliseconds. */
export type Step =
  | { readonly kind: 'nothing'; readonly wakeAtMs?: number }
  /** The phase was set by hand to one that is no legal step. */
  | { readonly kind: 'put-back'; readonly message: string }
  /** Somebody decided with kubectl: complete names and times. */
  | { readonly kind: 'accept-approval' }
  | { readonly kind: 'accept-rejection' }
  /** A new object without status, and approval is needed. */
  | { readonly kind: 'open' }
  | { readonly kind: 'expire'; readonly message: string }
  /** `DigestChanged`: the tag moved while the request was open; the plan offers what is there now. */
  | { readonly kind: 'supersede'; readonly message: string; readonly reason?: 'DigestChanged' }
  | { readonly kind: 'fail'; readonly reason: FailureReason; readonly message: string }
  | WatchStep
  /** It is in place already, by us: only the answer was lost. */
  | { readonly kind: 'complete'; readonly container: string }
  | { readonly kind: 'wait'; readonly reason: Reason; readonly message: string; readonly wakeAtMs?: number }
  /** The registry cannot be asked: only a person can approve until it answers. */
  | { readonly kind: 'unverified'; readonly message: string; readonly wakeAtMs: number }
  | { readonly kind: 'verified'; readonly digest: string }
  | { readonly kind: 'verify' }
  /** `digest` as the registry confirmed it just now; undefined when a person waived that. */
  | { readonly kind: 'apply'; readonly container: string; readonly digest: string | undefined };

const siblingWaitMs = 2000;
const verifyAgainMs = 15_000;

/** Decides the next step of one request. Pure: same input, same step. */
export function judgeRequest(input: JudgeInput): Step {
  const { request } = input;
  const phase = phaseOf(request);
  if (request.status.phase !== undefined && request.status.phase !== phase) {
    return { kind: 'put-back', message: `the phase cannot go from ${phase} to ${request.status.phase}` };
  }
  if (phase === 'Rejected' && request.status.rejectedAt === undefined) return { kind: 'accept-rejection' };
  if (phase === 'Rejected') return judgeRejected(input);
  if (!isOpen(request)) return { kind: 'nothing' };
  if (isWatched(request)) return judgeWatch({ ...input, pods: input.pods });
  const target = findTarget(input);
  if ('step' in target) return target.step;
  if (phase === 'Pending') return judgePending(input, target);
  if (request.status.phase === 'Approved' && request.status.approvedAt === undefined) return { kind: 'accept-approval' };
  return judgeApproved(input, target);
}

/** A rejection that crossed our patch came too late: what is in place was applied. */
function judgeRejected({ request, workload }: JudgeInput): Step {
  const ours = workload && historyEntryOf(request, workload);
  const inPlace = workload?.slots.some(({ container, image }) => container === ours?.container && image === request.spec.newImage);
  return ours && inPlace ? { kind: 'complete', container: ours.container } : { kind: 'nothing' };
}

function historyEntryOf(request: UpdateRequest, { annotations }: Workload): HistoryEntry | undefined {
  return readHistory(annotations).entries.find((entry) => entry.updateRequestName === request.metadata.name);
}

interface Target {
  readonly workload: Workload;
  readonly slot: Slot;
  readonly settings: Settings;
}

/** The live container that the request means, or why there is none. A request made by hand fails with what to correct. */
function findTarget(input: JudgeInput): Target | { step: Step } {
  const { request, workload, settings } = input;
  const { targetRef, containerName, currentImage, newImage, newDigest } = request.spec;
  const name = `${targetRef.kind} ${targetRef.namespace}/${targetRef.name}`;
  const fail = (message: string, reason: FailureReason = 'UpdateFailed') => ({ step: { kind: 'fail', reason, message } as const });
  const gone = (message: string) => (targetRef.uid === undefined ? fail(message) : { step: { kind: 'supersede', message } as const });
  const changed = (message: string) => (isUnseen(request) ? fail(message) : { step: { kind: 'supersede', message } as const });

  if (isAcrossNamespaces(request)) {
    return fail(
      `spec.targetRef.namespace is ${targetRef.namespace}, but a request may only change its own namespace ${request.metadata.namespace}`,
      'CrossNamespace',
    );
  }
  if (!workloadKindNames.some((kind) => kind === targetRef.kind)) {
    return fail(`spec.targetRef.kind is ${targetRef.kind}, which cannot be updated; use one of ${workloadKindNames.join(', ')}`);
  }
  if (!workload || !settings) return gone(`there is no managed ${name}; it needs the annotation headwind.sh/policy`);
  if (targetRef.uid !== undefined && targetRef.uid !== workload.uid)
    return gone(`${name} is another object than the one the request was made for`);
  const ours = historyEntryOf(request, workload);
  const wanted = containerName ?? ours?.container;
  const slots = workload.slots.filter((slot) => (wanted === undefined ? slot.image === currentImage : slot.container === wanted));
  const [slot] = slots;
  if (!slot) return gone(`${name} has no container ${containerName ?? `with the image ${currentImage}`}`);
  if (slots.length > 1) return fail(`${slots.length} containers of ${name} have the image ${currentImage}; set spec.containerName`);
  if (slot.image === newImage && ours?.container === slot.container) return { step: { kind: 'complete', container: slot.container } };
  if (slot.image === newImage && !isRestart(request.spec))
    return changed(`container ${slot.container} has ${slot.image} already, set by somebody else`);
  if (slot.image !== currentImage) return changed(`container ${slot.container} has ${slot.image}, not ${currentImage}`);
  const target = { workload, slot, settings };
  if (!isRollback(request, target) && withoutTagAndDigest(newImage) !== withoutTagAndDigest(currentImage)) {
    return fail(
      `spec.newImage must be ${withoutTagAndDigest(currentImage)} with another tag or digest, not ${newImage}`,
      'InvalidReference',
    );
  }
  const pinned = digestOf(newImage);
  if (pinned !== undefined && newDigest !== undefined && pinned !== newDigest) {
    return fail(
      `spec.newDigest is ${newDigest}, but spec.newImage is ${newImage}; an approval would cover another image`,
      'InvalidReference',
    );
  }
  return target;
}

/** Made by hand, and looked at for the first time: what is wrong with it is a mistake, and no change since. */
function isUnseen(request: UpdateRequest): boolean {
  return isByHand(request) && request.status.createdAt === undefined;
}

function judgePending(input: JudgeInput, target: Target): Step {
  const { request, registry, now } = input;
  const expiresAt = parseTime(request.spec.expiresAt ?? '');
  if (expiresAt !== undefined && expiresAt <= now) {
    return { kind: 'expire', message: `nobody decided before ${formatTime(expiresAt)}` };
  }
  const allowed = checkPolicy(request, target);
  if (allowed) return allowed;
  const wake = expiresAt === undefined ? {} : { wakeAtMs: expiresAt };
  if (conditionOf(request, 'Verified')?.status === 'True' || request.status.phase === undefined || isRollback(request, target)) {
    return request.status.phase === undefined ? { kind: 'open' } : { kind: 'nothing', ...wake };
  }
  if (!registry) return { kind: 'verify' };
  return reverify(request, registry, now);
}

/** A request that the registry has not confirmed yet. */
function reverify(request: UpdateRequest, registry: RegistryAnswer, now: number): Step {
  if (registry.kind === 'confirmed') return movedDigest(request, registry.digest) ?? { kind: 'verified', digest: registry.digest };
  if (registry.kind === 'missing' && isByHand(request)) return { kind: 'fail', reason: 'UpdateFailed', message: registry.message };
  if (registry.kind === 'missing') return { kind: 'supersede', message: registry.message };
  return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
}

function movedDigest(request: UpdateRequest, digest: string): Step | undefined {
  const { newDigest, newImage } = request.spec;
  const covered = newDigest ?? digestOf(newImage);
  if (covered === undefined || covered === digest) return undefined;
  const message = `${withoutDigest(newImage)} is now ${digest}, the request covers ${covered}`;
  if (newDigest === undefined && isUnseen(request)) return { kind: 'fail', reason: 'UpdateFailed', message };
  return { kind: 'supersede', reason: 'DigestChanged', message };
}

type Check = (input: JudgeInput, target: Target, settings: ContainerSettings) => Step | undefined;

// The order in which a person would want to hear the reasons; the registry is asked last, so that waiting costs no requests.
const checks: readonly Check[] = [
  policyForbids,
  dryRun,
  eventSourceNone,
  paused,
  restartHasNoEffect,
  rolloutInProgress,
  tooSoon,
  siblingPending,
  registryAnswer,
];
const rollbackChecks: readonly Check[] = [dryRun, paused, siblingPending];

function judgeApproved(input: JudgeInput, target: Target): Step {
  const settings = target.settings.container(target.slot.container);
  if ('held' in settings) return { kind: 'wait', reason: 'InvalidAnnotation', message: settings.held };
  for (const check of isRollback(input.request, target) ? rollbackChecks : checks) {
    const step = check(input, target, settings);
    if (step) return step;
  }
  const digest = input.registry?.kind === 'confirmed' ? input.registry.digest : undefined;
  return { kind: 'apply', container: target.slot.container, digest };
}

/** Back to what was in place before, by a person's decision. Calling a request so is not enough: it would step over every check. */
function isRollback(request: UpdateRequest, { workload, slot }: Pick<Target, 'workload' | 'slot'>): boolean {
  if (!triggerOf(request).includes('rollback') || !isForPerson(request)) return false;
  return wasInPlace(workload.annotations, slot.container, request.spec.newImage);
}

function policyForbids({ request }: JudgeInput, target: Target): Step | undefined {
  return checkPolicy(request, target);
}

/** Annotations may have changed since the request was made. A container held by a bad one is no answer of the policy. */
function checkPolicy(request: UpdateRequest, target: Target): Step | undefined {
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
  const verdict = choose({ ...container, current: effectiveTag(current) ?? '', tags: [tag], event: tag });
  if (verdict.outcome === 'update' && verdict.tag === tag) return undefined;
  return `policy ${policy.text} does not allow ${tag}: ${verdict.message}`;
}

function dryRun(_input: JudgeInput, { settings }: Target): Step | undefined {
  if (!settings.dryRun) return undefined;
  return { kind: 'wait', reason: 'DryRun', message: `${settings.dryRunBy} is set: nothing is applied until it is removed` };
}

function eventSourceNone({ request }: JudgeInput, _target: Target, settings: ContainerSettings): Step | undefined {
  if (settings.eventSource !== 'none' || isByHand(request) || isApprovedByPerson(request)) return undefined;
  return { kind: 'wait', reason: 'EventSourceNone', message: 'headwind.sh/event-source is none: only a person can have this applied' };
}

function paused(_input: JudgeInput, { workload }: Target): Step | undefined {
  return workload.paused ? { kind: 'wait', reason: 'Paused', message: 'the rollout of the workload is paused (spec.paused)' } : undefined;
}

/** Pods that are replaced by nobody, or only above a partition, would not run the new digest. */
function restartHasNoEffect({ request }: JudgeInput, { workload, settings }: Target): Step | undefined {
  if (!isRestart(request.spec)) return undefined;
  const { rollout, partitioned } = workload;
  if (rollout.unwatched === 'OnDelete' && settings.deletePods) return undefined;
  if (rollout.unwatched === 'OnDelete') return { kind: 'wait', reason: 'OnDelete', message: rollout.message };
  if (!partitioned) return undefined;
  return { kind: 'wait', reason: 'Partitioned', message: 'the partition keeps pods at their revision, whatever digest they run' };
}

/** A rollout that has not settled for longer than the rollback timeout no longer holds a change back: the change may be the fix. */
function rolloutInProgress({ unsettledSince, now }: JudgeInput, { workload, settings }: Target): Step | undefined {
  if (workload.rollout.settled || workload.rollout.failed) return undefined;
  const until = (unsettledSince ?? now) + settings.rollbackTimeoutMs;
  if (until <= now) return undefined;
  return { kind: 'wait', reason: 'RolloutInProgress', message: `a rollout is in progress: ${workload.rollout.message}`, wakeAtMs: until };
}

function tooSoon({ request, now }: JudgeInput, { workload }: Target, settings: ContainerSettings): Step | undefined {
  const last = readLastUpdate(workload.annotations, now);
  if (last === undefined || isByHand(request) || request.status.force === true) return undefined;
  // A time in the future reads as now, at every look: the wait then counts from the request, or it would never end.
  const since = last === now ? Math.min(now, parseTime(request.metadata.creationTimestamp) ?? now) : last;
  const until = since + settings.minUpdateIntervalMs;
  if (until <= now) return undefined;
  const interval = formatDuration(settings.minUpdateIntervalMs);
  return {
    kind: 'wait',
    reason: 'TooSoon',
    message: `the last change is less than ${interval} ago; not before ${formatTime(until)}`,
    wakeAtMs: until,
  };
}

/** Containers that are approved one after the other within two seconds roll together. */
function siblingPending({ request, siblings, now }: JudgeInput): Step | undefined {
  const approvedAt = parseTime(request.status.approvedAt ?? '');
  if (approvedAt === undefined || !isApprovedByPerson(request) || approvedAt + siblingWaitMs <= now) return undefined;
  const waiting = siblings.some((sibling) => sibling !== request && phaseOf(sibling) === 'Pending');
  return waiting ? { kind: 'nothing', wakeAtMs: approvedAt + siblingWaitMs } : undefined;
}

function registryAnswer({ request, registry, now }: JudgeInput): Step | undefined {
  if (!registry) return { kind: 'verify' };
  if (registry.kind === 'confirmed') return movedDigest(request, registry.digest);
  const verified = conditionOf(request, 'Verified')?.status;
  const byPerson = isApprovedByPerson(request);
  if (registry.kind === 'missing' && isByHand(request) && verified !== 'True') return reverify(request, registry, now);
  // An approval given while the registry could not be asked waives the check; not against its clear word.
  if (registry.kind === 'unavailable' && verified === 'Unknown' && byPerson) return undefined;
  if (registry.kind === 'missing') return { kind: 'wait', reason: 'TagNotFound', message: registry.message, wakeAtMs: now + verifyAgainMs };
  if (verified !== 'True' && !byPerson) return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
  return { kind: 'wait', reason: 'RegistryUnavailable', message: registry.message, wakeAtMs: now + verifyAgainMs };
}
