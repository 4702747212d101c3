import { workloadKinds } from './workload-kinds.ts';

/**
 * Every call this program makes of the API server, with the right it needs. The self-check at start and the RBAC manifests are made
 * from this table, so a call without a row fails under the shipped rights.
 */
export interface Permission {
  readonly group: string;
  /** With the subresource: `updaterequests/status`. */
  readonly resource: string;
  readonly verbs: readonly string[];
  /** In the watched namespaces, or in the operator's own. */
  readonly scope: 'watched' | 'home';
  /** Only objects of these names. */
  readonly names?: readonly string[];
  /** What does not work without it. */
  readonly without: string;
}

const requests = { group: 'headwind.sh', scope: 'watched' } as const;

const workloadRows: readonly Permission[] = Object.values(workloadKinds).map(({ kind, group, resource }) => ({
  group,
  resource,
  verbs: ['get', 'list', 'watch', 'patch'],
  scope: 'watched',
  without: `no ${kind} is seen or updated`,
}));

export const permissions: readonly Permission[] = [
  ...workloadRows,
  {
    ...requests,
    resource: 'updaterequests',
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
    without: 'no change can be proposed, approved or cleaned up',
  },
  { ...requests, resource: 'updaterequests/status', verbs: ['get', 'patch'], without: 'no change can be carried out' },
  {
    group: '',
    resource: 'secrets',
    verbs: ['get'],
    scope: 'watched',
    without: 'pull secrets are not used: private registries refuse the operator',
  },
  {
    group: '',
    resource: 'serviceaccounts',
    verbs: ['get'],
    scope: 'watched',
    without: 'pull secrets of service accounts are not used: private registries may refuse the operator',
  },
  ...['', 'events.k8s.io'].map((group) => ({
    group,
    resource: 'events',
    verbs: ['create', 'patch'],
    scope: 'watched' as const,
    without: 'nothing is told by Kubernetes Events',
  })),
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['create'],
    scope: 'home',
    without: 'no replica can become the leader: nothing is decided',
  },
  {
    group: 'coordination.k8s.io',
    resource: 'leases',
    verbs: ['get', 'update', 'patch'],
    scope: 'home',
    names: ['headwind'],
    without: 'no replica can become the leader: nothing is decided',
  },
];

/** `deployments.apps`, `secrets`: as people and kubectl write it. */
export function resourceName({ group, resource }: Pick<Permission, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}
