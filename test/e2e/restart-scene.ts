import assert from 'node:assert/strict';
import type { ClusterAccess } from '../cluster/access.ts';
import type { FakeKubelet } from '../cluster/fake-kubelet.ts';
import type { KubeObject } from '../cluster/kube-client.ts';
import type { Registry } from '../cluster/registry.ts';
import type { ImageOptions } from '../cluster/test-image.ts';
import { call } from './call.ts';
import { type LabelledOptions, labelled } from './labelled.ts';
import { type Kind, kinds } from './manifests.ts';
import type { Operator } from './operator.ts';
import { Scene, writtenOn } from './scene.ts';

/** A registry that counts, and a node that can be steered. */
export interface Stage {
  readonly cluster: ClusterAccess;
  readonly registry: Registry;
  readonly kubelet: FakeKubelet;
}

type Rolling = 'Deployment' | 'StatefulSet' | 'DaemonSet';
export const rolling = ['Deployment', 'StatefulSet', 'DaemonSet'] as const satisfies readonly Rolling[];

/** What has to be true at the end, to the last patch. */
export interface Ending {
  /** Patches of its template by the operator. */
  readonly restarts: number;
  /** Changes of the spec by the test itself. */
  readonly edits?: number;
  /** Patches of its annotations alone: what runs was put there by somebody else. */
  readonly records?: number;
  /** Container → digest that every pod runs. */
  readonly runs: Readonly<Record<string, string>>;
  readonly pods?: number;
  /** UpdateRequests, the oldest first: `app Completed`, `app Failed (DigestMismatch)`. */
  readonly requests: readonly string[];
  /** Who patched, and which key the template has; that of the label by default. */
  readonly by?: 'kube-autorollout' | 'headwind';
  /** Another key. */
  readonly mark?: string;
}

const marks = { 'kube-autorollout': 'kube-autorollout/restartedAt', headwind: 'kubectl.kubernetes.io/restartedAt' } as const;
const byOperator = /^headwind\//;

/** A scene whose workloads have the label `kube-autorollout/enabled`, and pods that run what the registry really has. */
export class RestartScene extends Scene {
  readonly stage: Stage;
  readonly kubelet: FakeKubelet;
  /** Of the workload and its repository: several scenes may share a namespace. */
  readonly name: string;
  override readonly repository: string;

  constructor(stage: Stage, namespace: string, operator: Operator, name = 'app') {
    super(stage.cluster, stage.registry, namespace, operator);
    this.stage = stage;
    this.kubelet = stage.kubelet;
    this.name = name;
    this.repository = `${namespace}/${name}`;
  }

  override seenBy(operator: Operator): RestartScene {
    return new RestartScene(this.stage, this.namespace, operator, this.name);
  }

  /** A repository of this scene. */
  repositoryOf(name: string): string {
    return `${this.repository}-${name}`;
  }

  push(salt: string, { repository = this.repository, ...image }: ImageOptions & { repository?: string } = {}): Promise<string> {
    return this.stage.registry.push(repository, 'latest', { salt, ...image });
  }

