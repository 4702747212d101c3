import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { Platform, Pods, RunningPod } from '../ports.ts';
import type { KubeClient } from './client.ts';
import { formatSelector } from './label-selector.ts';
import { listPages } from './list-pages.ts';
import { NodePlatforms } from './node-platforms.ts';
import { membershipOf } from './pod-revision.ts';
import { type RawObject, recordAt } from './raw.ts';
import { resourcePath } from './resource-path.ts';
import { type TrimmedPod, trimPod } from './trim-pod.ts';
import { workloadKinds } from './workload-kinds.ts';

interface KubePodsOptions {
  readonly client: Pick<KubeClient, 'json'>;
  /** Monotonic milliseconds, for how long nodes are remembered. */
  readonly now?: () => number;
}

/**
 * The pods of one workload at a time: its object, its pods, and what tells their revisions apart; nodes are asked for once in minutes.
 * Nothing is watched and no pod is kept.
 */
export class KubePods implements Pods {
  readonly #client: Pick<KubeClient, 'json'>;
  readonly #nodes: NodePlatforms;

  constructor({ client, now = () => performance.now() }: KubePodsOptions) {
    this.#client = client;
    this.#nodes = new NodePlatforms({ client, now });
  }

  async of(workload: Workload, signal: AbortSignal): Promise<readonly RunningPod[]> {
    signal.throwIfAborted();
    // Its pods belong to Jobs, which end by themselves.
    if (workload.kind === 'CronJob') return [];
    const raw = await this.#read(workload, signal);
    if (raw === undefined) return [];
    const labelSelector = formatSelector(recordAt(raw, 'spec', 'selector'));
    const path = resourcePath('v1', 'pods', workload.namespace);
    const pods = await listPages(this.#client, { path, labelSelector, trim: trimPod, signal });
    if (pods.length === 0) return [];
    // After the pods: a ReplicaSet that was made meanwhile has none of these, one that is gone had none left.
    const memberOf = await membershipOf(this.#client, { workload, raw, labelSelector, signal });
    const own = pods.flatMap((pod) => {
      const revision = memberOf(pod);
      return revision === undefined ? [] : [{ pod, isCurrentRevision: revision === 'current' }];
    });
    const platforms = await this.#nodes.of(new Set(own.flatMap(({ pod }) => pod.node ?? [])), signal);
    return own.map(({ pod, isCurrentRevision }) => runningPod(pod, isCurrentRevision, platforms));
  }

  platforms(signal: AbortSignal): Promise<readonly Platform[] | undefined> {
    return this.#nodes.all(signal);
  }

  async delete(workload: Workload, { name, uid }: RunningPod, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
    try {
      await this.#client.json('DELETE', resourcePath('v1', 'pods', workload.namespace, name), { body, signal });
    } catch (error) {
      // Nobody, or somebody else by now: the pod that was meant is gone.
      if (!(error instanceof ApiError) || !(error.isNotFound || error.isConflict)) throw error;
    }
  }

  /** The object as it is now; `undefined` when it is gone, or another one has its name. */
  async #read({ kind, namespace, name, uid }: Workload, signal: AbortSignal): Promise<RawObject | undefined> {
    const { apiVersion, resource } = workloadKinds[kind];
    try {
      const raw = await this.#client.json<RawObject>('GET', resourcePath(apiVersion, resource, namespace, name), { signal });
      return recordAt(raw, 'metadata')['uid'] === uid ? raw : undefined;
    } catch (error) {
      if (error instanceof ApiError && error.isNotFound) return undefined;
      throw error;
    }
  }
}

function runningPod(pod: TrimmedPod, isCurrentRevision: boolean, platforms: ReadonlyMap<string, Platform>): RunningPod {
  const { name, uid, isReady, containers, node, pullSecretNames } = pod;
  const platform = node === undefined ? undefined : platforms.get(node);
  return { name, uid, isCurrentRevision, isReady, containers, platform, ...(pullSecretNames.length > 0 && { pullSecretNames }) };
}
