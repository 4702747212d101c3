import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { AccessDescription } from './access.ts';
import { createImageLookup } from './image-lookup.ts';
import type { ImageIdForm, Pull } from './image-lookup.ts';
import { createKubeClient } from './kube-client.ts';
import type { Answer, KubeClient, KubeObject } from './kube-client.ts';
import { imagesOf, podStatus, pullPolicyOf } from './pod-status.ts';
import { NodeImages } from './node-images.ts';
import type { RegistryDescription } from './registry-client.ts';

export interface FakeKubeletOptions {
  readonly controlPlane: Pick<AccessDescription, 'url' | 'ca' | 'adminToken'>;
  /** Loopback registries without TLS and password need not be listed. `{ ...registry, host: 'docker.io' }` makes one a mirror. */
  readonly registries?: readonly RegistryDescription[];
  /** Name of the node. A second one is tainted: only pods with its `placement` come to it. */
  readonly node?: string;
  readonly architecture?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Serves the pods of every node, not only those of its own. */
  readonly allPods?: boolean;
  /** Every pull takes that long. */
  readonly pullDelayMs?: number;
  /** How its runtime writes `imageID`; default `index`. */
  readonly imageIds?: ImageIdForm;
}

/** A node whose pods report the digests that the registry really serves. Lives in this process. */
export interface FakeKubelet {
  readonly node: string;
  /** Spread into a pod spec: it runs on this very node. */
  readonly placement: object;
  /** From now on that image keeps the digest it has, whatever is pushed: a stale mirror. */
  holdDigest(image: string): Promise<void>;
  releaseDigest(image: string): void;
  /** From now on a pull of that image takes until `releasePull`: its containers are `ContainerCreating`. */
  slowPull(image: string): void;
  /** From now on a pull of that image fails until `releasePull`: its containers are in `ImagePullBackOff`. */
  breakPull(image: string): void;
  releasePull(image: string): void;
  /** How pods write `imageID` whose status is reported from now on. */
  writeImageIds(form: ImageIdForm): void;
  stop(): Promise<void>;
}

/** Spread into a pod spec: it runs on the fake kubelet. */
export const onFakeKubelet = { nodeSelector: { 'testbed.local/real-digests': 'true' } } as const;

const taintKey = 'testbed.local/node';
const defaultNode = 'node-ts';
const pullAgainMs = { first: 500, most: 4_000 };
const retryMs = 500;

interface Tracked {
  pod: KubeObject;
  readonly podIp: string;
  /** Changed images mean another look. */
  images: string;
  restarts: number;
  failedPulls: number;
  pulls: ReadonlyMap<string, Pull>;
  runningSince: number | undefined;
  timer: NodeJS.Timeout | undefined;
  isBusy: boolean;
  isStale: boolean;
}

/** Registers the node and serves its pods until `stop`. Survives restarts of the API server and of the registry. */
export async function startFakeKubelet(options: FakeKubeletOptions): Promise<FakeKubelet> {
  const { controlPlane, node = defaultNode } = options;
  const { url, ca, adminToken: token } = controlPlane;
  const client = createKubeClient({ url, ca: readFileSync(ca), token, userAgent: 'fake-kubelet', maxSockets: 16 });
  await registerNode(client, node, options);
  const kubelet = new Kubelet(client, node, options);
  const stop = new AbortController();
  const watching = kubelet.watch(stop.signal);
  return {
    node,
    placement: { nodeSelector: { 'kubernetes.io/hostname': node }, tolerations: [{ key: taintKey, value: node }] },
    holdDigest: (image) => kubelet.images.holdDigest(image),
    releaseDigest: (image) => kubelet.images.releaseDigest(image),
    slowPull: (image) => kubelet.images.setPull(image, { isSlow: true }),
    breakPull: (image) => kubelet.images.setPull(image, { failure: `${image}: the node cannot pull it` }),
    releasePull: (image) => kubelet.releasePull(image),
    writeImageIds: (form) => {
      kubelet.imageIds = form;
    },
    async stop() {
      stop.abort();
      kubelet.close();
      client.close();
      await watching;
    },
  };
}

