import { isDigestChange } from '../core/digest-change.ts';
import { parseImageReference } from '../core/image-reference.ts';
import { type JudgeInput, judgeRequest, type RegistryAnswer, type Step } from '../core/judge-request.ts';
import { referenceToConfirm } from '../core/request-digest.ts';
import { isForPerson, isOpen, phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Workload, type WorkloadRef, workloadKey } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import { applyRequests, type ReadyRequest } from './apply-requests.ts';
import { Breather } from './breather.ts';
import { compareOutcome } from './compare-pods.ts';
import { missingPlatforms } from './missing-platforms.ts';
import { deleteStalePod } from './delete-stale-pod.ts';
import type { OperatorDeps } from './deps.ts';
import { isNotFound } from './repository-access.ts';
import { carryOut } from './request-transitions.ts';

/** The watch normally brings the newer version, and wakes the key, well before. */
const readAgainMs = 500;

export interface Progress {
  /** Something was written: look again. */
  readonly changed: boolean;
  /** Absolute time in milliseconds at which something is due. */
  readonly wakeAtMs: number | undefined;
}

/**
 * Carries out what is decided for the requests of one workload. All that are ready to be applied at this moment go into one patch.
 * Reads only the caches; a crash at any point is continued from the objects.
 */
export async function progressRequests(ref: WorkloadRef, deps: OperatorDeps, signal: AbortSignal): Promise<Progress> {
  const workload = deps.workloads.get(ref);
  // Looked at in every run, so that a rollout that ended is never taken for the next one.
  const unsettledSince = workload && deps.notes.unsettledSince(workload, deps.clock.now());
  const siblings = deps.updateRequests.of(ref);
  const ready: ReadyRequest[] = [];
  let changed = false;
  let wakeAtMs: number | undefined;
  const breather = new Breather();
  for (const request of siblings) {
    if (breather.isDue) await breather.breathe();
    if (!needsCare(request)) continue;
    const step = await judge({ request, siblings, workload, unsettledSince }, deps, signal);
    if (step.kind === 'apply') ready.push({ request, container: step.container, digest: step.digest });
    else if (await carryOut(step, { request, workload, deps, signal })) changed = true;
    if ('wakeAtMs' in step && step.wakeAtMs !== undefined) wakeAtMs = Math.min(step.wakeAtMs, wakeAtMs ?? Infinity);
  }
  // What has just moved may be ready in the next look, and belongs into the same patch.
  if (ready.some(({ request }) => isStale(request, deps))) return { changed: true, wakeAtMs };
  if (workload && ready.length > 0 && !changed) {
    if (await applyRequests(workload, ready, deps, signal)) changed = true;
    else wakeAtMs = Math.min(deps.clock.now() + readAgainMs, wakeAtMs ?? Infinity);
  }
  return { changed, wakeAtMs };
}

/** Somebody decided while the registry was asked: a rejection at the last moment counts. */
function isStale({ metadata: { namespace, name, resourceVersion } }: UpdateRequest, { updateRequests }: OperatorDeps): boolean {
  return updateRequests.get(namespace, name)?.metadata.resourceVersion !== resourceVersion;
}

/** Open, rejected, or with a phase that was set by hand. */
function needsCare(request: UpdateRequest): boolean {
  const phase = phaseOf(request);
  return isOpen(request) || phase === 'Rejected' || (request.status.phase ?? phase) !== phase;
}

type Situation = Pick<JudgeInput, 'request' | 'siblings' | 'workload' | 'unsettledSince'>;

async function judge(situation: Situation, deps: OperatorDeps, signal: AbortSignal): Promise<Step> {
  const { request, workload } = situation;
  const settings = workload && deps.notes.settings(workload);
  const input: JudgeInput = { ...situation, settings, registry: undefined, now: deps.clock.now() };
  const step = judgeRequest(input);
  if (step.kind === 'observe' && workload) {
    return await judgePods({ ...input, deletedAt: deps.notes.deletedAt(workloadKey(workload)) }, workload, step.container, deps, signal);
  }
  if (step.kind !== 'verify' || !workload) return step;
  return judgeRequest({ ...input, registry: await askRegistry(request, workload, deps, signal) });
}

/** With what the pods say; deletes a stale one where that is asked for. */
async function judgePods(input: JudgeInput, workload: Workload, container: string, deps: OperatorDeps, signal: AbortSignal): Promise<Step> {
  const { newImage, newDigest = '' } = input.request.spec;
  const step = judgeRequest({ ...input, pods: await compareOutcome(workload, container, newImage, newDigest, deps, signal) });
  if (step.kind !== 'delete-pod') return step;
  const problem = await deleteStalePod(input.request, workload, container, deps, signal);
  return problem === undefined ? step : judgeRequest({ ...input, ...problem });
}

async function askRegistry(request: UpdateRequest, workload: Workload, deps: OperatorDeps, signal: AbortSignal): Promise<RegistryAnswer> {
  const reference = parseImageReference(request.spec.newImage);
  if ('invalid' in reference) return { kind: 'missing', message: reference.invalid };
  const tag = referenceToConfirm(request);
  try {
    // A person may have decided about a digest that was there a minute ago; policy decides at once.
    const age = isDigestChange(request.spec) && isForPerson(request) ? { maxAgeMs: 0 } : {};
    const digest = await deps.access.digest(workload, reference, tag, signal, age);
    const missing = phaseOf(request) === 'Approved' ? await missingPlatforms(workload, reference, digest, deps, signal) : [];
    return { kind: 'confirmed', digest, missing };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { kind: isNotFound(error) ? 'missing' : 'unavailable', message: error.message };
  }
}