  /** Applies a labelled workload that looks at its registry every second, on the node of the scene; it may never roll out. */
  async applyLabelled(options: LabelledOptions = {}): Promise<void> {
    await this.cluster.apply(labelled(this.#placed(options)), { namespace: this.namespace });
  }

  /** The same, and waits until it has rolled out and every tag was looked at `looks` times since. */
  async runLabelled(options: LabelledOptions = {}, looks = 1): Promise<KubeObject> {
    const { kind = 'Deployment', name = this.name } = options;
    await this.applyLabelled(options);
    const path = this.pathOf(name, kind);
    const object = kind === 'CronJob' ? (await this.cluster.admin.get(path))! : await this.cluster.untilRolledOut(path);
    const repositories = Object.values(options.containers ?? { app: this.image('latest') }).map((image) => this.#repositoryIn(image));
    if (looks > 0) await Promise.all(repositories.map((repository) => this.untilAsked(looks, repository)));
    return object;
  }

  #placed(options: LabelledOptions): LabelledOptions {
    return { name: this.name, image: this.image('latest'), podSpec: this.kubelet.placement, ...options };
  }

  #repositoryIn(image: string): string {
    return image.replace(`${this.registry.host}/`, '').replace(/[:@].*$/s, '');
  }

  /** How often the operator has asked what is behind the tag. */
  asked(repository = this.repository): number {
    const path = `/v2/${repository}/manifests/latest`;
    return this.stage.registry.requests({ userAgent: byOperator, method: 'HEAD' }).filter((request) => request.path === path).length;
  }

  /** Waits until it has asked that many times more: so many ticks have passed. */
  async untilAsked(times: number, repository = this.repository): Promise<void> {
    const before = this.asked(repository);
    await this.cluster.until(`the operator has asked for ${repository}:latest ${times} times more`, (see) => {
      const more = this.asked(repository) - before;
      see(more);
      return more >= times;
    });
  }

  /** Waits until the requests of a workload are these, the oldest first, as in an `Ending`. */
  async untilRequests(wanted: readonly string[], name = this.name): Promise<KubeObject[]> {
    return await this.cluster.until(`the requests of ${name} are ${wanted.join(', ') || 'none'}`, async (see) => {
      const requests = await this.requestsOf(name);
      const seen = requests.map(summary);
      see(requests.map(({ metadata, status }) => ({ name: metadata.name, status })));
      return JSON.stringify(seen) === JSON.stringify(wanted) && requests;
    });
  }

  async requestsOf(name = this.name): Promise<KubeObject[]> {
    return (await this.requests()).filter(({ spec }) => spec.targetRef.name === name);
  }

  /** Waits until the workload has had that many changes of its spec since. */
  async untilGeneration({ metadata, kind }: KubeObject, more: number): Promise<KubeObject> {
    const wanted = metadata['generation'] + more;
    const description = `${kind} ${metadata.name} has generation ${wanted}`;
    const is = (object: KubeObject | undefined) => object?.metadata['generation'] >= wanted;
    return (await this.cluster.untilObject(this.pathOf(metadata.name, kind as Rolling), is, { description }))!;
  }

  /** Waits until its containers are held for these reasons. */
  async untilHeld(reasons: Readonly<Record<string, string>>, name = this.name, kind = 'deploy'): Promise<void> {
    await this.cluster.until(`${name} is held: ${JSON.stringify(reasons)}`, async (see) => {
      const { json } = await call(`${this.operator.api}/api/v1/explain/${this.namespace}/${kind}/${name}`);
      const now: any[] = json.containers ?? [];
      see(now.map(({ container, reason, message }) => ({ container, reason, message })));
      return Object.entries(reasons).every(([container, reason]) => now.find((each) => each.container === container)?.reason === reason);
    });
  }

  /** Container → the digests that live pods of the workload run; the number of pods under `pods`. */
  async running(name = this.name): Promise<{ pods: number; digests: Record<string, string[]>; ready: number }> {
    const all = await this.cluster.admin.list(`/api/v1/namespaces/${this.namespace}/pods?labelSelector=app%3D${name}`);
    const live = all.filter(
      ({ metadata, status }) => metadata['deletionTimestamp'] === undefined && !/Succeeded|Failed/.test(status.phase),
    );
    const digests: Record<string, Set<string>> = {};
    for (const { status } of live) {
      for (const { name: container, imageID } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
        (digests[container] ??= new Set()).add(String(imageID).replace(/^.*@/s, ''));
      }
    }
    const ready = live.filter(({ status }) => status.conditions?.some((each: any) => each.type === 'Ready' && each.status === 'True'));
    return {
      pods: live.length,
      ready: ready.length,
      digests: Object.fromEntries(Object.entries(digests).map(([key, set]) => [key, [...set]])),
    };
  }

  /** Waits until the pods run exactly this. */
  async untilRunning(runs: Readonly<Record<string, string>>, { pods = 1, name = this.name } = {}): Promise<void> {
    const wanted = Object.fromEntries(Object.entries(runs).map(([container, digest]) => [container, [digest]]));
    await this.cluster.until(`${pods} pods of ${name} run ${JSON.stringify(runs)}`, async (see) => {
      const found = await this.running(name);
      see(found);
      return found.pods === pods && Object.keys(wanted).every((key) => String(found.digests[key]) === String(wanted[key]));
    });
  }

  /** Compares everything there is to count with what must be, since `before`. */
  async assertEnding(
    before: KubeObject,
    { restarts, edits = 0, records = 0, runs, pods = 1, requests, by = 'kube-autorollout', mark = marks[by] }: Ending,
  ): Promise<void> {
    const { name } = before.metadata;
    const kind = before.kind as Rolling;
    await this.untilRequests(requests, name);
    await this.untilRunning(runs, { pods, name });
    const after = await this.get(name, kind);
    // Deployments, and only they, count a change of their annotations.
    const counted = restarts + edits + (kind === 'Deployment' ? records : 0);
    assert.equal(after.metadata['generation'], before.metadata['generation'] + counted, 'generation: one more per restart');
    assert.equal(await this.revisionsOf(after), 1 + restarts, `${kinds[kind].revisions}: one more per restart`);
    const annotations = after['spec'].template.metadata.annotations ?? {};
    assert.deepEqual(Object.keys(annotations), restarts === 0 ? [] : [mark]);
    if (restarts > 0) assert.match(annotations[mark], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(managersOf(after), [...(records > 0 ? ['headwind'] : []), ...(restarts > 0 ? [by] : [])]);
    const applied = requests.filter((request) => / Completed| Failed| Approved \(Progressing\)/.test(request));
    assert.equal(writtenOn(after).history.length, applied.length, 'entries of history');
    assert.deepEqual(after['spec'].template.spec.containers.map(imageOf), before['spec'].template.spec.containers.map(imageOf));
  }

  override get(name = this.name, kind: Kind = 'Deployment'): Promise<KubeObject> {
    return super.get(name, kind);
  }

  /** The API server's own path of the workload. */
  override pathOf(name = this.name, kind: Kind = 'Deployment'): string {
    return super.pathOf(name, kind);
  }

  /** How many templates the workload has had: its ReplicaSets or ControllerRevisions. */
  async revisionsOf({ metadata, kind }: KubeObject): Promise<number> {
    const all = await this.cluster.admin.list(`/apis/apps/v1/namespaces/${this.namespace}/${kinds[kind as Rolling].revisions}`);
    return all.filter((each) => each.metadata['ownerReferences']?.some(({ uid }: any) => uid === metadata['uid'])).length;
  }
}

function imageOf({ image }: { image: string }): string {
  return image;
}

function managersOf({ metadata }: KubeObject): string[] {
  const managers: string[] = metadata['managedFields'].map(({ manager }: any) => manager);
  return [...new Set(managers)].filter((manager) => manager === 'headwind' || manager === 'kube-autorollout').toSorted();
}

/** `app Completed`, `app Failed (DigestMismatch)`: an open or failed one with the reason that holds or ended it. */
export function summary({ spec, status }: KubeObject): string {
  const phase = status?.phase ?? 'new';
  const conditions: any[] = status?.conditions ?? [];
  const reasonOf = (type: string) => conditions.find((condition) => condition.type === type && condition.status !== 'True')?.reason;
  const reason = phase === 'Completed' ? undefined : (reasonOf('RolloutHealthy') ?? reasonOf('Applied') ?? reasonOf('Verified'));
  return `${spec.containerName} ${phase}${reason === undefined ? '' : ` (${reason})`}`;
}
