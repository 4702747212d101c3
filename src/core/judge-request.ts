import { isRestart, isWatched } from './digest-change.ts';
import { formatDuration, formatTime, parseTime } from './duration.ts';
import { type HistoryEntry, readHistory, readLastUpdate } from './history.ts';
import { withoutTagAndDigest } from './image-reference.ts';
import { checkPolicy, isRollback, isUnseen } from './judge-policy.ts';
import { registryAnswer, reverify } from './judge-registry.ts';
import { judgeWatch, type PodsAnswer, type WatchStep } from './judge-watch.ts';
import type { Reason } from './reasons.ts';
import { digestOf } from './request-digest.ts';
import type { ContainerSettings, Settings } from './settings.ts';
import { conditionOf, type FailureReason, isAcrossNamespaces, isApprovedByPerson, isByHand, isOpen, phaseOf } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import { type Slot, type Workload, workloadKindNames } from './workload.ts';

/** What the registry said about the new image of a request, when it was asked just now. */
export type RegistryAnswer =
  /** `missing`: platforms in use that the image is not there for yet. */
  | { readonly kind: 'confirmed'; readonly digest: string; readonly missing?: readonly string[] }
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
  /** All stale pods were deleted, and their successors are stale again. */
  readonly deletedInVain?: boolean;
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

/** The live container that a request means. */
export interface Target {
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
  if (!workload || !settings)
    return gone(`there is no managed ${name}; it needs the annotation headwind.sh/policy or the label kube-autorollout/enabled=true`);
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

function policyForbids({ request }: JudgeInput, target: Target): Step | undefined {
  return checkPolicy(request, target);
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