async function registerNode(client: KubeClient, node: string, { architecture = 'amd64', labels = {} }: FakeKubeletOptions): Promise<void> {
  const system = { 'kubernetes.io/hostname': node, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': architecture };
  const isDefault = node === defaultNode;
  const metadata = { name: node, labels: { ...(isDefault && onFakeKubelet.nodeSelector), ...system, ...labels } };
  const spec = { taints: isDefault ? [] : [{ key: taintKey, value: node, effect: 'NoSchedule' }] };
  const capacity = { cpu: '64', memory: '256Gi', pods: '2000' };
  const now = timestamp();
  const ready = { type: 'Ready', status: 'True', reason: 'FakeKubelet', lastHeartbeatTime: now, lastTransitionTime: now };
  await client.apply({ apiVersion: 'v1', kind: 'Node', metadata, spec });
  await client.patch(`/api/v1/nodes/${node}/status`, {
    status: {
      capacity,
      allocatable: capacity,
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      conditions: [ready],
      nodeInfo: { architecture, operatingSystem: 'linux' },
    },
  });
}

class Kubelet {
  readonly #client: KubeClient;
  readonly #path: string;
  readonly #options: FakeKubeletOptions;
  readonly #lookup;
  readonly #pods = new Map<string, Tracked>();
  readonly images: NodeImages;
  imageIds: ImageIdForm;
  #isClosed = false;
  #lastIp = 0;

  constructor(client: KubeClient, node: string, options: FakeKubeletOptions) {
    this.#client = client;
    this.#options = options;
    this.#lookup = createImageLookup(options.registries ?? [], `linux/${options.architecture ?? 'amd64'}`);
    this.images = new NodeImages(this.#lookup);
    this.imageIds = options.imageIds ?? 'index';
    this.#path = options.allPods === true ? '/api/v1/pods' : `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`;
  }

  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const { type, object } of this.#client.watch(this.#path, signal)) {
          if (type === 'ERROR') break;
          if (type === 'DELETED') this.#forget(object.metadata['uid']);
          else if (type !== 'BOOKMARK') this.#observe(object);
        }
      } catch {
        // the API server is away: the next round finds it again
      }
      if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Pods that wait for it are looked at again at once. */
  releasePull(image: string): void {
    this.images.setPull(image, undefined);
    for (const tracked of this.#pods.values()) {
      if (tracked.runningSince === undefined && imagesOf(tracked.pod).includes(image)) void this.#step(tracked);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const uid of this.#pods.keys()) this.#forget(uid);
    this.#lookup.close();
  }

  #forget(uid: string): void {
    clearTimeout(this.#pods.get(uid)?.timer);
    this.#pods.delete(uid);
  }

  #observe(pod: KubeObject): void {
    if (!pod['spec'].nodeName) return;
    delete pod.metadata['managedFields']; // half of what a thousand pods would hold in memory
    const { uid, deletionTimestamp } = pod.metadata;
    const images = imagesOf(pod).join(' ');
    const known = this.#pods.get(uid);
    if (known) {
      const hasNews = known.images !== images || (deletionTimestamp && !known.pod.metadata['deletionTimestamp']);
      known.pod = pod;
      if (hasNews) this.#lookAnew(known, images);
      return;
    }
    if (!deletionTimestamp && ['Succeeded', 'Failed'].includes(pod['status']?.phase)) return;
    const fresh = {
      restarts: 0,
      failedPulls: 0,
      pulls: new Map(),
      runningSince: undefined,
      timer: undefined,
      isBusy: false,
      isStale: false,
    };
    const tracked: Tracked = { pod, podIp: this.#nextIp(), images, ...fresh };
    this.#pods.set(uid, tracked);
    void this.#step(tracked);
  }

  #lookAnew(tracked: Tracked, images: string): void {
    tracked.images = images;
    tracked.failedPulls = 0;
    tracked.restarts = 0;
    tracked.runningSince = undefined;
    tracked.pulls = new Map();
    void this.#step(tracked);
  }

  #nextIp(): string {
    this.#lastIp += 1;
    return `10.244.${(this.#lastIp >> 8) & 255}.${this.#lastIp & 255}`;
  }

  /** One look at a pod at a time; what happens meanwhile is looked at afterwards. Never rejects. */
  async #step(tracked: Tracked): Promise<void> {
    clearTimeout(tracked.timer);
    tracked.isStale = tracked.isBusy;
    if (tracked.isBusy || this.#isClosed) return;
    tracked.isBusy = true;
    let againInMs: number | undefined;
    try {
      againInMs = tracked.pod.metadata['deletionTimestamp'] ? await this.#remove(tracked) : await this.#report(tracked);
    } catch {
      againInMs = retryMs; // the API server is away or busy
    }
    tracked.isBusy = false;
    if (this.#pods.get(tracked.pod.metadata['uid']) !== tracked) return;
    if (tracked.isStale) againInMs = 0;
    if (againInMs !== undefined) tracked.timer = setTimeout(() => void this.#step(tracked), againInMs);
  }

  async #remove({ pod }: Tracked): Promise<undefined> {
    const { uid } = pod.metadata;
    const answer = await this.#client.request('DELETE', pathOf(pod), { gracePeriodSeconds: 0, preconditions: { uid } });
    if (isGone(answer)) this.#forget(uid);
    else if (answer.status >= 300) throw new Error(`deleting a pod: ${answer.status}`);
  }

  async #report(tracked: Tracked): Promise<number | undefined> {
    const { images } = tracked;
    if (tracked.runningSince === undefined) {
      const pulls = await this.#pullAll(tracked.pod, tracked.pulls);
      if (tracked.images !== images) return 0;
      tracked.pulls = pulls;
      if ([...pulls.values()].every((pull) => 'ids' in pull)) tracked.runningSince = Date.now();
      else if ([...pulls.values()].some((pull) => 'failure' in pull)) tracked.failedPulls += 1;
    }
    const runningForMs = tracked.runningSince === undefined ? 0 : Date.now() - tracked.runningSince;
    const { status, againInMs, restarting } = podStatus({ ...tracked, imageIds: this.imageIds, runningForMs, now: timestamp() });
    const { uid } = tracked.pod.metadata;
    const patch = { metadata: { uid }, status };
    const answer = await this.#client.request('PATCH', `${pathOf(tracked.pod)}/status`, patch, 'application/strategic-merge-patch+json');
    if (isGone(answer)) this.#forget(uid);
    else if (answer.status >= 300) throw new Error(`status of a pod: ${answer.status}`);
    if (restarting) tracked.restarts += 1;
    // A slow pull is looked at again when it is released.
    if (tracked.runningSince !== undefined || tracked.failedPulls === 0) return againInMs;
    const pullAgain = Math.min(pullAgainMs.first * 2 ** (tracked.failedPulls - 1), pullAgainMs.most);
    return Math.min(pullAgain, againInMs ?? pullAgain);
  }

  /** What is pulled already stays pulled. */
  async #pullAll(pod: KubeObject, before: ReadonlyMap<string, Pull>): Promise<Map<string, Pull>> {
    const { pullDelayMs = 0 } = this.#options;
    if (pullDelayMs > 0) await delay(pullDelayMs, undefined, { ref: false });
    const pulls = imagesOf(pod).map(async (image): Promise<[string, Pull]> => {
      const known = before.get(image);
      return [image, known && 'ids' in known ? known : await this.images.get(image, pullPolicyOf(pod, image))];
    });
    return new Map(await Promise.all(pulls));
  }
}

/** No such pod, or another one of that name. */
function isGone({ status, body }: Answer): boolean {
  return status === 404 || (status === 409 && /uid/i.test(body?.message));
}

function pathOf({ metadata }: KubeObject): string {
  return `/api/v1/namespaces/${metadata['namespace']}/pods/${metadata.name}`;
}

function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z/, 'Z');
}
