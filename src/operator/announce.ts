import { reasonTypes, type Reason } from '../core/reasons.ts';
import { isAcrossNamespaces, kindLabel, triggerOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import type { EventSubject, Events, Log, Metrics, Problem } from '../ports.ts';
import type { Notes } from './notes.ts';

/** Tells the world about a transition: Kubernetes Events on the workload and the request, the log, and the counters that belong to it. */

export interface Announcer {
  readonly events: Events;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Each of them has its audit line, which stands in the same log. */
const audited: readonly Reason[] = ['UpdateApproved', 'UpdateRejected', 'UpdateApplied', 'UpdateExpired', 'UpdateSuperseded'];

export function workloadSubject(workload: Workload): EventSubject {
  const { apiVersion, kind, namespace, name, uid } = workload;
  return { apiVersion, kind, namespace, name, uid };
}

export function requestSubject(request: UpdateRequest): EventSubject {
  const { namespace, name, uid } = request.metadata;
  return { apiVersion: request.apiVersion, kind: request.kind, namespace, name, uid };
}

/** The same Event on the request and on its workload; `onRequest` where the request's own has another reason. */
export function announce(
  { events, log }: Announcer,
  request: UpdateRequest,
  workload: Workload | undefined,
  reason: Reason,
  message: string,
  onRequest: Reason = reason,
): void {
  events.emit(requestSubject(request), onRequest, message);
  // Nobody causes Events about what another namespace has.
  if (isAcrossNamespaces(request)) return;
  const subject = workload ? workloadSubject(workload) : targetSubject(request);
  if (subject) events.emit(subject, reason, message);
  if (!audited.includes(reason)) logRequest(log, request, reason, message);
}

/** One line about a request, with what it would change. */
export function logRequest(log: Log, request: UpdateRequest, reason: Reason, message: string): void {
  const { targetRef, containerName, currentImage, newImage, newDigest, policy, requireApproval } = request.spec;
  const { kind, namespace, name } = targetRef;
  const change = { container: containerName, from_image: currentImage, to_image: newImage, digest: newDigest };
  const cause = { policy, trigger: triggerOf(request), require_approval: requireApproval !== false };
  const fields = { reason, namespace, target_kind: kind, target_name: name, request: request.metadata.name, ...change, ...cause };
  log[isWarning(reason) ? 'warn' : 'info'](fields, `${kind} ${namespace}/${name}: ${message}`);
}

/** What is to be said about a workload and belongs to no request: an Event on it, and the same in the log. */
export function tellWorkload(
  { events, log }: Pick<Announcer, 'events' | 'log'>,
  workload: Workload,
  reason: Reason,
  message: string,
): void {
  const { kind, namespace, name } = workload;
  events.emit(workloadSubject(workload), reason, message);
  const fields = { reason, namespace, target_kind: kind, target_name: name };
  log[isWarning(reason) ? 'warn' : 'info'](fields, `${kind} ${namespace}/${name}: ${message}`);
}

/** A person approved. */
export function announceApproval(to: Announcer, request: UpdateRequest, workload?: Workload): void {
  to.metrics.increment('updates_approved_total');
  announce(to, request, workload, 'UpdateApproved', `${describe(request)} approved by ${request.status.approvedBy ?? 'unknown'}`);
}

/** A person rejected. */
export function announceRejection(to: Announcer, request: UpdateRequest, workload?: Workload): void {
  to.metrics.increment('updates_rejected_total');
  const why = request.status.message === undefined ? '' : `: ${request.status.message}`;
  announce(to, request, workload, 'UpdateRejected', `${describe(request)} rejected by ${request.status.rejectedBy ?? 'unknown'}${why}`);
}

/** Pull secrets of the workload that cannot be read for this repository: told once per change, silently forgotten when they can be again. */
export function tellProblems(
  { notes, ...to }: Pick<Announcer, 'events' | 'log'> & { readonly notes: Notes },
  workload: Workload,
  repository: string,
  { problems }: { readonly problems: readonly Problem[] },
): void {
  const text = problems.map(({ reason, message }) => `${reason} ${message}`).join('\n');
  if (!notes.isNews(workloadKey(workload), text, `secrets ${repository}`)) return;
  for (const { reason, message } of problems) tellWorkload(to, workload, reason, message);
}

/** Counts the end of a change in `updates_total`. */
export function countResult({ metrics }: Announcer, request: UpdateRequest, result: 'applied' | 'failed' | 'expired' | 'superseded'): void {
  const { policy } = request.spec;
  metrics.increment('updates_total', { kind: kindLabel(request), policy, trigger: triggerOf(request), result });
}

/** `web: nginx:1.25 → nginx:1.26` */
export function describe(request: UpdateRequest): string {
  const { containerName, currentImage, newImage, currentDigest, newDigest } = request.spec;
  const container = containerName ?? 'container';
  if (newImage !== currentImage) return `${container}: ${currentImage} → ${newImage}`;
  return `${container}: restart of ${currentImage} (${shortDigest(currentDigest)} → ${shortDigest(newDigest)})`;
}

function shortDigest(digest: string | undefined): string {
  return digest === undefined ? 'unknown' : `${digest.slice(0, 19)}…`;
}

/** Without a live workload, the Event still belongs to the object that the request names. */
function targetSubject(request: UpdateRequest): EventSubject | undefined {
  const { apiVersion, kind, namespace, name, uid } = request.spec.targetRef;
  if (apiVersion === undefined || uid === undefined) return undefined;
  return { apiVersion, kind, namespace, name, uid };
}

export function isWarning(reason: Reason): boolean {
  return reasonTypes[reason] === 'W';
}
