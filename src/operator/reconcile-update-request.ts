import { effectiveTag, parseImageReference } from '../core/image-reference.ts';
import { type JudgeInput, judgeRequest, type RegistryAnswer, type Step } from '../core/judge-request.ts';
import { isOpen, phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload, WorkloadRef } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import { applyRequests, type ReadyRequest } from './apply-requests.ts';
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
  const siblings = deps.updateRequests.of(ref);
  const ready: ReadyRequest[] = [];
  let changed = false;
  let wakeAtMs: number | undefined;
  for (const request of siblings) {
    if (!needsCare(request)) continue;
    const step = await judge(request, siblings, workload, deps, signal);
    if (step.kind === 'apply') ready.push({ request, container: step.container });
    else if (await carryOut(step, { request, workload, deps, signal })) changed = true;
    if ('wakeAtMs' in step && step.wakeAtMs !== undefined) wakeAtMs = Math.min(step.wakeAtMs, wakeAtMs ?? Infinity);
  }
  if (workload && ready.length > 0) {
    if (await applyRequests(workload, ready, deps, signal)) changed = true;
    else wakeAtMs = Math.min(deps.clock.now() + readAgainMs, wakeAtMs ?? Infinity);
  }
  return { changed, wakeAtMs };
}

/** Open, or decided by hand and not completed by us yet. */
function needsCare(request: UpdateRequest): boolean {
  const { phase, rejectedAt } = request.status;
  return isOpen(request) || (phase !== undefined && phaseOf(request) !== phase) || (phase === 'Rejected' && rejectedAt === undefined);
}

async function judge(
  request: UpdateRequest,
  siblings: readonly UpdateRequest[],
  workload: Workload | undefined,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<Step> {
  const now = deps.clock.now();
  const input: JudgeInput = {
    request,
    siblings,
    workload,
    settings: workload && deps.notes.settings(workload),
    registry: undefined,
    now,
    unsettledSince: workload && deps.notes.unsettledSince(workload, now),
  };
  const step = judgeRequest(input);
  if (step.kind !== 'verify' || !workload) return step;
  return judgeRequest({ ...input, registry: await askRegistry(request, workload, deps, signal) });
}

async function askRegistry(request: UpdateRequest, workload: Workload, deps: OperatorDeps, signal: AbortSignal): Promise<RegistryAnswer> {
  const reference = parseImageReference(request.spec.newImage);
  if ('invalid' in reference) return { kind: 'missing', message: reference.invalid };
  const tag = effectiveTag(reference) ?? reference.digest ?? '';
  try {
    return { kind: 'confirmed', digest: await deps.access.digest(workload, reference, tag, signal) };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { kind: isNotFound(error) ? 'missing' : 'unavailable', message: error.message };
  }
}
