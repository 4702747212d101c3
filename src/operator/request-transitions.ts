import { isDigestChange } from '../core/digest-change.ts';
import { formatTime } from '../core/duration.ts';
import type { Step } from '../core/judge-request.ts';
import type { Reason } from '../core/reasons.ts';
import {
  conditionOf,
  type FailureReason,
  isByHand,
  type NewCondition,
  phaseOf,
  triggerOf,
  withConditions,
} from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import type { AuditEntry, StatusChange } from '../ports.ts';
import { announce, announceApproval, announceRejection, countResult, describe } from './announce.ts';
import type { OperatorDeps } from './deps.ts';

/** One write of a request's status, and what people are told about it. */
export interface RequestContext {
  readonly request: UpdateRequest;
  readonly workload: Workload | undefined;
  readonly deps: OperatorDeps;
  readonly signal: AbortSignal;
}

/** Carries out one step; true when the request has moved and should be looked at again. */
export async function carryOut(step: Step, context: RequestContext): Promise<boolean> {
  switch (step.kind) {
    case 'nothing':
    case 'verify':
    case 'apply':
    case 'watch':
    case 'observe':
    case 'delete-pod':
      return false;
    case 'healthy':
      return endWatch({ status: 'True', reason: 'RolloutHealthy', message: step.message }, context);
    case 'unhealthy':
      return endWatch({ status: 'False', reason: step.reason, message: step.message }, context);
    case 'unwatched':
      return endWatch({ status: 'Unknown', reason: step.reason, message: step.message }, context);
    case 'put-back':
      return putBack(step.message, context);
    case 'accept-approval':
      return acceptApproval(context);
    case 'accept-rejection':
      return acceptRejection(context);
    case 'open':
      return open(context);
    case 'expire':
      return expire(step.message, context);
    case 'supersede':
      return supersede(step.message, context, step.reason);
    case 'fail':
      return failRequest(step.reason, step.message, context);
    case 'complete':
      return completeRequest(undefined, context);
    case 'verified':
      return markVerified(step.digest, context);
    case 'unverified':
      return markUnverified(step.message, context);
    case 'wait':
      return markWaiting(step, context);
  }
}

/** Every write of ours leaves `createdAt`: the mark that the request is in our hands. */
function write({ request, deps, signal }: RequestContext, change: StatusChange, ...conditions: NewCondition[]): Promise<UpdateRequest> {
  const now = deps.clock.now();
  const marks = { createdAt: request.status.createdAt ?? request.metadata.creationTimestamp, lastUpdated: formatTime(now) };
  const merged = conditions.length === 0 ? {} : { conditions: withConditions(request, conditions, now) };
  return deps.updateRequests.setStatus(request, { ...change, ...marks, ...merged }, signal);
}

async function putBack(message: string, context: RequestContext): Promise<true> {
  const phase = phaseOf(context.request);
  await write(context, phase === 'Approved' ? { phase, ...approvalOf(context) } : { phase, ...withoutStrayNames(context.request) });
  const { name } = context.request.metadata;
  announce(context.deps, context.request, context.workload, 'InvalidTransition', `UpdateRequest ${name}: ${message}; it is ${phase} again`);
  return true;
}

/** A name without a time came with the illegal step: nobody is to read later that this person approved. */
function withoutStrayNames({ status }: UpdateRequest): StatusChange {
  return {
    ...(status.approvedAt === undefined ? { approvedBy: undefined } : {}),
    ...(status.rejectedAt === undefined ? { rejectedBy: undefined } : {}),
  };
}

/** Somebody approved with kubectl and may have named nobody: name and time are completed. */
async function acceptApproval(context: RequestContext): Promise<true> {
  const approvedBy = context.request.status.approvedBy ?? 'unknown';
  const approved = await write(context, { approvedBy, approvedAt: formatTime(context.deps.clock.now()) });
  announceApproval(context.deps, approved, context.workload);
  context.deps.audit(auditEntry(approved, 'approve', approvedBy, 'kubernetes'));
  return true;
}

