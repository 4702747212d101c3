import type { Workload, WorkloadKind } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { resourcePath } from '../kubernetes/resource-path.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import { readManifestWorkload } from './manifest-workload.ts';

/** Whose pods would pull, and how that is told. */
export interface Puller {
  readonly workload: Workload;
  readonly pullsAs: string | null;
}

/** A workload as it is, managed or not; without one a pod that names no pull secrets, so that those of the ServiceAccount `default` count. Throws ApiError. */
export async function readPuller(
  client: Pick<KubeClient, 'json'>,
  namespace: string,
  target: { readonly kind: WorkloadKind; readonly name: string } | undefined,
): Promise<Puller> {
  if (!target) return { workload: podOf(namespace), pullsAs: `ServiceAccount ${namespace}/default` };
  const { kind, name } = target;
  const { apiVersion, resource } = workloadKinds[kind];
  const raw = await client.json('GET', resourcePath(apiVersion, resource, namespace, name));
  const found = readManifestWorkload(raw, namespace)?.workload;
  if (!found) throw new ApiError(422, 'Invalid', `${kind} ${namespace}/${name} has no containers`);
  return { workload: found, pullsAs: `${kind} ${namespace}/${name}` };
}

/** Without a cluster. */
export function nobody(): Puller {
  return { workload: podOf('default'), pullsAs: null };
}

function podOf(namespace: string): Workload {
  const pod = { containers: [{ name: 'check', image: 'check' }] };
  const metadata = { name: 'registry-check', namespace };
  const found = readManifestWorkload({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { template: { spec: pod } } }, namespace);
  if (!found) throw new Error('a manifest of our own cannot be read');
  return found.workload;
}
