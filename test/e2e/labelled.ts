import type { Manifest } from '../cluster/kube-client.ts';
import { workload, type WorkloadOptions } from './manifests.ts';

export interface LabelledOptions extends Omit<WorkloadOptions, 'settings'> {
  /** As of any workload; its registry is looked at every second unless `polling-interval` says otherwise, or is undefined. */
  readonly settings?: Readonly<Record<string, string | undefined>>;
  /** Of all containers. */
  readonly pull?: 'Always' | 'IfNotPresent';
}

/** A workload with the label `kube-autorollout/enabled` instead of a policy, unless the settings have one. */
export function labelled({ pull, settings = {}, ...options }: LabelledOptions): Manifest {
  const entries = Object.entries({ 'polling-interval': '1', ...settings }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  );
  const manifest = workload({ ...options, settings: Object.fromEntries(entries) });
  const { metadata, spec } = manifest;
  if (settings['policy'] === undefined) delete metadata['annotations']['headwind.sh/policy'];
  const pods = (spec.jobTemplate?.spec ?? spec).template.spec;
  if (pull !== undefined) for (const container of pods.containers) container.imagePullPolicy = pull;
  return { ...manifest, metadata: { ...metadata, labels: { 'kube-autorollout/enabled': 'true' } } };
}
