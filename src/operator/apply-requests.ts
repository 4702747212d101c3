import { type HistoryEntry, recordedDigest, readHistory, recordApplied } from '../core/history.ts';
import { formatTime } from '../core/duration.ts';
import { effectiveTag, parseImageReference } from '../core/image-reference.ts';
import { isRestart } from '../core/digest-change.ts';
import { digestOf } from '../core/request-digest.ts';
import { triggerOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { RestartMark, WorkloadChange } from '../ports.ts';
import type { OperatorDeps } from './deps.ts';
import { approverOf, completeRequest, failRequest } from './request-transitions.ts';

export interface ReadyRequest {
  readonly request: UpdateRequest;
  readonly container: string;
  /** As the registry confirmed it just now; undefined when a person waived that. */
  readonly digest: string | undefined;
}

/**
 * Applies requests of one workload in one patch, together with `last-update`, `update-history` and `digests`.
 * Of two for one container the later one counts; the other's precondition is gone then.
 * False when the workload changed since it was read: read again and decide again. Throws what is worth a retry.
 */
export async function applyRequests(
  workload: Workload,
  allReady: readonly ReadyRequest[],
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const now = deps.clock.now();
  const ready = [...new Map([...allReady].sort(oldestFirst).map((item) => [item.container, item])).values()];
  const changes = ready.filter(({ request }) => !isRestart(request.spec));
  const images = new Map(changes.map(({ request, container }) => [container, request.spec.newImage]));
  const entries = ready.map((item) => historyEntry(item, workload, now, deps));
  const annotations = recordApplied(workload.annotations, entries, now);
  // Pods that are deleted one by one stay of the revision that they are: the template is left alone.
  const rolls = !(workload.rollout.unwatched === 'OnDelete');
  const restart = rolls && changes.length < ready.length ? restartMark(workload, images.size > 0, deps) : undefined;
  const { kind, namespace, name } = workload;
  const told = { kind, namespace, resource: name, containers: ready.map(({ container }) => container) };
  if (restart) deps.log.info(told, 'Triggering rollout for resource');
  const outcome = await patch(workload, { images, annotations, ...(restart && { restart }) }, deps, signal);
  if (outcome === 'changed') return false;
  if (restart && 'applied' in outcome) deps.log.info(told, 'Successfully triggered rollout');
  for (const { request, digest } of ready) {
    if ('refused' in outcome) {
      await failRequest('PatchRefused', `the API server refuses the change: ${outcome.refused}`, { request, workload, deps, signal });
    } else {
      observeLatency(request, workload, deps);
      await completeRequest(digest, { request, workload: outcome.applied, deps, signal });
    }
  }
  return true;
}

/** As the contract of the label has it, unless an image changes in the same patch. */
function restartMark(workload: Workload, changesImages: boolean, { notes, clock, autorollout }: OperatorDeps): RestartMark {
  const at = formatTime(clock.now());
  if (!notes.settings(workload).autorollout) return { annotation: 'kubectl.kubernetes.io/restartedAt', at, fieldManager: 'headwind' };
  const annotation = autorollout().kubectlAnnotation ? 'kubectl.kubernetes.io/restartedAt' : 'kube-autorollout/restartedAt';
  return { annotation, at, fieldManager: changesImages ? 'headwind' : 'kube-autorollout' };
}

type Outcome = { readonly applied: Workload } | { readonly refused: string } | 'changed';

async function patch(workload: Workload, change: WorkloadChange, { workloads }: OperatorDeps, signal: AbortSignal): Promise<Outcome> {
  try {
    return { applied: await workloads.apply(workload, change, signal) };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.isConflict || error.isNotFound) return 'changed';
    if (error.isRefusal) return { refused: error.message };
    throw error;
  }
}

function oldestFirst(a: ReadyRequest, b: ReadyRequest): number {
  const [first, second] = [a.request.metadata.creationTimestamp, b.request.metadata.creationTimestamp];
  return first === second ? 0 : first < second ? -1 : 1;
}

function historyEntry(
  { request, container, digest }: ReadyRequest,
  workload: Workload,
  now: number,
  { notes }: OperatorDeps,
): HistoryEntry {
  const { currentImage, newImage } = request.spec;
  const newDigest = request.spec.newDigest ?? digest;
  // Never from the request: a rollback goes back to what stands here, and anybody may write a request.
  const seen = notes.compared(workloadKey(workload), container)?.result;
  const running = seen && 'outcome' in seen ? seen.running : undefined;
  const fromDigest = digestOf(currentImage) ?? running ?? appliedDigest(workload, container, currentImage);
  return {
    container,
    image: newImage,
    timestamp: formatTime(now),
    updateRequestName: request.metadata.name,
    approvedBy: approverOf(request),
    ...(newDigest === undefined ? {} : { digest: newDigest }),
    fromImage: currentImage,
    ...(fromDigest === undefined ? {} : { fromDigest }),
    trigger: triggerOf(request),
  };
}

/** The digest that we last applied, as long as it is still ours that runs. */
function appliedDigest({ annotations }: Workload, container: string, image: string): string | undefined {
  const newest = readHistory(annotations).entries.find((entry) => entry.container === container);
  return newest?.image === image ? recordedDigest(annotations, container) : undefined;
}

/** From the arrival of the webhook to the accepted patch, where it was a webhook and nobody had to approve. */
function observeLatency(request: UpdateRequest, workload: Workload, { access, book, clock, metrics }: OperatorDeps): void {
  const reference = parseImageReference(request.spec.newImage);
  if ('invalid' in reference || request.spec.requireApproval !== false || triggerOf(request) !== 'webhook') return;
  const key = access.known(workload, reference);
  const tag = effectiveTag(reference);
  const push = key === undefined ? undefined : book.pushes(key, 0).find((candidate) => candidate.tag === tag);
  if (push) metrics.observe('webhook_to_patch_seconds', (clock.now() - push.at) / 1000);
}
