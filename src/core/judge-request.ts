import { choose } from './choose.ts';
import { formatDuration, formatTime, parseTime } from './duration.ts';
import { readHistory, readLastUpdate } from './history.ts';
import { effectiveTag, parseImageReference } from './image-reference.ts';
import type { Reason } from './reasons.ts';
import type { ContainerSettings, Settings } from './settings.ts';
import { conditionOf, isApprovedByPerson, isOpen, phaseOf, triggerOf } from './update-request.ts';
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
  | { readonly kind: 'supersede'; readonly message: string }
  | { readonly kind: 'fail'; readonly reason: Reason; readonly message: string }
  /** It is in place already, by us: only the answer was lost. */
  | { readonly kind: 'complete'; readonly container: string }
  | { readonly kind: 'wait'; readonly reason: Reason; readonly message: string; readonly wakeAtMs?: number }
  /** The registry cannot be asked: only a person can approve until it answers. */
  | { readonly kind: 'unverified'; readonly message: string; readonly wakeAtMs: number }
  | { readonly kind: 'verified'; readonly digest: string }
  | { readonly kind: 'verify' }
  | { readonly kind: 'apply'; readonly container: string };

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
  if (!isOpen(request)) return { kind: 'nothing' };
  const target = findTarget(input);
  if ('step' in target) return target.step;
  if (phase === 'Pending') return judgePending(input, target);
  if (request.status.phase === 'Approved' && request.status.approvedAt === undefined) return { kind: 'accept-approval' };
  return judgeApproved(input, target);
}

interface Target {
  readonly workload: Workload;
  readonly slot: Slot;
  readonly settings: Settings;
}

