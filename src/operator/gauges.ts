import type { MetricName } from '../core/metric-table.ts';
import { kindLabel, phaseOf } from '../core/update-request.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import type { Metrics } from '../ports.ts';
import type { OperatorDeps } from './deps.ts';
import type { Notes } from './notes.ts';

type Labels = Readonly<Record<string, string>>;

const watchedByKind: Readonly<Record<string, MetricName>> = {
  Deployment: 'deployments_watched',
  StatefulSet: 'statefulsets_watched',
  DaemonSet: 'daemonsets_watched',
};

/** Sets the gauges that describe the present from the caches; called before metrics are read, so that idle costs nothing. */
export function updateGauges({ workloads, updateRequests, notes, metrics }: OperatorDeps): void {
  const perKind = new Map(Object.keys(watchedByKind).map((kind) => [kind, 0]));
  const perPolicy = new Tally();
  const holds = new Tally();
  const available = new Tally();
  for (const workload of workloads.all()) {
    perKind.set(workload.kind, (perKind.get(workload.kind) ?? 0) + 1);
    perPolicy.add({ kind: workload.kind, policy: policyOf(workload, notes) });
    for (const { candidate, reason } of notes.plan(workloadKey(workload)) ?? []) {
      if (candidate !== undefined) available.add({ kind: workload.kind });
      if (candidate === undefined || reason === 'DryRun') holds.add({ kind: workload.kind, reason });
    }
  }
  for (const [kind, name] of Object.entries(watchedByKind)) metrics.set(name, perKind.get(kind) ?? 0);
  let pending = 0;
  const phases = new Tally();
  for (const request of updateRequests.all()) {
    const phase = phaseOf(request);
    if (phase === 'Pending') pending++;
    phases.add({ kind: kindLabel(request), phase });
  }
  metrics.set('updates_pending', pending);
  perPolicy.write(metrics, 'workloads');
  holds.write(metrics, 'holds');
  available.write(metrics, 'update_available');
  phases.write(metrics, 'update_requests');
}

/** A closed set of words: what somebody wrote into an annotation never becomes a label. */
function policyOf(workload: Workload, notes: Notes): string {
  const [first] = workload.slots;
  const settings = first && notes.settings(workload).container(first.container);
  return settings && !('held' in settings) ? settings.policy.name : 'invalid';
}

class Tally {
  readonly #counts = new Map<string, { labels: Labels; count: number }>();

  add(labels: Labels): void {
    const key = Object.values(labels).join(' ');
    const known = this.#counts.get(key);
    if (known) known.count++;
    else this.#counts.set(key, { labels, count: 1 });
  }

  write(metrics: Metrics, name: MetricName): void {
    metrics.reset(name);
    for (const { labels, count } of this.#counts.values()) metrics.set(name, count, labels);
  }
}
