import { defaultAutorolloutSettings } from '../../src/core/autorollout-settings.ts';
import { canonicalRepository, effectiveTag, type ImageReference, parseImageReference } from '../../src/core/image-reference.ts';
import { targetOf } from '../../src/core/update-request.ts';
import type { UpdateRequest } from '../../src/core/update-request-schema.ts';
import { type Workload, workloadKey } from '../../src/core/workload.ts';
import type { OperatorDeps } from '../../src/operator/deps.ts';
import { LeaderWork } from '../../src/operator/leader-work.ts';
import { Notes } from '../../src/operator/notes.ts';
import { RepositoryAccess } from '../../src/operator/repository-access.ts';
import { TagBook } from '../../src/operator/tag-book.ts';
import { FakeTime } from '../fakes/clock.ts';
import { FakeCluster, settleRollouts } from '../fakes/cluster.ts';
import { aRunningPod } from '../fakes/pods.ts';
import { FakePullSecrets } from '../fakes/pull-secrets.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../fakes/recording.ts';
import { FakeRegistryPort } from '../fakes/registry-port.ts';

export interface WorldOptions {
  readonly verify: 'prefer' | 'require' | 'off';
  /** undefined = polling is off. */
  readonly pollingIntervalMs: number | undefined;
  readonly expiryMs: number;
  readonly retentionMs: number;
  readonly keepPerContainer: number;
  readonly apiLatencyMs: number;
  /** How long a rollout takes; undefined = until a step ends it. */
  readonly rolloutMs: number | undefined;
  readonly start: string;
  /** Pods of each workload that a controller keeps, pulled from the registry; 0 = none. */
  readonly pods: number;
}

interface Process {
  readonly deps: OperatorDeps;
  readonly work: LeaderWork;
  readonly killed: AbortController;
  readonly ended: Promise<void>;
}

