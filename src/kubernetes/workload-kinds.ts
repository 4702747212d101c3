import type { WorkloadKind } from '../core/workload.ts';
import type { RawObject } from './raw.ts';
import { cronJobRollout, daemonSetRollout, deploymentRollout, type RolloutStatus, statefulSetRollout } from './rollout-status.ts';
import { hasPartition, wantsNoNode, wantsNoReplicas } from './wanted-pods.ts';

/** All that differs from kind to kind. A new kind with a pod template is a new row. */
export interface WorkloadKindRow {
  readonly kind: WorkloadKind;
  readonly group: string;
  readonly apiVersion: string;
  /** Plural, as in URLs and RBAC rules. */
  readonly resource: string;
  /** Where in the object the pod template is. */
  readonly podTemplate: readonly string[];
  readonly rollout: RolloutStatus;
  readonly wantsNoPods: (object: RawObject) => boolean;
  readonly partitioned: (object: RawObject) => boolean;
}

const never = () => false;
const template = ['spec', 'template'];
const apps = { group: 'apps', apiVersion: 'apps/v1', podTemplate: template, wantsNoPods: wantsNoReplicas, partitioned: never };

export const workloadKinds: { readonly [K in WorkloadKind]: WorkloadKindRow & { readonly kind: K } } = {
  Deployment: { kind: 'Deployment', ...apps, resource: 'deployments', rollout: deploymentRollout },
  StatefulSet: { kind: 'StatefulSet', ...apps, resource: 'statefulsets', rollout: statefulSetRollout, partitioned: hasPartition },
  DaemonSet: { kind: 'DaemonSet', ...apps, resource: 'daemonsets', rollout: daemonSetRollout, wantsNoPods: wantsNoNode },
  CronJob: {
    kind: 'CronJob',
    group: 'batch',
    apiVersion: 'batch/v1',
    resource: 'cronjobs',
    podTemplate: ['spec', 'jobTemplate', ...template],
    rollout: cronJobRollout,
    wantsNoPods: never,
    partitioned: never,
  },
};
