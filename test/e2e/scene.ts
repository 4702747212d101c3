import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ClusterAccess } from '../cluster/access.ts';
import type { KubeObject } from '../cluster/kube-client.ts';
import type { ImageOptions } from '../cluster/test-image.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { call, pushEnvelope } from './call.ts';
import type { CallAnswer } from './call.ts';
import { kinds, workload } from './manifests.ts';
import type { Kind, WorkloadOptions } from './manifests.ts';
import { startOperator } from './operator.ts';
import type { Operator, OperatorOptions } from './operator.ts';

/** A registry that tests push into: a real one, or the one with a switch for every quirk. */
export interface PushTarget {
  readonly host: string;
  push(repository: string, tag: string, options?: ImageOptions): Promise<string> | string;
}

export interface SceneOptions extends Omit<Partial<OperatorOptions>, 'namespaces' | 'registries'> {
  /** The shared one by default. */
  readonly registry?: PushTarget;
}

const requestsPath = 'apis/headwind.sh/v1alpha1';

/** A namespace of its own with an operator that sees nothing else; everything goes with the test. */
export async function openScene(t: TestContext, prefix: string, options: SceneOptions = {}): Promise<Scene> {
  const shared = options.cluster === undefined || options.registry === undefined ? await sharedCluster() : undefined;
  const cluster = options.cluster ?? shared!.cluster;
  const registry = options.registry ?? shared!.registry;
  const namespace = await cluster.namespace(prefix);
  atEnd(t, () => namespace.delete());
  const operator = await startOperator(t, { ...options, cluster, namespaces: [namespace.name], registries: [registry] });
  return new Scene(cluster, registry, namespace.name, operator);
}

/** What a test does in its namespace, in the words of the product. */
export class Scene {
  readonly cluster: ClusterAccess;
  readonly registry: PushTarget;
  readonly namespace: string;
  readonly operator: Operator;
  /** A repository that no other test has. */
  readonly repository: string;

  constructor(cluster: ClusterAccess, registry: PushTarget, namespace: string, operator: Operator) {
    this.cluster = cluster;
    this.registry = registry;
    this.namespace = namespace;
    this.operator = operator;
    this.repository = `${namespace}/app`;
  }

  /** The same place, through another replica. */
  seenBy(operator: Operator): Scene {
    return new Scene(this.cluster, this.registry, this.namespace, operator);
  }

  image(tag: string, repository = this.repository): string {
    return `${this.registry.host}/${repository}:${tag}`;
  }

  pathOf(name = 'app', kind: Kind = 'Deployment'): string {
    const { apiVersion, resource } = kinds[kind];
    return `/apis/${apiVersion}/namespaces/${this.namespace}/${resource}/${name}`;
  }

  /** Pushes the image, applies the workload and waits until it has rolled out and the operator knows it. */
  async deploy(tag: string, options: WorkloadOptions = {}): Promise<KubeObject> {
    await this.registry.push(this.repository, tag);
    return this.run({ image: this.image(tag), ...options });
  }

  /** The same, with images that are pushed already. */
  async run(options: WorkloadOptions): Promise<KubeObject> {
    const { kind = 'Deployment', name = 'app' } = options;
    await this.cluster.apply(workload(options), { namespace: this.namespace });
    const path = this.pathOf(name, kind);
    const object = kind === 'CronJob' ? await this.cluster.admin.get(path) : await this.cluster.untilRolledOut(path);
    return object!;
  }

  /** Pushes a tag and tells the operator by webhook; gives the digest. */
  async release(tag: string, { repository = this.repository, ...image }: ImageOptions & { repository?: string } = {}): Promise<string> {
    const digest = await this.registry.push(repository, tag, image);
    await this.announce(tag, digest, repository);
    return digest;
  }

  /** The webhook alone; sent again while it is answered with 503, as senders do. */
  async announce(tag: string, digest = `sha256:${'0'.repeat(64)}`, repository = this.repository): Promise<void> {
    const envelope = pushEnvelope(this.registry.host, repository, tag, digest);
    const { status, text } = await this.cluster.until('somebody takes the delivery', async () => {
      const answer = await this.deliver(envelope);
      return answer.status !== 503 && answer;
    });
    assert.equal(`${status} ${text}`, '200 Webhook processed');
  }

