/** The workload kinds that have a pod template. A new kind is a row in kubernetes/workload-kinds.ts and a word here. */
export const workloadKindNames = ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'] as const;
export type WorkloadKind = (typeof workloadKindNames)[number];

export interface WorkloadRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One place of a workload that holds an image: a container or an init container. */
export interface Slot {
  readonly container: string;
  readonly init: boolean;
  /** The image exactly as it stands in the pod template. */
  readonly image: string;
  readonly pullPolicy?: string;
}

/** What the API server's status says about the running rollout, reduced to what decisions need. */
export interface Rollout {
  /** No rollout is running: safe to start one. */
  readonly settled: boolean;
  readonly healthy: boolean;
  /** A sentence for people, for example `2 of 3 pods are updated`. */
  readonly message: string;
  /** Why a change of this workload cannot be watched: nothing rolls out by itself. */
  readonly unwatched?: 'NoRollout' | 'OnDelete';
  /** The controller gave up: `ProgressDeadlineExceeded`. */
  readonly failed?: true;
}

/** A managed workload, trimmed to what decisions read. Never changed after it was built. */
export interface Workload extends WorkloadRef {
  readonly kind: WorkloadKind;
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Has the label `kube-autorollout/enabled=true`. */
  readonly autorollout: boolean;
  /** No pods are wanted (0 replicas, no node to run on). */
  readonly wantsNoPods: boolean;
  /** A StatefulSet whose partition keeps some pods at the old revision. */
  readonly partitioned: boolean;
  /** Only `headwind.sh/*`. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly slots: readonly Slot[];
  readonly serviceAccountName: string;
  readonly pullSecretNames: readonly string[];
  /** `spec.paused`, or `spec.suspend` of a CronJob does not count: its template may change. */
  readonly paused: boolean;
  readonly rollout: Rollout;
}

/** `Deployment/shop/web`: the key of queues, stores and maps. */
export function workloadKey(ref: WorkloadRef): string {
  // Joined: a template makes a rope of pieces, twice the size, and thousands of these are kept.
  return [ref.kind, ref.namespace, ref.name].join('/');
}

/** The inverse of {@link workloadKey}. */
export function parseWorkloadKey(key: string): WorkloadRef {
  const [kind = '', namespace = '', name = ''] = key.split('/');
  return { kind, namespace, name };
}
