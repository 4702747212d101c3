import { type Workload, workloadKey } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import type { Platform, Pods, RunningContainer, RunningPod } from '../../src/ports.ts';

/** A ready pod of the newest revision with one container `web` of nginx 1.25. A test states only what it is about. */
export function aRunningPod(
  overrides: Partial<Omit<RunningPod, 'containers'>> & { containers?: Partial<RunningContainer>[] } = {},
): RunningPod {
  const name = overrides.name ?? 'web-0';
  return {
    name,
    uid: `uid-${name}`,
    isCurrentRevision: true,
    isReady: true,
    platform: { os: 'linux', architecture: 'amd64' },
    ...overrides,
    containers: (overrides.containers ?? [{}]).map((container) => ({
      container: 'web',
      image: 'nginx:1.25',
      digest: `sha256:${'a'.repeat(64)}`,
      isConfig: false,
      waiting: undefined,
      ...container,
    })),
  };
}

export interface RollOutOptions {
  /** How many; default one. */
  readonly pods?: number;
  readonly platform?: RunningPod['platform'];
}

/** Pods in memory, set by the test. A CronJob, a workload that is gone and another one of its name have none. */
export class FakePods implements Pods {
  /** `of Deployment/shop/web`, `delete Deployment/shop/web web-0`, in order. */
  readonly calls: string[] = [];
  /** Thrown by every call while it is set. */
  failure: Error | undefined;
  /** Called with each pod that was deleted: the place to put its successor. */
  onDelete: ((workload: Workload, pod: RunningPod) => void) | undefined;
  readonly #pods = new Map<string, { readonly uid: string; readonly pods: readonly RunningPod[] }>();
  #made = 0;

  async of(workload: Workload, signal: AbortSignal): Promise<readonly RunningPod[]> {
    this.#begin(`of ${workloadKey(workload)}`, signal);
    return this.now(workload);
  }

  /** Of the nodes of the cluster. */
  nodes: readonly Platform[] | undefined = [{ os: 'linux', architecture: 'amd64' }];

  async platforms(): Promise<readonly Platform[] | undefined> {
    return this.nodes;
  }

  async delete(workload: Workload, pod: RunningPod, signal: AbortSignal): Promise<void> {
    this.#begin(`delete ${workloadKey(workload)} ${pod.name}`, signal);
    const before = this.now(workload);
    const rest = before.filter(({ uid }) => uid !== pod.uid);
    if (rest.length === before.length) return;
    this.set(workload, rest);
    this.onDelete?.(workload, pod);
  }

  /** What `of` gives, without a call. */
  now(workload: Workload): readonly RunningPod[] {
    const known = this.#pods.get(workloadKey(workload));
    return known?.uid === workload.uid && workload.kind !== 'CronJob' ? known.pods : [];
  }

  /** From now on these are its pods. */
  set(workload: Workload, pods: readonly RunningPod[]): void {
    this.#pods.set(workloadKey(workload), { uid: workload.uid, pods });
  }

  /** The rollout is over: new, ready pods of the newest revision run what `digestOf` says that the image is at the moment. */
  rollOut(
    workload: Workload,
    digestOf: (image: string) => string | undefined,
    { pods = 1, platform }: RollOutOptions = {},
  ): readonly RunningPod[] {
    const containers = workload.slots.map(({ container, image }) => ({ container, image, digest: digestOf(image) }));
    const made = Array.from({ length: pods }, () => {
      this.#made += 1;
      return aRunningPod({ name: `${workload.name}-${this.#made}`, containers, ...(platform && { platform }) });
    });
    this.set(workload, made);
    return made;
  }

  /** The workload has no pods any more. */
  remove(workload: Workload): void {
    this.#pods.delete(workloadKey(workload));
  }

  #begin(call: string, signal: AbortSignal): void {
    signal.throwIfAborted();
    this.calls.push(call);
    if (this.failure) throw this.failure;
  }
}

/** What the API server answers to who may not read pods. */
export function podsForbidden(): ApiError {
  return new ApiError(403, 'Forbidden', 'pods is forbidden: User "headwind" cannot list resource "pods" in API group ""');
}
