import type { KubeClient } from './client.ts';
import { type Permission, permissions, resourceName } from './permissions.ts';

export interface MissingPermission {
  readonly permission: Permission;
  readonly verbs: readonly string[];
  /** `undefined`: in all namespaces. */
  readonly namespace: string | undefined;
  /** Names the rule and what stops working without it. */
  readonly sentence: string;
}

export interface PermissionScope {
  /** Empty: all namespaces. */
  readonly watchNamespaces: readonly string[];
  readonly home: string;
  /** The ConfigMap of settings, where it has another name than usual. */
  readonly configMapName?: string;
  /** Resources whose rights nobody misses. */
  readonly withheld?: ReadonlySet<string>;
}

type Client = Pick<KubeClient, 'json'>;

/** Asks the API server which of the rights in the table this process does not have. Throws ApiError when it cannot be asked. */
export async function checkPermissions(client: Client, scope: PermissionScope, signal: AbortSignal): Promise<MissingPermission[]> {
  const wanted = permissions.filter((permission) => scope.withheld?.has(resourceName(permission)) !== true);
  const renamed = wanted.map((permission) => withName(permission, scope));
  const questions = renamed.flatMap((permission) => namespacesOf(permission, scope).map((namespace) => ({ permission, namespace })));
  const answers = await Promise.all(
    questions.map(async ({ permission, namespace }) => {
      const verbs = await refusedVerbs(client, permission, namespace, signal);
      return { permission, namespace, verbs, sentence: sentenceFor(permission, verbs, namespace) };
    }),
  );
  return answers.filter(({ verbs }) => verbs.length > 0);
}

function withName(permission: Permission, { configMapName }: PermissionScope): Permission {
  const isSettings = permission.scope === 'home' && permission.resource === 'configmaps';
  return configMapName === undefined || !isSettings ? permission : { ...permission, names: [configMapName] };
}

function namespacesOf({ scope }: Permission, { watchNamespaces, home }: PermissionScope): readonly (string | undefined)[] {
  if (scope === 'home') return [home];
  if (scope === 'cluster') return [undefined];
  return watchNamespaces.length === 0 ? [undefined] : watchNamespaces;
}

async function refusedVerbs(client: Client, permission: Permission, namespace: string | undefined, signal: AbortSignal): Promise<string[]> {
  const allowed = await Promise.all(permission.verbs.map((verb) => isAllowed(client, permission, verb, namespace, signal)));
  return permission.verbs.filter((_verb, index) => allowed[index] !== true);
}

async function isAllowed(client: Client, permission: Permission, verb: string, namespace: string | undefined, signal: AbortSignal) {
  const [resource, subresource] = permission.resource.split('/');
  const review = await client.json<{ status?: { allowed?: boolean } }>('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    signal,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { group: permission.group, resource, subresource, verb, namespace, name: permission.names?.[0] } },
    },
  });
  return review.status?.allowed === true;
}

function sentenceFor(permission: Permission, verbs: readonly string[], namespace: string | undefined): string {
  const where = permission.scope === 'cluster' ? 'the cluster' : namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  const named = permission.names === undefined ? '' : ` ${permission.names.join(', ')}`;
  const rule = permission.optional === true ? 'optional right' : 'right';
  return `the ${rule} to ${verbs.join(', ')} ${resourceName(permission)}${named} in ${where} is missing: ${permission.without}`;
}