async function acceptRejection(context: RequestContext): Promise<true> {
  const message = context.request.status.message ?? 'Rejected by user';
  const rejectedBy = context.request.status.rejectedBy ?? 'unknown';
  const change = { rejectedBy, rejectedAt: formatTime(context.deps.clock.now()), message, rejectionReason: message };
  const rejected = await write(context, change);
  announceRejection(context.deps, rejected, context.workload);
  context.deps.audit(auditEntry(rejected, 'reject', rejectedBy, 'kubernetes'));
  return true;
}

/** A new request that needs approval is Pending from the start. */
export async function open(context: RequestContext, verified?: NewCondition): Promise<true> {
  await write(context, { phase: 'Pending' }, ...(verified ? [verified] : []));
  const { deps, request, workload } = context;
  const doubt = verified?.status === 'Unknown' ? `; it is not verified, as the registry cannot be asked: ${verified.message}` : '';
  const message = `${describe(request)} waits for approval (UpdateRequest ${request.metadata.name})${doubt}`;
  announce(deps, request, workload, 'UpdateAvailable', message);
  return true;
}

async function expire(message: string, context: RequestContext): Promise<true> {
  await write(context, { phase: 'Expired', message }, { type: 'Applied', status: 'False', reason: 'UpdateExpired', message });
  announce(context.deps, context.request, context.workload, 'UpdateExpired', `${describe(context.request)}: ${message}`);
  countResult(context.deps, context.request, 'expired');
  context.deps.audit({ ...auditEntry(context.request, 'expire', 'headwind', 'operator'), reason: message });
  return true;
}

/** Closes an open request because something newer, or somebody else, took its place. */
export async function supersede(
  message: string,
  context: RequestContext,
  reason: 'UpdateSuperseded' | 'DigestChanged' = 'UpdateSuperseded',
): Promise<true> {
  await write(context, { phase: 'Expired', message }, { type: 'Superseded', status: 'True', reason, message });
  announce(context.deps, context.request, context.workload, 'UpdateSuperseded', `${describe(context.request)}: ${message}`);
  countResult(context.deps, context.request, 'superseded');
  context.deps.audit({ ...auditEntry(context.request, 'supersede', 'headwind', 'operator'), reason: message });
  return true;
}

/** Ends a request in Failed; `message` says what to correct. */
export async function failRequest(reason: FailureReason, message: string, context: RequestContext): Promise<true> {
  await write(context, { phase: 'Failed', message }, { type: 'Applied', status: 'False', reason, message });
  announce(context.deps, context.request, context.workload, reason, `${describe(context.request)}: ${message}`);
  context.deps.metrics.increment('updates_failed_total');
  countResult(context.deps, context.request, 'failed');
  context.deps.audit({ ...auditEntry(context.request, 'apply', approverOf(context.request), 'operator'), result: 'failed', reason });
  return true;
}

/** The change is in place. `digest` as confirmed just before the patch. One Event on each of the two objects. */
export async function completeRequest(digest: string | undefined, context: RequestContext): Promise<true> {
  const { request, workload, deps } = context;
  const message = `${describe(request)} applied`;
  const conditions: NewCondition[] = [{ type: 'Applied', status: 'True', reason: 'UpdateApplied', message }];
  if (digest !== undefined) conditions.unshift(verifiedCondition(digest));
  const isDone = !isDigestChange(request.spec);
  if (!isDone)
    conditions.push({ type: 'RolloutHealthy', status: 'Unknown', reason: 'Progressing', message: 'the rollout is being watched' });
  await write(context, { phase: isDone ? 'Completed' : 'Approved', ...approvalOf(context), message }, ...conditions);
  announce(deps, request, workload, 'UpdateApplied', message, isDone ? 'UpdateCompleted' : 'UpdateApplied');
  countResult(deps, request, 'applied');
  deps.metrics.increment('updates_applied_total');
  deps.audit(auditEntry(request, 'apply', approverOf(request), 'operator'));
  return true;
}

