import type { WorkloadKind } from '../../src/core/workload.ts';
import type { ApiObject, ApiObjects } from './api-objects.ts';

/** Workloads with the objects that controllers and the kubelet make for them, for the fake API server. */

export const collections = {
  Deployment: '/apis/apps/v1/deployments',
  StatefulSet: '/apis/apps/v1/statefulsets',
  DaemonSet: '/apis/apps/v1/daemonsets',
  ReplicaSet: '/apis/apps/v1/replicasets',
  ControllerRevision: '/apis/apps/v1/controllerrevisions',
  Pod: '/api/v1/pods',
  Node: '/api/v1/nodes',
} as const;

export type RolloutKind = Exclude<WorkloadKind, 'CronJob'>;

export interface RevisionOptions {
  /** Number of the revision: the highest is the newest. */
  readonly number: number;
  /** What tells its pods from others. */
  readonly hash: string;
  readonly images?: Readonly<Record<string, string>>;
  readonly initImages?: Readonly<Record<string, string>>;
  readonly pods?: number;
  /** Nodes in turn. */
  readonly nodes?: readonly string[];
  readonly digestOf?: (image: string) => string;
}

/** The workload as its controller leaves it, with one revision after the other; the last one given is its template. */
export function putWorkload(objects: ApiObjects, kind: RolloutKind, name: string, revisions: readonly RevisionOptions[]): ApiObject {
  const newest = revisions.at(-1) ?? { number: 1, hash: 'a' };
  const workload = objects.put(collections[kind], {
    metadata: {
      name,
      namespace: 'shop',
      annotations: { 'headwind.sh/policy': 'digest', 'deployment.kubernetes.io/revision': String(newest.number) },
    },
    spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: podSpec(newest) } },
    status: { observedGeneration: 1, updateRevision: `${name}-${newest.hash}` },
  });
  for (const revision of revisions) putRevision(objects, kind, workload, revision);
  return workload;
}

/** A revision of the workload: its ReplicaSet or ControllerRevision, and its pods. */
export function putRevision(objects: ApiObjects, kind: RolloutKind, workload: ApiObject, revision: RevisionOptions): ApiObject[] {
  const { number, hash, pods = 1, nodes = ['node-1'] } = revision;
  const { name } = workload.metadata;
  const isDeployment = kind === 'Deployment';
  const hashLabel = isDeployment
    ? { 'pod-template-hash': hash }
    : { 'controller-revision-hash': kind === 'StatefulSet' ? `${name}-${hash}` : hash };
  const labels = { app: name, ...hashLabel };
  const metadata = { name: `${name}-${hash}`, namespace: 'shop', labels, ownerReferences: [ownerOf(kind, workload)] };
  const keeper = isDeployment
    ? objects.put(collections.ReplicaSet, {
        metadata: { ...metadata, annotations: { 'deployment.kubernetes.io/revision': String(number) } },
      })
    : objects.put(collections.ControllerRevision, { metadata, revision: number, data: {} });
  const owner = isDeployment ? ownerOf('ReplicaSet', keeper) : ownerOf(kind, workload);
  return Array.from({ length: pods }, (_, index) => {
    const node = nodes[index % nodes.length];
    return objects.put(collections.Pod, {
      metadata: { name: `${name}-${hash}-${index}`, namespace: 'shop', labels, ownerReferences: [owner] },
      spec: { nodeName: node, ...podSpec(revision) },
      status: podStatus(revision),
    });
  });
}

export function putNode(objects: ApiObjects, name: string, architecture = 'amd64'): void {
  objects.put(collections.Node, {
    metadata: { name, labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': architecture } },
    status: { nodeInfo: { operatingSystem: 'linux', architecture } },
  });
}

function ownerOf(kind: string, { metadata }: ApiObject): object {
  return { apiVersion: 'apps/v1', kind, name: metadata['name'], uid: metadata['uid'], controller: true };
}

function podSpec({ images = { web: 'nginx:1.25' }, initImages = {} }: Partial<RevisionOptions>): object {
  const list = (all: Readonly<Record<string, string>>) => Object.entries(all).map(([name, image]) => ({ name, image }));
  return { containers: list(images), initContainers: list(initImages) };
}

function podStatus({ images = { web: 'nginx:1.25' }, initImages = {}, digestOf = defaultDigest }: RevisionOptions): object {
  const list = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).map(([name, image]) => ({
      name,
      image: 'some/other:tag',
      imageID: `some/other@${digestOf(image)}`,
      state: { running: {} },
    }));
  return {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: list(images),
    initContainerStatuses: list(initImages),
  };
}

function defaultDigest(): string {
  return `sha256:${'a'.repeat(64)}`;
}