/** The live container that the request means, or why there is none. A request made by hand fails with what to correct. */
function findTarget(input: JudgeInput): Target | { step: Step } {
  const { request, workload, settings } = input;
  const { targetRef, containerName, currentImage, newImage } = request.spec;
  const name = `${targetRef.kind} ${targetRef.namespace}/${targetRef.name}`;
  const fail = (message: string, reason: Reason = 'UpdateFailed') => ({ step: { kind: 'fail', reason, message } as const });
  const gone = (message: string) => (targetRef.uid === undefined ? fail(message) : { step: { kind: 'supersede', message } as const });

  if (targetRef.namespace !== request.metadata.namespace) {
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
  const slots = workload.slots.filter((slot) =>
    containerName === undefined ? slot.image === currentImage : slot.container === containerName,
  );
  const [slot] = slots;
  if (!slot) return gone(`${name} has no container ${containerName ?? `with the image ${currentImage}`}`);
  if (slots.length > 1) return fail(`${slots.length} containers of ${name} have the image ${currentImage}; set spec.containerName`);
  if (slot.image !== currentImage && slot.image !== newImage) {
    return { step: { kind: 'supersede', message: `container ${slot.container} now has ${slot.image}, no longer ${currentImage}` } };
  }
  if (slot.image === newImage) return { step: alreadyThere(request, workload, slot) };
  return { workload, slot, settings };
}

function alreadyThere(request: UpdateRequest, workload: Workload, slot: Slot): Step {
  const ours = readHistory(workload.annotations).entries.some((entry) => entry.updateRequestName === request.metadata.name);
  if (ours) return { kind: 'complete', container: slot.container };
  return { kind: 'supersede', message: `container ${slot.container} has ${slot.image} already, set by somebody else` };
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
  if (conditionOf(request, 'Verified')?.status === 'True' || request.status.phase === undefined) {
    return request.status.phase === undefined ? { kind: 'open' } : { kind: 'nothing', ...wake };
  }
  if (!registry) return { kind: 'verify' };
  return reverify(request, registry, now) ?? { kind: 'nothing', ...wake };
}

/** A request that the registry has not confirmed yet; undefined when nothing changes. */
function reverify(request: UpdateRequest, registry: RegistryAnswer, now: number): Step | undefined {
  if (registry.kind === 'confirmed') return movedDigest(request, registry.digest) ?? { kind: 'verified', digest: registry.digest };
  if (registry.kind === 'missing') return { kind: 'supersede', message: registry.message };
  return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
}

function movedDigest(request: UpdateRequest, digest: string): Step | undefined {
  const { newDigest, newImage } = request.spec;
  if (newDigest === undefined || newDigest === digest) return undefined;
  return { kind: 'supersede', message: `${newImage} is now ${digest}, the request covers ${newDigest}` };
}

type Check = (input: JudgeInput, target: Target, settings: ContainerSettings) => Step | undefined;

// The order in which a person would want to hear the reasons; the registry is asked last, so that waiting costs no requests.
const checks: readonly Check[] = [
  policyForbids,
  dryRun,
  eventSourceNone,
  paused,
  rolloutInProgress,
  tooSoon,
  siblingPending,
  registryAnswer,
];

function judgeApproved(input: JudgeInput, target: Target): Step {
  const settings = target.settings.container(target.slot.container);
  if ('held' in settings) return { kind: 'wait', reason: 'InvalidAnnotation', message: settings.held };
  for (const check of checks) {
    const step = check(input, target, settings);
    if (step) return step;
  }
  return { kind: 'apply', container: target.slot.container };
}

function policyForbids({ request }: JudgeInput, target: Target): Step | undefined {
  return checkPolicy(request, target);
}

/** The policy may have changed since the request was made. A container held by a bad annotation is no answer of the policy. */
function checkPolicy(request: UpdateRequest, { settings, slot }: Target): Step | undefined {
  const container = settings.container(slot.container);
  const [current, next] = [parseImageReference(request.spec.currentImage), parseImageReference(request.spec.newImage)];
  if ('held' in container || triggerOf(request).includes('rollback')) return undefined;
  if ('invalid' in current || 'invalid' in next) {
    return {
      kind: 'fail',
      reason: 'InvalidReference',
      message: 'invalid' in next ? next.invalid : `current image of ${slot.container} is invalid`,
    };
  }
  const tag = effectiveTag(next);
  if (tag === undefined || tag === current.tag) return undefined;
  const verdict = choose({ ...container, current: effectiveTag(current) ?? '', tags: [tag], event: tag });
  if (verdict.outcome === 'update' && verdict.tag === tag) return undefined;
  return { kind: 'supersede', message: `policy ${container.policy.text} does not allow ${tag}: ${verdict.message}` };
}

function dryRun({ request }: JudgeInput, { settings }: Target): Step | undefined {
  if (!settings.dryRun || isApprovedByPerson(request)) return undefined;
  return { kind: 'wait', reason: 'DryRun', message: 'headwind.sh/dry-run is set: only a person can have this applied' };
}

function eventSourceNone({ request }: JudgeInput, _target: Target, settings: ContainerSettings): Step | undefined {
  if (settings.eventSource !== 'none' || triggerOf(request) === 'manual' || isApprovedByPerson(request)) return undefined;
  return { kind: 'wait', reason: 'EventSourceNone', message: 'headwind.sh/event-source is none: only a person can have this applied' };
}

function paused(_input: JudgeInput, { workload }: Target): Step | undefined {
  return workload.paused ? { kind: 'wait', reason: 'Paused', message: 'the rollout of the workload is paused (spec.paused)' } : undefined;
}

/** A rollout that has not settled for longer than the rollback timeout no longer holds a change back: the change may be the fix. */
function rolloutInProgress({ unsettledSince, now }: JudgeInput, { workload, settings }: Target): Step | undefined {
  if (workload.rollout.settled) return undefined;
  const until = (unsettledSince ?? now) + settings.rollbackTimeoutMs;
  if (until <= now) return undefined;
  return { kind: 'wait', reason: 'RolloutInProgress', message: `a rollout is in progress: ${workload.rollout.message}`, wakeAtMs: until };
}

function tooSoon({ request, now }: JudgeInput, { workload }: Target, settings: ContainerSettings): Step | undefined {
  const manual = triggerOf(request) === 'manual' || request.status.force === true;
  const last = readLastUpdate(workload.annotations, now);
  if (manual || last === undefined) return undefined;
  const until = last + settings.minUpdateIntervalMs;
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
  // An approval given while the registry could not be asked waives the check.
  if (verified === 'Unknown' && byPerson) return undefined;
  if (registry.kind === 'missing') return { kind: 'wait', reason: 'TagNotFound', message: registry.message, wakeAtMs: now + verifyAgainMs };
  if (verified !== 'True' && !byPerson) return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
  return { kind: 'wait', reason: 'RegistryUnavailable', message: registry.message, wakeAtMs: now + verifyAgainMs };
}
