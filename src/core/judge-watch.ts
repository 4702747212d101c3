import type { DigestComparison } from './compare-digests.ts';
import { parseTime } from './duration.ts';
import { readHistory } from './history.ts';
import type { Reason } from './reasons.ts';
import type { Settings } from './settings.ts';
import { conditionOf } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import type { Workload } from './workload.ts';

/** What the pods said just now about the digest of a request: compared, or why they could not be read. */
export type PodsAnswer = DigestComparison | { readonly unobservable: string };

export interface WatchInput {
  readonly request: UpdateRequest;
  readonly workload: Workload | undefined;
  readonly settings: Settings | undefined;
  /** undefined = not asked yet. */
  readonly pods: PodsAnswer | undefined;
  /** When a stale pod was last deleted for it, to the operator's knowledge. */
  readonly deletedAt?: number | undefined;
  /** All stale pods were deleted, and their successors are stale again. */
  readonly deletedInVain?: boolean;
  readonly now: number;
}

/** The next step of a new digest that was applied, until its pods run it. `wakeAtMs` is an absolute time in milliseconds. */
export type WatchStep =
  | { readonly kind: 'watch'; readonly message: string; readonly wakeAtMs: number }
  /** Read the pods, then judge again. */
  | { readonly kind: 'observe'; readonly container: string }
  /** Delete one stale pod, as nobody else replaces them, unless one is on its way; then judge again later. */
  | { readonly kind: 'delete-pod'; readonly container: string; readonly wakeAtMs: number }
  | { readonly kind: 'healthy'; readonly message: string }
  | { readonly kind: 'unhealthy'; readonly reason: Extract<Reason, 'DigestMismatch' | 'RolloutTimeout'>; readonly message: string }
  /** Nobody can tell how it ended: the change stands. */
  | {
      readonly kind: 'unwatched';
      readonly reason: Extract<Reason, 'NoRollout' | 'OnDelete' | 'CannotObserve' | 'ChangedByOthers'>;
      readonly message: string;
    };

const lookAgainMs = 10_000;

/** Judges from the state of the cluster alone, so that another leader goes on where the last one stopped. Pure. */
export function judgeWatch(input: WatchInput): WatchStep {
  const { request, workload, settings, pods, now } = input;
  const end = endedOtherwise(input);
  if (end || !workload || !settings) return end ?? unwatched('ChangedByOthers', 'the workload is gone');
  const { rollout } = workload;
  if (workload.wantsNoPods) return { kind: 'healthy', message: 'no pods are wanted' };
  const deletes = rollout.unwatched === 'OnDelete' && settings.deletePods;
  if (rollout.unwatched !== undefined && !deletes) return unwatched(rollout.unwatched, rollout.message);
  const since = Math.max(appliedAt(request, workload, now), deletes ? (input.deletedAt ?? 0) : 0);
  const until = since + settings.rollbackTimeoutMs;
  if (rollout.failed) return unhealthy('RolloutTimeout', rollout.message);
  const wait = (message: string, wakeAtMs = until): WatchStep =>
    until <= now
      ? unhealthy('RolloutTimeout', `not done within headwind.sh/rollback-timeout: ${message}`)
      : { kind: 'watch', message, wakeAtMs };
  if (!rollout.settled) return wait(rollout.message);
  if (!pods) return { kind: 'observe', container: request.spec.containerName ?? '' };
  if ('unobservable' in pods) return unwatched('CannotObserve', pods.unobservable);
  switch (pods.outcome) {
    case 'same':
      return rollout.healthy ? { kind: 'healthy', message: `the pods run ${request.spec.newDigest ?? 'it'}` } : wait(rollout.message);
    case 'starting':
    case 'no-pods':
      return wait('a pod is still starting', Math.min(until, now + lookAgainMs));
    case 'unknown':
      return unwatched('CannotObserve', 'the node reports no digest of the running image that a registry could know');
    case 'changed':
    case 'platform-missing':
      if (deletes && input.deletedInVain !== true)
        return { kind: 'delete-pod', container: request.spec.containerName ?? '', wakeAtMs: now + lookAgainMs };
      return unhealthy(
        'DigestMismatch',
        `the rollout is complete, but pods run ${pods.running ?? 'another digest'} and not what was applied`,
      );
  }
}

/** The record comes in the same patch as the change; a status that somebody wrote by hand has none, however old the copy that we read. */
const unrecordedMs = 60_000;

function endedOtherwise({ request, workload, now }: WatchInput): WatchStep | undefined {
  const { targetRef, containerName, newImage } = request.spec;
  if (!workload || (targetRef.uid !== undefined && targetRef.uid !== workload.uid))
    return unwatched('ChangedByOthers', 'the workload is gone');
  const slot = workload.slots.find(({ container, image }) =>
    containerName === undefined ? image === newImage : container === containerName,
  );
  if (slot?.image !== newImage) return unwatched('ChangedByOthers', `the image was set to ${slot?.image ?? 'nothing'} by somebody else`);
  const newest = readHistory(workload.annotations).entries.find(({ container }) => container === slot.container);
  if (newest === undefined && now - appliedAt(request, workload, now) > unrecordedMs)
    return unwatched('ChangedByOthers', 'the workload says nothing of a change by it');
  if (newest?.updateRequestName === undefined || newest.updateRequestName === request.metadata.name) return undefined;
  return unwatched('ChangedByOthers', `${newest.updateRequestName} was applied after it`);
}

function appliedAt(request: UpdateRequest, { annotations }: Workload, now: number): number {
  const ours = readHistory(annotations).entries.find(({ updateRequestName }) => updateRequestName === request.metadata.name);
  const time = parseTime(ours?.timestamp ?? '') ?? parseTime(conditionOf(request, 'Applied')?.lastTransitionTime ?? '');
  // A time in the future is none of ours, and would be "just now" at every look.
  return time === undefined || time > now ? Math.min(parseTime(request.metadata.creationTimestamp) ?? now, now) : time;
}

function unwatched(reason: Extract<WatchStep, { kind: 'unwatched' }>['reason'], message: string): WatchStep {
  return { kind: 'unwatched', reason, message };
}

function unhealthy(reason: Extract<WatchStep, { kind: 'unhealthy' }>['reason'], message: string): WatchStep {
  return { kind: 'unhealthy', reason, message };
}
