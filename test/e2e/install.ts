import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import type { ClusterAccess } from '../cluster/access.ts';
import type { Manifest } from '../cluster/kube-client.ts';

const folder = join(import.meta.dirname, '../../deploy/k8s');
const home = 'headwind-system';
const account = 'headwind';
/** How the API server names the operator: its requests are counted by it. */
export const operatorUser = `system:serviceaccount:${home}:${account}`;
export const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/updaterequests.headwind.sh';
const installed = new Map<string, Promise<unknown>>();

export function shippedManifests(...files: readonly ('namespace.yaml' | 'crds/updaterequest.yaml' | 'rbac.yaml')[]): Manifest[] {
  return files.flatMap((file) => {
    const documents: any[] = loadAll(readFileSync(join(folder, file), 'utf8'));
    return documents;
  });
}

/** Namespace, CRD and RBAC exactly as shipped; once per cluster and process. */
export function install(cluster: ClusterAccess): Promise<unknown> {
  const known = installed.get(cluster.url);
  if (known) return known;
  const installing = cluster.apply(shippedManifests('namespace.yaml', 'crds/updaterequest.yaml', 'rbac.yaml'));
  installed.set(cluster.url, installing);
  return installing;
}

/** The shipped Role for the Lease in another home, so that several operators share a cluster; resolves when the right is in force. */
export async function installHome(cluster: ClusterAccess, namespace: string): Promise<void> {
  const shipped = shippedManifests('rbac.yaml').filter(({ kind }) => kind === 'Role' || kind === 'RoleBinding');
  await cluster.apply(shipped.map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })));
}

/** A kubeconfig of the operator's ServiceAccount, once the shipped rights are in force in that home. */
export async function operatorKubeconfig(cluster: ClusterAccess, namespace = home): Promise<string> {
  const token = await cluster.serviceAccountToken(home, account);
  const client = cluster.clientFor(token);
  const lease = { group: 'coordination.k8s.io', resource: 'leases', verb: 'update', namespace, name: 'headwind' };
  const workloads = { group: 'apps', resource: 'deployments', verb: 'patch' };
  for (const resourceAttributes of [lease, workloads]) {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
    await cluster.until(`the right to ${resourceAttributes.verb} ${resourceAttributes.resource} is in force`, async () => {
      return (await client.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).body.status.allowed;
    });
  }
  client.close();
  return cluster.kubeconfigFor('operator', token);
}
