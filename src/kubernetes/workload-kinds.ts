import type { WorkloadKind } from '../core/workload.ts';
import { cronJobRollout, daemonSetRollout, deploymentRollout, type RolloutStatus, statefulSetRollout } from './rollout-status.ts';

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
}

const template = ['spec', 'template'];
const apps = { group: 'apps', apiVersion: 'apps/v1', podTemplate: template };

export const workloadKinds: { readonly [K in WorkloadKind]: WorkloadKindRow & { readonly kind: K } } = {
  Deployment: { kind: 'Deployment', ...apps, resource: 'deployments', rollout: deploymentRollout },
  StatefulSet: { kind: 'StatefulSet', ...apps, resource: 'statefulsets', rollout: statefulSetRollout },
  DaemonSet: { kind: 'DaemonSet', ...apps, resource: 'daemonsets', rollout: daemonSetRollout },
  CronJob: {
    kind: 'CronJob',
    group: 'batch',
    apiVersion: 'batch/v1',
    resource: 'cronjobs',
    podTemplate: ['spec', 'jobTemplate', ...template],
    rollout: cronJobRollout,
  },
};