  deliver(body: unknown, route = 'registry'): Promise<CallAnswer> {
    return call(`${this.operator.webhook}/webhook/${route}`, { method: 'POST', body });
  }

  /** Runs `act`, which must make the operator look at its registry by webhook, and waits until it has looked and decided. */
  async untilDecided(act: () => Promise<unknown>): Promise<void> {
    const { operator } = this;
    const [hints, workloads] = await Promise.all(
      ['hints', 'workload'].map((controller) => operator.metric('reconciles_total', { controller })),
    );
    await act();
    await operator.untilMetric('reconciles_total', { controller: 'hints' }, (value) => value > hints!);
    await operator.untilMetric('reconciles_total', { controller: 'workload' }, (value) => value > workloads!);
    await operator.untilMetric('queue_depth', {}, (value) => value === 0);
  }

  /** All UpdateRequests, the oldest first. */
  async requests(): Promise<KubeObject[]> {
    const all = await this.cluster.admin.list(`/${requestsPath}/namespaces/${this.namespace}/updaterequests`);
    return all.sort(byCreation);
  }

  requestPath(name: string): string {
    return `/${requestsPath}/namespaces/${this.namespace}/updaterequests/${name}`;
  }

  /** Waits for a request to that tag (of any container) in that phase. */
  untilRequest(tag: string, phase: string, also: (request: KubeObject) => boolean = () => true): Promise<KubeObject> {
    return this.cluster.until(`a request for ${tag} is ${phase}`, async (see) => {
      const requests = await this.requests();
      see(requests.map(({ metadata, spec, status }) => ({ name: metadata.name, spec, status })));
      return requests.find((request) => {
        return request['spec'].newImage.includes(`:${tag}`) && request['status']?.phase === phase && also(request);
      });
    });
  }

  get(name = 'app', kind: Kind = 'Deployment'): Promise<KubeObject> {
    return this.cluster.admin.get(this.pathOf(name, kind)).then((object) => object!);
  }

  /** Waits until a container has the image. */
  async untilImage(image: string, name = 'app', kind: Kind = 'Deployment'): Promise<KubeObject> {
    const description = `${kind} ${name} has ${image}`;
    const object = await this.cluster.untilObject(this.pathOf(name, kind), (now) => now !== undefined && imagesOf(now).includes(image), {
      description,
    });
    return object!;
  }

  /** How many ReplicaSets or ControllerRevisions the workloads of a kind have. */
  async revisions(kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' = 'Deployment'): Promise<number> {
    return (await this.cluster.admin.list(`/apis/apps/v1/namespaces/${this.namespace}/${kinds[kind].revisions}`)).length;
  }

  /** Reasons and notes of the Events so far. */
  async events(): Promise<string[]> {
    const events = await this.cluster.admin.list(`/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`);
    return events.map(({ reason, note, regarding }) => `${reason} ${regarding.kind} ${note}`);
  }

  untilEvent(pattern: RegExp): Promise<string> {
    return this.cluster.until(`an Event says ${pattern}`, async (see) => {
      const events = await this.events();
      see(events);
      return events.find((event) => pattern.test(event));
    });
  }
}

function byCreation(a: KubeObject, b: KubeObject): number {
  return Date.parse(a.metadata['creationTimestamp']) - Date.parse(b.metadata['creationTimestamp']);
}

/** Images of all containers, init containers first. */
export function imagesOf({ kind, spec }: KubeObject): string[] {
  const pods = kind === 'CronJob' || spec.jobTemplate ? spec.jobTemplate.spec.template.spec : spec.template.spec;
  return [...(pods.initContainers ?? []), ...pods.containers].map(({ image }: { image: string }) => image);
}

/** What the operator wrote on the workload; an annotation that is missing or no JSON is an empty list or object. */
export function writtenOn({ metadata }: KubeObject): { history: any[]; digests: Record<string, string>; lastUpdate: string | undefined } {
  const read = (key: string) => metadata['annotations']?.[`headwind.sh/${key}`];
  return {
    history: JSON.parse(read('update-history') ?? '[]'),
    digests: JSON.parse(read('digests') ?? '{}'),
    lastUpdate: read('last-update'),
  };
}

export function conditionOf(request: KubeObject, type: string): { status: string; reason: string; message: string } | undefined {
  return request['status']?.conditions?.find((condition: any) => condition.type === type);
}
