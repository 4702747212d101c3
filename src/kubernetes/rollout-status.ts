import type { Rollout } from '../core/workload.ts';
import { isRecord, numberOf, type RawObject, recordAt, recordsOf, textOf } from './raw.ts';

/** What the status of an object says about its rollout. Total: missing numbers read as nothing reported yet. */
export type RolloutStatus = (object: RawObject) => Rollout;

/** The Deployment controller is done when all pods are of the new template and no old one is left. */
export function deploymentRollout(object: RawObject): Rollout {
  return whenObserved(object, (status) => {
    const desired = replicasOf(object);
    if (desired === 0) return scaledToNothing;
    const updated = numberOf(status['updatedReplicas']) ?? 0;
    const total = numberOf(status['replicas']) ?? 0;
    if (updated < desired) return hasStalled(object, status) ? stalled : running(`${updated} of ${desired} pods are updated`);
    if (total > updated) return hasStalled(object, status) ? stalled : running(stillThere(total - updated));
    if (updated > desired) return running(`${updated} pods are there, ${desired} are wanted`);
    const outcome = availability(numberOf(status['availableReplicas']) ?? 0, desired);
    return outcome.healthy || !hasStalled(object, status) ? outcome : { ...outcome, failed: true };
  });
}

function stillThere(old: number): string {
  return old === 1 ? '1 old pod is still there' : `${old} old pods are still there`;
}

/** With a partition, the pods above it; without one, all of them are of the new revision. */
export function statefulSetRollout(object: RawObject): Rollout {
  const strategy = recordAt(object, 'spec', 'updateStrategy');
  return whenObserved(object, (status) => {
    if (strategy['type'] === 'OnDelete') return changesOnDelete;
    const desired = replicasOf(object);
    if (desired === 0) return scaledToNothing;
    const partition = numberOf(recordAt(strategy, 'rollingUpdate')['partition']) ?? 0;
    const updated = numberOf(status['updatedReplicas']) ?? 0;
    const wanted = Math.max(0, desired - partition);
    const isDone = partition > 0 ? updated >= wanted : status['currentRevision'] === status['updateRevision'];
    if (!isDone) return running(`${updated} of ${wanted} pods are updated`);
    return availability(numberOf(status['availableReplicas']) ?? numberOf(status['readyReplicas']) ?? 0, desired);
  });
}

/** A DaemonSet is done when every node that should run it runs the new pod. */
export function daemonSetRollout(object: RawObject): Rollout {
  return whenObserved(object, (status) => {
    if (recordAt(object, 'spec', 'updateStrategy')['type'] === 'OnDelete') return changesOnDelete;
    const desired = numberOf(status['desiredNumberScheduled']) ?? 0;
    if (desired === 0) return scaledToNothing;
    const updated = numberOf(status['updatedNumberScheduled']) ?? 0;
    if (updated !== desired) return running(`${updated} of ${desired} pods are updated`);
    return availability(numberOf(status['numberAvailable']) ?? 0, desired);
  });
}

/** A CronJob has nothing to roll out: its next job uses the new template. */
export function cronJobRollout(): Rollout {
  return noRollout;
}

const noRollout = done('a CronJob has no rollout: its next job uses the new template', 'NoRollout');
const changesOnDelete = done('the update strategy is OnDelete: a pod changes when somebody deletes it', 'OnDelete');
const scaledToNothing = done('no pods are wanted');
const stalled: Rollout = { ...running('the rollout has exceeded its progress deadline'), failed: true };
const unobserved = running('the controller has not seen the latest change yet');

function whenObserved(object: RawObject, judge: (status: RawObject) => Rollout): Rollout {
  const status = recordAt(object, 'status');
  const generation = numberOf(recordAt(object, 'metadata')['generation']) ?? 0;
  const observed = numberOf(status['observedGeneration']) ?? -1;
  return observed >= generation ? judge(status) : unobserved;
}

/** The API server writes the default of 1; a missing number is one as well. */
function replicasOf(object: RawObject): number {
  return numberOf(recordAt(object, 'spec')['replicas']) ?? 1;
}

function availability(available: number, desired: number): Rollout {
  if (available >= desired) return { settled: true, healthy: true, message: `all ${desired} pods are updated and available` };
  return { settled: true, healthy: false, message: `${available} of ${desired} pods are available` };
}

/**
 * The controller goes on trying; it only says that it took too long. When the template goes back to an earlier one, it leaves what it said of
 * the failed one standing for a while: that says nothing about the template as it is now.
 */
function hasStalled(object: RawObject, status: RawObject): boolean {
  const failure = recordsOf(status['conditions']).find(
    ({ type, status: value, reason }) => type === 'Progressing' && value === 'False' && reason === 'ProgressDeadlineExceeded',
  );
  if (!failure) return false;
  const failedAtMs = Date.parse(textOf(failure['lastTransitionTime']) ?? '');
  // Times have whole seconds, and no deadline is shorter than one.
  return !(failedAtMs <= templateChangedAtMs(object));
}

/** When somebody last changed the pod template, as far as the API server keeps that; otherwise long ago. */
function templateChangedAtMs(object: RawObject): number {
  const times = recordsOf(recordAt(object, 'metadata')['managedFields'])
    .filter((entry) => textOf(entry['subresource']) === undefined && isRecord(recordAt(entry, 'fieldsV1', 'f:spec')['f:template']))
    .map((entry) => Date.parse(textOf(entry['time']) ?? ''));
  return Math.max(Number.NEGATIVE_INFINITY, ...times.filter((time) => !Number.isNaN(time)));
}

function running(message: string): Rollout {
  return { settled: false, healthy: false, message };
}

function done(message: string, unwatched?: 'NoRollout' | 'OnDelete'): Rollout {
  return { settled: true, healthy: true, message, ...(unwatched === undefined ? {} : { unwatched }) };
}
