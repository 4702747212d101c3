import type { DigestComparison } from '../core/compare-digests.ts';
import type { Action } from '../core/plan.ts';
import { type Compared, rolloutMark } from '../core/plan-digest.ts';
import { recordedDigest } from '../core/history.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import { comparePods, type PodComparison } from './compare-pods.ts';
import type { OperatorDeps } from './deps.ts';
import { reasonOf } from './repository-access.ts';

type Inspect = Extract<Action, { kind: 'inspect' }>;

/** What brought us here was learnt just now; of a neighbour nobody may have asked for long. */
const newsMs = 5_000;
const firstWaitMs = 10_000;
const longestWaitMs = 600_000;
const quietMs = 600_000;

/**
 * Finds out whether the pods run what the registry has behind the running tag, and notes it for the next plan. What may change by itself (a
 * pod that starts, a platform that is still to come, a registry that is down) is looked at again, at growing intervals.
 */
export async function inspectDigest(
  { slot, reference, tag, tip }: Inspect,
  workload: Workload,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<void> {
  const { notes, clock, access, log } = deps;
  if (workload.autorollout)
    log.debug({ kind: workload.kind, namespace: workload.namespace, resource: workload.name }, 'Found resource with label');
  const key = workloadKey(workload);
  const note = (offered: string, result: Compared['result'], isFinal: boolean): void => {
    const before = notes.compared(key, slot.container);
    const tries = isFinal || before?.tip !== tip ? 0 : before.tries + 1;
    const againAtMs = isFinal ? undefined : clock.now() + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(tries, 10));
    notes.setCompared(key, slot.container, {
      tip,
      at: clock.now(),
      image: slot.image,
      offered,
      result,
      rollout: rolloutMark(workload),
      againAtMs,
      tries,
      looks: before !== undefined && clock.now() - before.at < quietMs ? (before.looks ?? 0) + 1 : 0,
    });
  };
  try {
    const offered = await access.digest(workload, reference, tag, signal, { maxAgeMs: newsMs });
    const found = await comparePods(
      { workload, container: slot.container, reference, offered, stalled: isStalled(workload, deps) },
      deps,
      signal,
    );
    const result = 'unobservable' in found ? withoutPods(found, workload, slot.container) : plain(found);
    note(offered, result, 'outcome' in result && (result.outcome === 'same' || result.outcome === 'changed'));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    note('', { reason: reasonOf(error), message: error.message }, false);
  }
}

/** Notes outlive the pods. */
function plain({ outcome, running, missing }: DigestComparison): DigestComparison {
  return { outcome, running, missing };
}

/** Without the right to pods, what we applied last counts; where we never applied anything, nobody can tell. */
function withoutPods(
  { unobservable }: Extract<PodComparison, { unobservable: string }>,
  { annotations }: Workload,
  container: string,
): Compared['result'] {
  const running = recordedDigest(annotations, container);
  if (running === undefined) return { reason: 'CannotObserve', message: unobservable };
  return { outcome: 'changed', running, missing: [] };
}

function isStalled(workload: Workload, { notes, clock }: OperatorDeps): boolean {
  if (workload.rollout.settled) return false;
  if (workload.rollout.failed) return true;
  const since = notes.unsettledSince(workload, clock.now());
  return since !== undefined && clock.now() - since >= notes.settings(workload).rollbackTimeoutMs;
}
