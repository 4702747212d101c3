import { type Permission, permissions, resourceName } from '../src/kubernetes/permissions.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const api = 'rbac.authorization.k8s.io/v1';
const account = 'headwind';

/** Rights of the operator for all namespaces, and roles to be bound to people. */
export function clusterRbac(home: string): object[] {
  return [
    serviceAccount(home),
    { apiVersion: api, kind: 'ClusterRole', metadata: { name: account }, rules: [...rulesOf('watched'), ...rulesOf('cluster')] },
    binding('ClusterRoleBinding', { name: account }, 'ClusterRole', home),
    { apiVersion: api, kind: 'Role', metadata: { name: account, namespace: home }, rules: rulesOf('home') },
    binding('RoleBinding', { name: account, namespace: home }, 'Role', home),
    ...peopleRoles(),
  ];
}

/** Rights of the operator in a single namespace, which is its home as well: for development. A Role cannot grant what has no namespace. */
export function localRbac(namespace: string): object[] {
  return [
    serviceAccount(namespace),
    { apiVersion: api, kind: 'Role', metadata: { name: account, namespace }, rules: [...rulesOf('watched'), ...rulesOf('home')] },
    binding('RoleBinding', { name: account, namespace }, 'Role', namespace),
  ];
}

/**
 * Rights for a single namespace in which operator and workloads live, as kube-autorollout has them: workloads, their pods, Secrets and the
 * operator's own objects. CronJobs are left out, and so is all that is optional but the ConfigMap of settings.
 */
export function namespaceRbac(namespace: string): object[] {
  const isWanted = ({ group, resource, optional, scope }: Permission): boolean =>
    group !== 'batch' && (optional !== true || (scope === 'home' && resource === 'configmaps'));
  return [
    serviceAccount(namespace),
    {
      apiVersion: api,
      kind: 'Role',
      metadata: { name: account, namespace },
      rules: [...rulesOf('watched', isWanted), ...rulesOf('home', isWanted)],
    },
    binding('RoleBinding', { name: account, namespace }, 'Role', namespace),
  ];
}

/**
 * The rules that the chart chooses from by its values. Every right is in exactly one part; the name of the ConfigMap is the chart's own.
 */
export function chartRules(): Readonly<Record<string, readonly Rule[]>> {
  const names = ['workloads', 'cronJobs', 'podDeletion', 'secrets', 'lease', 'settings', 'cluster'] as const;
  const parts = names.map((part) => [
    part,
    (['watched', 'home', 'cluster'] as const).flatMap((scope) => rulesOf(scope, (permission) => chartPart(permission) === part)),
  ]);
  return { ...Object.fromEntries(parts), viewer: [viewing], approver: approving, admin: administering };
}

function chartPart({ group, resource, verbs, scope }: Permission): string {
  if (scope === 'cluster') return 'cluster';
  if (scope === 'home') return resource === 'configmaps' ? 'settings' : 'lease';
  if (group === 'batch') return 'cronJobs';
  if (group === '' && resource === 'secrets') return 'secrets';
  return group === '' && resource === 'pods' && verbs.includes('delete') ? 'podDeletion' : 'workloads';
}

const scopes: Readonly<Record<Permission['scope'], string>> = {
  watched: 'watched namespaces',
  home: "the operator's own namespace",
  cluster: 'the cluster',
};

/** `docs/permissions.md` */
export function permissionsPage(): string {
  const rows = permissions.map(({ verbs, names, scope, without, optional, ...permission }) => {
    const named = names === undefined ? '' : ` (only \`${names.join('`, `')}\`)`;
    return `| \`${resourceName(permission)}\`${named} | ${verbs.join(' ')} | ${scopes[scope]} | ${optional === true ? 'optional' : 'yes'} | ${without} |`;
  });
  return `# Permissions

<!-- Generated from the code by \`node build/generate.ts\`. -->

Every call that Headwind makes of the API server needs one of these rights. \`deploy/k8s/rbac.yaml\` grants them all; \`deploy/k8s/rbac-local.yaml\`
grants those of one namespace, for development; the chart (\`charts/headwind\`) what its values ask for. At its start Headwind asks the API server which of them it has, and says of each that is missing
what does not work without it: in the log, and under \`/readyz?verbose\`.

| Resource | Verbs | Where | Needed | Without it |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

## Leaving some out

* An **optional** right that is missing is told once and never asks for attention again. Nothing waits for it.
* \`nodes\` belong to the cluster, so a Role in a namespace cannot grant them. Headwind then compares an image on all of its platforms.
* Without \`pods\`, \`replicasets\` or \`controllerrevisions\` updates to new tags go on. What cannot be observed is never taken for failed.
* What \`HEADWIND_WITHHELD_RIGHTS\` names (\`secrets,nodes,cronjobs.batch\`) is left out on purpose: it is not asked for, and nobody is told. The chart sets it to what its
  values leave out.
* Secrets are read by name, never listed. No right has a wildcard, and workloads are patched, never replaced.

## Roles for people

| Role | May |
| --- | --- |
| \`headwind-viewer\` | read update requests; part of \`view\` |
| \`headwind-approver\` | also approve, reject and roll back |
| \`headwind-admin\` | also create and delete update requests |
`;
}

const requests = { apiGroups: ['headwind.sh'], resources: ['updaterequests'] };
const viewing: Rule = { ...requests, verbs: ['get', 'list', 'watch'] };
const approving: readonly Rule[] = [
  viewing,
  { ...requests, verbs: ['approve', 'reject', 'rollback'] },
  { apiGroups: ['headwind.sh'], resources: ['updaterequests/status'], verbs: ['get', 'patch'] },
];

const administering: readonly Rule[] = [...approving, { ...requests, verbs: ['create', 'delete'] }];

function peopleRoles(): object[] {
  const role = (name: string, rules: readonly Rule[], labels?: object) => ({
    apiVersion: api,
    kind: 'ClusterRole',
    metadata: { name, ...(labels && { labels }) },
    rules,
  });
  return [
    role('headwind-viewer', [viewing], { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }),
    role('headwind-approver', approving),
    role('headwind-admin', administering),
  ];
}

/** Rows of one group with the same verbs become one rule. */
function rulesOf(scope: Permission['scope'], isWanted: (permission: Permission) => boolean = () => true): Rule[] {
  const rules = new Map<string, Rule>();
  for (const { group, resource, verbs, names, scope: rowScope } of permissions.filter((permission) => isWanted(permission))) {
    if (rowScope !== scope) continue;
    const key = JSON.stringify([group, verbs, names]);
    const resources = [...(rules.get(key)?.resources ?? []), resource];
    rules.set(key, { apiGroups: [group], resources, ...(names && { resourceNames: names }), verbs });
  }
  return [...rules.values()];
}

function serviceAccount(namespace: string): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account, namespace } };
}

function binding(kind: string, metadata: object, roleKind: string, home: string): object {
  return {
    apiVersion: api,
    kind,
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: account },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: home }],
  };
}