/** A new digest was applied, and it is known now whether the pods run it. */
async function endWatch(
  outcome: Pick<NewCondition, 'status' | 'message'> & { readonly reason: Reason },
  context: RequestContext,
): Promise<true> {
  const { request, workload, deps } = context;
  const failed = outcome.status === 'False';
  const message = `${describe(request)} applied: ${outcome.message}`;
  await write(context, { phase: failed ? 'Failed' : 'Completed', message }, { type: 'RolloutHealthy', ...outcome });
  announce(
    deps,
    request,
    workload,
    outcome.reason,
    `${describe(request)}: ${outcome.message}`,
    failed ? outcome.reason : 'UpdateCompleted',
  );
  if (!failed) return true;
  deps.metrics.increment('updates_failed_total');
  countResult(deps, request, 'failed');
  return true;
}

/** The registry answers again: from now on the workload's own setting says whether a person has to approve. */
async function markVerified(digest: string, context: RequestContext): Promise<true> {
  const { request, deps, signal } = context;
  if (request.spec.newDigest === undefined) {
    // Looked at again with what is stored: the status belongs to the request that names its digest.
    await deps.updateRequests.setNewDigest(request, digest, signal);
    return true;
  }
  const waived = request.spec.requireApproval === false;
  const approval: StatusChange = waived
    ? { phase: 'Approved', approvedBy: triggerOf(request), approvedAt: formatTime(deps.clock.now()) }
    : {};
  await write(context, approval, verifiedCondition(digest));
  return true;
}

async function markUnverified(message: string, context: RequestContext): Promise<boolean> {
  const { request, workload, deps } = context;
  if (conditionOf(request, 'Verified')?.status === 'Unknown' && request.status.phase === 'Pending') return false;
  await write(context, { phase: 'Pending', approvedBy: undefined, approvedAt: undefined }, unverifiedCondition(message));
  announce(deps, request, workload, 'RegistryUnavailable', `${describe(request)} needs a person until the registry answers: ${message}`);
  return true;
}

async function markWaiting({ reason, message }: Extract<Step, { kind: 'wait' }>, context: RequestContext): Promise<false> {
  const { request, workload, deps } = context;
  const old = conditionOf(request, 'Applied');
  const isNew = old?.reason !== reason;
  // The sentence about a running rollout or a registry differs from look to look; only a new reason is worth a write.
  const differs = isNew || (reason === 'TooSoon' && old.message !== message);
  if (!differs && request.status.phase === 'Approved') return false;
  const conditions: NewCondition[] = [{ type: 'Applied', status: 'False', reason, message }];
  // A direct request of ours gets its first status here; it was made from what the registry had just confirmed.
  const { newDigest } = request.spec;
  if (!conditionOf(request, 'Verified') && !isByHand(request) && newDigest !== undefined) conditions.unshift(verifiedCondition(newDigest));
  await write(context, { phase: 'Approved', ...approvalOf(context) }, ...conditions);
  if (!isNew) return false;
  announce(deps, request, workload, reason, `${describe(request)} waits: ${message}`);
  if (reason === 'TooSoon') deps.metrics.increment('updates_skipped_interval_total');
  return false;
}

export function verifiedCondition(digest: string): NewCondition {
  return { type: 'Verified', status: 'True', reason: 'UpdateAvailable', message: `the registry confirms ${digest}` };
}

export function unverifiedCondition(message: string): NewCondition {
  return { type: 'Verified', status: 'Unknown', reason: 'RegistryUnavailable', message };
}

/** Name and time of an approval that are not written yet. */
function approvalOf({ request, deps }: RequestContext): StatusChange {
  return request.status.approvedAt === undefined ? { approvedBy: approverOf(request), approvedAt: formatTime(deps.clock.now()) } : {};
}

/** The person who approved, or, where policy approved, the trigger. */
export function approverOf(request: UpdateRequest): string {
  return request.status.approvedBy ?? triggerOf(request);
}

function auditEntry(request: UpdateRequest, action: AuditEntry['action'], username: string, source: AuditEntry['source']): AuditEntry {
  const { targetRef, currentImage, newImage, newDigest } = request.spec;
  return {
    username,
    action,
    resource_type: 'UpdateRequest',
    namespace: request.metadata.namespace,
    name: request.metadata.name,
    result: 'success',
    source,
    verified: false,
    target_kind: targetRef.kind,
    target_name: targetRef.name,
    from_image: currentImage,
    to_image: newImage,
    digest: newDigest,
  };
}
