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
  /** In the watched namespaces, in the operator's own, or for objects that have none. */
  readonly scope: 'watched' | 'home' | 'cluster';
  /** Only objects of these names. */
  readonly names?: readonly string[];
  /** What does not work without it. */
  readonly without: string;
  /** Whoever does not want that may leave it out: told once, never waited for. */
  readonly optional?: true;
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
    resource: 'pods',
    verbs: ['get', 'list'],
    scope: 'watched',
    without: 'what pods run is not seen: a new digest is compared with the last one applied alone, and nobody sees whether pods run it',
  },
  ...['replicasets', 'controllerrevisions'].map((resource) => ({
    group: 'apps',
    resource,
    verbs: ['get', 'list'],
    scope: 'watched' as const,
    without: `pods of ${resource === 'replicasets' ? 'Deployments' : 'DaemonSets'} are not told apart by revision: what they run does not count`,
  })),
  {
    group: '',
    resource: 'pods',
    verbs: ['delete'],
    scope: 'watched',
    without: '`headwind.sh/delete-pods` has no effect: stale pods of a workload with OnDelete stay',
    optional: true,
  },
  {
    group: '',
    resource: 'nodes',
    verbs: ['get', 'list'],
    scope: 'cluster',
    without: 'the platforms in use are not known: a new digest counts when any platform of the image changed',
    optional: true,
  },
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
  {
    group: '',
    resource: 'configmaps',
    verbs: ['get', 'list', 'watch'],
    scope: 'home',
    names: ['headwind-config'],
    without: 'settings in the ConfigMap headwind-config have no effect; those of environment and file have',
    optional: true,
  },
];

/** `deployments.apps`, `secrets`: as people and kubectl write it. */
export function resourceName({ group, resource }: Pick<Permission, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}
