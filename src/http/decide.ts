import { conditionOf, phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import {
  approveRequest,
  type Caller,
  type DecideDeps,
  deleteRequest,
  rejectRequest,
  type Verdict,
  waitUntilApplied,
} from '../operator/decide-request.ts';
import type { AuditAction, AuditEntry } from '../ports.ts';
import type { RequestRef } from '../operator/request-changes.ts';
import type { HttpContext, Route } from './app.ts';
import { refuseCrossSite } from './cross-site.ts';
import { approveSchema, deleteSchema, readBodyAs, readWait, rejectSchema } from './decision-input.ts';
import type { Item } from './item.ts';
import { HttpProblem, toProblem } from './problem.ts';

/** Approve, reject, delete: the routes that change a request. */

export interface Decider extends DecideDeps {
  readonly source: Caller['source'];
  /** Who decides when the body names nobody. */
  readonly defaultUser: string;
  readonly ownUrls: readonly string[];
  readonly stopping: AbortSignal;
  readonly show: (request: UpdateRequest) => Item;
}

export function decideRoutes(decider: Decider): Route[] {
  return [
    { method: 'POST', path: '/updates/:namespace/:name/approve', handle: (c) => change(c, decider, 'approve', approve) },
    { method: 'POST', path: '/updates/:namespace/:name/reject', handle: (c) => change(c, decider, 'reject', reject) },
    { method: 'DELETE', path: '/updates/:namespace/:name', handle: (c) => change(c, decider, 'delete', remove) },
  ];
}

type Act = (c: HttpContext, ref: RequestRef, decider: Decider) => Promise<Response>;

/** What every changing route does first; a request that is refused before anything is decided is audited here. */
async function change(c: HttpContext, decider: Decider, action: AuditAction, act: Act): Promise<Response> {
  const { namespace = '', name = '' } = c.req.param();
  const base = { action, resource_type: 'UpdateRequest', namespace, name, result: 'failed' } as const;
  let failed: AuditEntry | undefined;
  let isAudited = false;
  const audit = (entry: AuditEntry): void => {
    // A failure is written below, when its status is known.
    if (entry.result === 'failed') failed = entry;
    else decider.audit({ ...entry, http_status: 200 });
    isAudited ||= entry.result === 'success';
  };
  try {
    refuseCrossSite(c, decider.ownUrls);
    return await act(c, { namespace, name }, { ...decider, audit });
  } catch (error) {
    const { reason, status } = toProblem(error);
    const entry = failed ?? { ...callerOf(c, decider, undefined), ...base, reason };
    if (!isAudited) decider.audit({ ...entry, http_status: status });
    throw error;
  }
}

async function approve(c: HttpContext, ref: RequestRef, decider: Decider): Promise<Response> {
  const waitMs = readWait(c.req.query('wait'));
  const { approver, digest, force } = await readBodyAs(approveSchema, c);
  const options = { digest: digest || undefined, force: force === true ? true : undefined };
  const verdict = await approveRequest(decider, callerOf(c, decider, approver), ref, options, decider.stopping);
  const approved = requestOf(verdict, ref, 'approve');
  const isGone = AbortSignal.any([decider.stopping, c.req.raw.signal]);
  const request = (await waitUntilApplied(decider, ref, waitMs, isGone)) ?? approved;
  return answer(c, decider.show(request), approvalMessage(request));
}

async function reject(c: HttpContext, ref: RequestRef, decider: Decider): Promise<Response> {
  const { approver, reason } = await readBodyAs(rejectSchema, c);
  const options = { reason: reason ?? undefined };
  const verdict = await rejectRequest(decider, callerOf(c, decider, approver), ref, options, decider.stopping);
  const request = requestOf(verdict, ref, 'reject');
  return answer(
    c,
    decider.show(request),
    `Rejected by ${request.status.rejectedBy ?? 'unknown'}; it is not offered again until something newer exists`,
  );
}

async function remove(c: HttpContext, ref: RequestRef, decider: Decider): Promise<Response> {
  const { approver } = await readBodyAs(deleteSchema, c);
  requestOf(await deleteRequest(decider, callerOf(c, decider, approver), ref, decider.stopping), ref, 'delete');
  return c.json({ message: `Update request ${ref.namespace}/${ref.name} deleted; what it held back may be offered again` });
}

function answer(c: HttpContext, item: Item, message: string): Response {
  return c.json({ ...item, message, updateRequest: item });
}

/** Without authentication the body says who it is, and nobody can verify it. */
function callerOf(c: HttpContext, { source, defaultUser }: Decider, named: string | null | undefined): Caller {
  return {
    username: named || defaultUser,
    verified: false,
    source,
    auth_mode: 'none',
    remote_addr: c.env?.incoming?.socket.remoteAddress,
    request_id: c.get('requestId'),
  };
}

/** The decided request, or the answer to the refusal. */
function requestOf(verdict: Verdict, { namespace, name }: RequestRef, verb: string): UpdateRequest {
  if (verdict.ok) return verdict.request;
  if (verdict.reason === 'NotFound')
    throw new HttpProblem({ status: 404, reason: 'NotFound', sentence: `There is no update request ${namespace}/${name}` });
  const { phase, request } = verdict;
  const sentences = {
    WrongPhase: `UpdateRequest is in ${phase} state, cannot ${verb}`,
    DigestChanged: 'The digest is not the one that this update would apply; look at the update again',
    LostRace: 'The update was changed by others again and again; look at it again',
  };
  const extra = { current_phase: phase, ...(verdict.reason === 'DigestChanged' ? { current_digest: request.spec.newDigest } : {}) };
  throw new HttpProblem({ status: 409, reason: verdict.reason, sentence: sentences[verdict.reason], extra });
}

/** One sentence on what became of an approval, or what it waits for. */
function approvalMessage(request: UpdateRequest): string {
  const { targetRef, newImage } = request.spec;
  const target = `${targetRef.kind} ${targetRef.namespace}/${targetRef.name}`;
  const applied = conditionOf(request, 'Applied');
  const phase = phaseOf(request);
  if (phase === 'Completed') return `${target} was updated to ${newImage}`;
  if (phase === 'Failed')
    return `The update of ${target} to ${newImage} failed: ${request.status.message ?? applied?.message ?? 'no reason is known'}`;
  if (phase !== 'Approved')
    return `The update of ${target} to ${newImage} is ${phase}: ${request.status.message ?? 'it was decided meanwhile'}`;
  if (applied?.status === 'True') return `${target} was updated to ${newImage}; its rollout is being watched`;
  if (applied) return `Approved; the update of ${target} waits: ${applied.message}`;
  return `Approved; ${target} will be updated to ${newImage} shortly`;
}
