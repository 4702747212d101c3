import { recordDigest } from '../core/history.ts';
import type { Action } from '../core/plan.ts';
import type { Workload } from '../core/workload.ts';
import { describe, logRequest } from './announce.ts';
import { ApiError } from '../errors.ts';
import type { OperatorDeps } from './deps.ts';
import { inspectDigest } from './inspect-digest.ts';
import { open, supersede, unverifiedCondition, verifiedCondition } from './request-transitions.ts';

/** Carries out the actions of a plan, in their order. A request that needs approval is Pending at once; a direct one gets its status with the result. */
export async function perform(actions: readonly Action[], workload: Workload, deps: OperatorDeps, signal: AbortSignal): Promise<void> {
  for (const action of actions) {
    switch (action.kind) {
      case 'confirm':
        await deps.access.digest(workload, action.reference, action.tag, signal);
        break;
      case 'inspect':
        await inspectDigest(action, workload, deps, signal);
        break;
      case 'record':
        await record(action, workload, deps, signal);
        break;
      case 'supersede':
        await supersede(action.message, { request: action.request, workload, deps, signal });
        break;
      case 'create':
        await create(action, workload, deps, signal);
        break;
    }
  }
}

/** A workload that changed meanwhile is planned for again. */
async function record(
  { container, digest }: Extract<Action, { kind: 'record' }>,
  workload: Workload,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<void> {
  const current = deps.workloads.get(workload);
  if (!current || current.uid !== workload.uid) return;
  try {
    await deps.workloads.apply(current, { images: new Map(), annotations: recordDigest(current.annotations, container, digest) }, signal);
  } catch (error) {
    if (!(error instanceof ApiError && (error.isConflict || error.isNotFound))) throw error;
  }
}

async function create(
  { name, spec, unverified }: Extract<Action, { kind: 'create' }>,
  workload: Workload,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<void> {
  const request = await deps.updateRequests.create({ namespace: workload.namespace, name, owner: workload, spec }, signal);
  if (unverified === undefined && spec.requireApproval === false) {
    logRequest(deps.log, request, 'UpdateAvailable', `${describe(request)} needs no approval`);
    return;
  }
  const condition = unverified === undefined ? verifiedCondition(spec.newDigest ?? '') : unverifiedCondition(unverified);
  await open({ request, workload, deps, signal }, condition);
}
