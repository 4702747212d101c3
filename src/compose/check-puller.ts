import type { Workload, WorkloadKind } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { KubePods } from '../kubernetes/pods.ts';
import { recordAt, textOf } from '../kubernetes/raw.ts';
import { resourcePath } from '../kubernetes/resource-path.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import type { RunningPod } from '../ports.ts';
import { readManifestWorkload } from './manifest-workload.ts';

/** Whose pods would pull, and how that is told. */
export interface Puller {
  readonly workload: Workload;
  readonly pullsAs: string | null;
  /** What a live pod of it lists, which admission may have put there; undefined: no pod, or none that may be read. */
  readonly podPullSecretNames?: readonly string[] | undefined;
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
  const workload = { ...found, uid: textOf(recordAt(raw, 'metadata')['uid']) ?? found.uid };
  const pod = await currentPod(client, workload);
  const pullsAs = `${kind} ${namespace}/${name}${pod ? `, pod ${pod.name}` : ''}`;
  return { workload, pullsAs, podPullSecretNames: pod && (pod.pullSecretNames ?? found.pullSecretNames) };
}

async function currentPod(client: Pick<KubeClient, 'json'>, workload: Workload): Promise<RunningPod | undefined> {
  try {
    const pods = await new KubePods({ client }).of(workload, new AbortController().signal);
    return pods.find(({ isCurrentRevision }) => isCurrentRevision);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return undefined;
    throw error;
  }
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
