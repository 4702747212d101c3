import { createHash } from 'node:crypto';
import { isDigestChange, outcomeOf, wasApplied } from './digest-change.ts';
import { formatTime } from './duration.ts';
import type { Condition, ConditionType, Phase, Trigger, UpdateRequest } from './update-request-schema.ts';
import { type WorkloadKind, workloadKindNames, type WorkloadRef } from './workload.ts';

/** The life of an UpdateRequest: names, phases, conditions. What happens next is decided in judge-request.ts. */

/**
 * Where a request stands. A missing phase is Pending, or Approved where approval is waived. A phase that was set by hand and is no
 * legal step from what the object's own evidence says (contract: Pending → Approved, Rejected; Approved → Rejected) does not count.
 */
export function phaseOf(request: UpdateRequest): Phase {
  const evident = evidentPhase(request);
  const written = request.status.phase;
  if (written === undefined || written === evident) return evident;
  if (evident === 'Pending' && (written === 'Approved' || written === 'Rejected')) return written;
  if (evident === 'Approved' && written === 'Rejected' && !wasApplied(request.status)) return written;
  return evident;
}

/** Pending or Approved: not finished. */
export function isOpen(request: UpdateRequest): boolean {
  const phase = phaseOf(request);
  return phase === 'Pending' || phase === 'Approved';
}

/** Approved by a person, not by the policy: where policy approved, `approvedBy` repeats the trigger. */
export function isApprovedByPerson(request: UpdateRequest): boolean {
  const { status, spec } = request;
  if (phaseOf(request) !== 'Approved' || status.phase !== 'Approved') return false;
  return spec.requireApproval !== false || (status.approvedBy !== undefined && status.approvedBy !== triggerOf(request));
}

/**
 * The workload that a request is about. Whatever namespace it names, it is looked at with those of its own: otherwise a tenant could
 * hold back, by requests of their own, what another one's workloads are offered.
 */
export function targetOf({ metadata, spec: { targetRef } }: UpdateRequest): WorkloadRef {
  return { kind: targetRef.kind, namespace: metadata.namespace, name: targetRef.name };
}

/** Does it name a workload of another namespace? Such a request is only ever refused. */
export function isAcrossNamespaces({ metadata, spec }: UpdateRequest): boolean {
  return spec.targetRef.namespace !== metadata.namespace;
}

/** The kind of the target as a metric label: a closed set, anybody may write anything into a request. */
export function kindLabel({ spec }: UpdateRequest): WorkloadKind | 'other' {
  return workloadKindNames.find((kind) => kind === spec.targetRef.kind) ?? 'other';
}

/** A person approves it, or has: it is not carried out because the policy allows it alone. */
export function isForPerson(request: UpdateRequest): boolean {
  return request.spec.requireApproval !== false || isApprovedByPerson(request);
}

/** What made the change known; a request without trigger was made by hand. */
export function triggerOf(request: UpdateRequest): Trigger {
  return request.spec.trigger ?? 'manual';
}

/** A change that ended in Failed has one of these as the reason of its condition `Applied`; a hold never does. */
export const failureReasons = ['UpdateFailed', 'PatchRefused', 'CrossNamespace', 'InvalidReference'] as const;
export type FailureReason = (typeof failureReasons)[number];

/** What the operator itself recorded, whatever the phase says: every finished state leaves a mark besides its phase. */
function evidentPhase({ status, spec }: UpdateRequest): Phase {
  if (isFinishedElsewhere(status)) return status.phase;
  const applied = status.conditions?.find(({ type }) => type === 'Applied');
  if (wasApplied(status)) return isDigestChange(spec) ? (outcomeOf(status) ?? 'Approved') : 'Completed';
  if (applied?.status === 'False' && failureReasons.some((reason) => reason === applied.reason)) return 'Failed';
  if (applied?.status === 'False' && applied.reason === 'UpdateExpired') return 'Expired';
  if (status.conditions?.some((condition) => condition.type === 'Superseded' && condition.status === 'True')) return 'Expired';
  if (status.rejectedAt !== undefined) return 'Rejected';
  if (status.approvedAt !== undefined) return 'Approved';
  const unverified = status.conditions?.some((condition) => condition.type === 'Verified' && condition.status === 'Unknown');
  return spec.requireApproval === false && unverified !== true ? 'Approved' : 'Pending';
}

/** Ended before this operator ever saw it: each of our own writes leaves `createdAt`. Such a change must not be made a second time. */
function isFinishedElsewhere(status: UpdateRequest['status']): status is { phase: Phase } {
  const { phase, conditions, createdAt } = status;
  const finished = phase === 'Completed' || phase === 'Failed' || phase === 'Expired';
  return finished && createdAt === undefined && (conditions ?? []).length === 0;
}

/** Made by a person or a program of theirs, not by a plan. */
export function isByHand(request: UpdateRequest): boolean {
  return triggerOf(request) === 'manual';
}

export function conditionOf(request: UpdateRequest, type: ConditionType): Condition | undefined {
  return request.status.conditions?.find((condition) => condition.type === type);
}

export type NewCondition = Pick<Condition, 'type' | 'status' | 'reason' | 'message'> & { readonly type: ConditionType };

/** The conditions with `changes` merged in; `lastTransitionTime` moves only when `status` does. */
export function withConditions(request: UpdateRequest, changes: readonly NewCondition[], now: number): Condition[] {
  const conditions = [...(request.status.conditions ?? [])];
  for (const change of changes) {
    const index = conditions.findIndex(({ type }) => type === change.type);
    const old = conditions[index];
    const lastTransitionTime = old?.status === change.status ? old.lastTransitionTime : formatTime(now);
    const next = { ...change, lastTransitionTime, observedGeneration: request.metadata.generation };
    if (index < 0) conditions.push(next);
    else conditions[index] = next;
  }
  return conditions;
}

export interface CandidateIdentity {
  readonly target: WorkloadRef;
  readonly container: string;
  readonly tag: string;
  readonly newImage: string;
  readonly newDigest: string | undefined;
}

const nameLength = 54;

/**
 * The one name of a candidate: `<workload>-<container>-<tag>` as a DNS label, cut to 54 characters, and 8 hex digits of a hash over what
 * identifies it, 63 characters in all. The same candidate always has the same name, so creating it is idempotent; `attempt` 2, 3 … is
 * for a further request.
 */
export function requestName({ target, container, tag, newImage, newDigest }: CandidateIdentity, attempt = 1): string {
  const identity = [target.kind, target.namespace, target.name, container, newImage, newDigest ?? ''].join('\0');
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  const suffix = attempt === 1 ? '' : `-${attempt}`;
  const readable = `${target.name}-${container}-${tag}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, nameLength - suffix.length)
    .replace(/^-+|-+$/g, '');
  return `${readable === '' ? 'update' : readable}-${hash}${suffix}`;
}
