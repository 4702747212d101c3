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

/** `/apis/apps/v1/deployments`, or `/apis/apps/v1/namespaces/shop/deployments`, or one object of it. */
export function workloadPath(kind: WorkloadKind, namespace?: string, name?: string): string {
  const { apiVersion, resource } = workloadKinds[kind];
  return resourcePath(apiVersion, resource, namespace, name);
}

/** The URL path of a resource: cluster-wide, of a namespace, or of one object. */
export function resourcePath(apiVersion: string, resource: string, namespace?: string, name?: string): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${scope}/${resource}${object}`;
}
