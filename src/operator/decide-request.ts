import { formatTime } from '../core/duration.ts';
import { conditionOf, phaseOf } from '../core/update-request.ts';
import type { Phase, UpdateRequest } from '../core/update-request-schema.ts';
import { ApiError } from '../errors.ts';
import type { Audit, AuditEntry, Clock, RequestChanges, StatusChange, UpdateRequests } from '../ports.ts';
import { announceApproval, announceRejection, type Announcer } from './announce.ts';
import { type RequestRef, waitForRequest } from './request-changes.ts';

/** Approving, rejecting and deleting by a person: what API, UI and CLI share. Only the request is edited; its controller carries it out. */

export interface DecideDeps {
  readonly requests: UpdateRequests;
  readonly changes: RequestChanges;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Counters and Kubernetes Events of a decision. */
  readonly announcer: Announcer;
}

/** Who decides, and what the audit line says about that. */
export type Caller = Pick<AuditEntry, 'username' | 'verified' | 'source' | 'auth_mode' | 'remote_addr' | 'request_id'>;

export type RefusalReason = 'NotFound' | 'WrongPhase' | 'DigestChanged' | 'LostRace';

/** The request as stored after the decision, or why nothing was decided, with the request as it is. */
export type Verdict =
  | { readonly ok: true; readonly request: UpdateRequest }
  | { readonly ok: false; readonly reason: 'NotFound' }
  | { readonly ok: false; readonly reason: Exclude<RefusalReason, 'NotFound'>; readonly phase: Phase; readonly request: UpdateRequest };

const attempts = 5;
const cacheWaitMs = 2_000;

/** Approves a Pending request. With `digest`, only while that is still the digest it would apply. */
export function approveRequest(
  deps: DecideDeps,
  caller: Caller,
  ref: RequestRef,
  options: { digest?: string | undefined; force?: boolean | undefined },
  signal: AbortSignal,
): Promise<Verdict> {
  return audited(deps, caller, ref, { action: 'approve', force: options.force }, () =>
    decide(deps, ref, signal, {
      announce: announceApproval,
      judge(request) {
        if (phaseOf(request) !== 'Pending') return 'WrongPhase';
        return options.digest !== undefined && options.digest !== request.spec.newDigest ? 'DigestChanged' : undefined;
      },
      change(now) {
        const approved: StatusChange = { phase: 'Approved', approvedBy: caller.username, approvedAt: now, lastUpdated: now };
        return options.force === true ? { ...approved, force: true } : approved;
      },
    }),
  );
}

/** Rejects a Pending request, or an Approved one that was not applied yet. */
export function rejectRequest(
  deps: DecideDeps,
  caller: Caller,
  ref: RequestRef,
  options: { reason?: string | undefined },
  signal: AbortSignal,
): Promise<Verdict> {
  const message = options.reason?.trim() || 'Rejected by user';
  return audited(deps, caller, ref, { action: 'reject', reason: message }, () =>
    decide(deps, ref, signal, {
      announce: announceRejection,
      judge(request) {
        const phase = phaseOf(request);
        return phase === 'Pending' || (phase === 'Approved' && stillWaits(request)) ? undefined : 'WrongPhase';
      },
      change: (now) => ({
        phase: 'Rejected',
        rejectedBy: caller.username,
        rejectedAt: now,
        message,
        rejectionReason: message,
        lastUpdated: now,
      }),
    }),
  );
}

/** Deletes the request whatever its phase, and with it what it made the operator remember. */
export function deleteRequest(deps: DecideDeps, caller: Caller, ref: RequestRef, signal: AbortSignal): Promise<Verdict> {
  return audited(deps, caller, ref, { action: 'delete' }, async () => {
    const request = deps.requests.get(ref.namespace, ref.name);
    if (!request) return { ok: false, reason: 'NotFound' };
    try {
      await deps.requests.delete(request, signal);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isNotFound) return { ok: false, reason: 'NotFound' };
      if (error.isConflict) return { ok: false, reason: 'LostRace', phase: phaseOf(request), request };
      throw error;
    }
    return { ok: true, request };
  });
}

/** The request once it is known whether it was applied, or as it is after `waitMs`; undefined when it was deleted meanwhile. */
export async function waitUntilApplied(
  deps: Pick<DecideDeps, 'requests' | 'changes'>,
  ref: RequestRef,
  waitMs: number,
  signal: AbortSignal,
): Promise<UpdateRequest | undefined> {
  return waitForRequest(
    deps,
    ref,
    waitMs,
    signal,
    (request) => phaseOf(request) !== 'Approved' || conditionOf(request, 'Applied') !== undefined,
  );
}

function stillWaits(request: UpdateRequest): boolean {
  return conditionOf(request, 'Applied')?.status !== 'True';
}

interface Edit {
  judge(request: UpdateRequest): Exclude<RefusalReason, 'NotFound'> | undefined;
  change(now: string): StatusChange;
  announce(to: Announcer, request: UpdateRequest): void;
}

/** Judge, write with the resourceVersion that was judged, and after a lost race read and judge again. */
async function decide(deps: DecideDeps, ref: RequestRef, signal: AbortSignal, edit: Edit): Promise<Verdict> {
  for (let attempt = 1; ; attempt++) {
    const request = deps.requests.get(ref.namespace, ref.name);
    if (!request) return { ok: false, reason: 'NotFound' };
    const refusal = edit.judge(request);
    if (refusal) return { ok: false, reason: refusal, phase: phaseOf(request), request };
    try {
      const decided = await deps.requests.setStatus(request, edit.change(formatTime(deps.clock.now())), signal);
      edit.announce(deps.announcer, decided);
      return { ok: true, request: decided };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isNotFound) return { ok: false, reason: 'NotFound' };
      if (!error.isConflict) throw error;
    }
    // The cache may lag behind the writer that won: judging the same object again would only lose again.
    const { resourceVersion } = request.metadata;
    await waitForRequest(deps, ref, cacheWaitMs, signal, (current) => current.metadata.resourceVersion !== resourceVersion);
    if (attempt === attempts || signal.aborted) return { ok: false, reason: 'LostRace', phase: phaseOf(request), request };
  }
}

/** One audit line per call, whatever came of it; a failure of the world is on the line and thrown on. */
async function audited(
  deps: DecideDeps,
  caller: Caller,
  ref: RequestRef,
  facts: Pick<AuditEntry, 'action' | 'reason' | 'force'>,
  act: () => Promise<Verdict>,
): Promise<Verdict> {
  const before = deps.requests.get(ref.namespace, ref.name);
  const entry = { ...caller, ...facts, resource_type: 'UpdateRequest', ...ref } as const;
  try {
    const verdict = await act();
    const request = 'request' in verdict ? verdict.request : before;
    const outcome = verdict.ok ? { result: 'success' as const } : { result: 'failed' as const, reason: verdict.reason };
    deps.audit({ ...entry, ...aboutTarget(request), ...outcome });
    return verdict;
  } catch (error) {
    deps.audit({ ...entry, ...aboutTarget(before), result: 'failed', reason: error instanceof ApiError ? error.code : 'InternalError' });
    throw error;
  }
}

/** What an audit line says about the change that a request stands for. */
export function aboutTarget(
  request: UpdateRequest | undefined,
): Pick<AuditEntry, 'target_kind' | 'target_name' | 'from_image' | 'to_image' | 'digest'> {
  if (!request) return {};
  const { targetRef, currentImage, newImage, newDigest } = request.spec;
  return { target_kind: targetRef.kind, target_name: targetRef.name, from_image: currentImage, to_image: newImage, digest: newDigest };
}