/** A cluster, a registry and the whole operator between them, in one process and in fake time. */
export class World {
  readonly time: FakeTime;
  readonly cluster: FakeCluster;
  readonly registry = new FakeRegistryPort();
  readonly secrets = new FakePullSecrets();
  readonly events = new RecordingEvents();
  readonly metrics = new RecordingMetrics();
  readonly log = new RecordingLog();
  readonly #options: WorldOptions;
  #added = 0;
  #process: Process | undefined;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.time = new FakeTime(options.start);
    this.cluster = new FakeCluster(this.time.now);
    this.cluster.latencyMs = options.apiLatencyMs;
    const pull = options.pods > 0 ? (image: string) => this.pull(image) : undefined;
    if (options.rolloutMs !== undefined) settleRollouts(this.cluster, options.rolloutMs, pull);
    if (pull) this.cluster.pods.onDelete = (workload) => this.addPod(workload);
  }

  /** Images that the nodes do not pull from the registry: a digest that a mirror keeps, or `undefined` where the pull never ends. */
  readonly nodes = new Map<string, string | undefined>();

  /** The digest that a node gets for an image. */
  pull(image: string): string | undefined {
    if (this.nodes.has(image)) return this.nodes.get(image);
    if ('invalid' in parseImageReference(image)) return undefined;
    const { reference, repository, tag } = readImage(image);
    return reference.digest ?? this.registry.digestOf(repository, tag);
  }

  /** Every workload gets the pods that its controller would have made by now. */
  makePods(): void {
    if (this.#options.pods === 0) return;
    for (const workload of this.cluster.workloads.all()) {
      this.cluster.pods.rollOut(workload, (image) => this.pull(image), { pods: this.#options.pods });
    }
  }

  /** One more pod, which pulls its images now. */
  addPod(workload: Workload): void {
    const { pods } = this.cluster;
    const containers = workload.slots.map(({ container, image }) => ({ container, image, digest: this.pull(image) }));
    pods.set(workload, [...pods.now(workload), aRunningPod({ name: `${workload.name}-added-${++this.#added}`, containers })]);
  }

  get deps(): OperatorDeps {
    return this.#running.deps;
  }

  get work(): LeaderWork {
    return this.#running.work;
  }

  get #running(): Process {
    if (!this.#process) throw new Error('the operator does not run');
    return this.#process;
  }

  /** A new process: nothing is known but what stands in the cluster. */
  async startOperator(): Promise<void> {
    const killed = new AbortController();
    const { registry, events, metrics, log } = this;
    const { verify, pollingIntervalMs, expiryMs, retentionMs, keepPerContainer } = this.#options;
    const clock = { now: this.time.now };
    const book = new TagBook();
    const deps: OperatorDeps = {
      ...this.cluster.connect(killed.signal),
      access: new RepositoryAccess({ registry, pullSecrets: this.secrets, book, clock }),
      book,
      notes: new Notes(),
      events,
      metrics,
      audit: log.audit,
      log,
      clock,
      requestSettings: { expiryMs, retentionMs, keepPerContainer },
      autorollout: () => defaultAutorolloutSettings,
      pollingEnabled: pollingIntervalMs !== undefined,
    };
    const polling = { enabled: pollingIntervalMs !== undefined, intervalMs: pollingIntervalMs ?? 300_000 };
    const work = new LeaderWork(deps, registry, { controllersEnabled: true, polling, verify });
    this.cluster.listener = {
      workloadChanged: (ref, next, old) => work.workloadChanged(ref, next, old, false),
      requestChanged: (target) => work.requestChanged(target, false),
    };
    const ended = work.lead({ stopping: killed.signal, lost: killed.signal, assertHeld: () => undefined });
    this.#process = { deps, work, killed, ended };
    await this.time.settle();
  }

  /** Ends the process as SIGKILL does: what was on its way to the API server never arrives. */
  async killOperator(): Promise<void> {
    const process = this.#running;
    this.cluster.listener = undefined;
    process.killed.abort(new Error('killed'));
    await this.time.advance(Math.max(this.#options.apiLatencyMs, this.registry.latencyMs));
    await process.ended;
    this.#process = undefined;
  }

  /** Looks at everything once more, as after a lost watch. */
  async wakeAll(): Promise<void> {
    for (const workload of this.cluster.workloads.all()) this.work.requestChanged(workload, false);
    for (const request of this.cluster.requests.all()) this.work.requestChanged(targetOf(request), false);
    await this.time.settle();
  }

  /** By `web` or `shop/web`; with a kind, `CronJob/shop/web`. */
  workload(name: string): Workload {
    const found = [...this.cluster.workloads.all()].filter(
      (workload) => workload.name === name || `${workload.namespace}/${workload.name}` === name || workloadKey(workload) === name,
    );
    if (found.length !== 1 || !found[0]) throw new Error(`${found.length} workloads are called ${name}`);
    return found[0];
  }

  /** The only workload, for scenarios that have one. */
  onlyWorkload(): Workload {
    const [workload, other] = this.cluster.workloads.all();
    if (!workload || other) throw new Error('say which workload: there is not exactly one');
    return workload;
  }

  /** The newest request that reads like this: `web 1.26`, or `api/web 1.26` with the workload's name. */
  request(text: string): UpdateRequest {
    const [path = '', tag = ''] = text.split(' ');
    const [container, workload] = path.split('/').toReversed();
    const found = [...this.cluster.requests.all()].findLast(
      ({ spec }) =>
        (spec.containerName ?? 'any') === container &&
        tagOf(spec.newImage) === tag &&
        (workload === undefined || spec.targetRef.name === workload),
    );
    if (!found) throw new Error(`there is no request ${text}; there are ${[...this.cluster.requests.all()].map(summarize).join(', ')}`);
    return found;
  }

  get hasSeveralWorkloads(): boolean {
    const [, second] = this.cluster.workloads.all();
    return second !== undefined;
  }
}

/** `web 1.26 Approved (TooSoon)`: container, tag and phase, and the word that explains the phase. */
export function summarize({ spec, status }: UpdateRequest): string {
  const condition = (type: string) => status.conditions?.find((candidate) => candidate.type === type);
  const [superseded, applied, verified] = [condition('Superseded'), condition('Applied'), condition('Verified')];
  const rollout = condition('RolloutHealthy');
  const reason =
    superseded?.status === 'True'
      ? superseded.reason
      : applied?.status === 'False'
        ? applied.reason
        : rollout !== undefined && rollout.status !== 'True'
          ? rollout.reason
          : verified?.status === 'Unknown'
            ? verified.reason
            : undefined;
  return `${spec.containerName ?? 'any'} ${tagOf(spec.newImage)} ${status.phase ?? 'none'}${reason === undefined ? '' : ` (${reason})`}`;
}

export function tagOf(image: string): string {
  const reference = parseImageReference(image);
  return 'invalid' in reference ? image : (effectiveTag(reference) ?? reference.digest ?? image);
}

export function readImage(image: string): { reference: ImageReference; repository: string; tag: string } {
  const reference = parseImageReference(image);
  if ('invalid' in reference) throw new Error(reference.invalid);
  return { reference, repository: canonicalRepository(reference), tag: effectiveTag(reference) ?? '' };
}
