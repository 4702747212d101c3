import { targetOf } from '../../src/core/update-request.ts';
import type { UpdateRequest } from '../../src/core/update-request-schema.ts';
import { parseWorkloadKey, type Workload, type WorkloadRef } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import type { Pods, UpdateRequests, Workloads } from '../../src/ports.ts';
import { FakePods } from './pods.ts';
import { FakeUpdateRequests } from './update-requests.ts';
import { FakeWorkloads } from './workloads.ts';

export type Verb = 'create' | 'patch' | 'status' | 'delete' | 'read-pods' | 'delete-pod';

export interface Fault {
  readonly verb: Verb;
  /** HTTP status; 0 = no answer. */
  readonly code: number;
  readonly message?: string;
  /** Was the write carried out although the caller sees a failure? */
  readonly lost?: boolean;
  times: number;
}

export interface ClusterListener {
  workloadChanged(ref: WorkloadRef, next: Workload | undefined, old: Workload | undefined): void;
  requestChanged(target: WorkloadRef): void;
}

/** Workloads, their pods and requests behind one API server in memory, which may be slow or fail, and tells a listener what changed. */
export class FakeCluster {
  readonly workloads = new FakeWorkloads();
  readonly pods = new FakePods();
  readonly requests: FakeUpdateRequests;
  /** Writes that were carried out for an operator, in order. */
  readonly writes: Verb[] = [];
  readonly faults: Fault[] = [];
  latencyMs = 0;
  listener: ClusterListener | undefined;
  readonly #seen = new Map<string, Workload>();

  constructor(now: () => number) {
    this.requests = new WatchedRequests(now, (target) => this.listener?.requestChanged(target));
    this.workloads.onChange((key) => this.#workloadChanged(key));
  }

  /** Deletes a workload and, as the garbage collector does, the requests that it owns. */
  remove(workload: Workload): void {
    this.workloads.remove(workload);
    this.pods.remove(workload);
    for (const { spec, metadata } of this.requests.of(workload)) {
      if (spec.targetRef.uid === workload.uid) this.requests.remove(metadata.namespace, metadata.name);
    }
  }

  /** The ports as one operator process sees them, until it is killed. */
  connect(killed: AbortSignal): { workloads: Workloads; updateRequests: UpdateRequests; pods: Pods } {
    const { workloads, requests, pods } = this;
    const call = <T>(verb: Verb, run: () => Promise<T>) => this.#call(verb, run, killed);
    return {
      workloads: {
        get: (ref) => workloads.get(ref),
        all: () => workloads.all(),
        using: (repository) => workloads.using(repository),
        apply: (workload, change, signal) => call('patch', () => workloads.apply(workload, change, signal)),
      },
      updateRequests: {
        get: (namespace, name) => requests.get(namespace, name),
        all: () => requests.all(),
        of: (ref) => requests.of(ref),
        create: (request, signal) => call('create', () => requests.create(request, signal)),
        setStatus: (request, change, signal) => call('status', () => requests.setStatus(request, change, signal)),
        setNewDigest: (request, digest, signal) => call('status', () => requests.setNewDigest(request, digest, signal)),
        delete: (request, signal) => call('delete', () => requests.delete(request, signal)),
      },
      pods: {
        of: (workload, signal) => call('read-pods', () => pods.of(workload, signal)),
        platforms: () => pods.platforms(),
        delete: (workload, pod, signal) => call('delete-pod', () => pods.delete(workload, pod, signal)),
      },
    };
  }

  async #call<T>(verb: Verb, run: () => Promise<T>, killed: AbortSignal): Promise<T> {
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    killed.throwIfAborted();
    const fault = this.faults.find((candidate) => candidate.verb === verb && candidate.times > 0);
    if (fault) fault.times--;
    if (fault && !fault.lost) throw describeFault(fault);
    const result = await run();
    if (verb !== 'read-pods') this.writes.push(verb);
    if (fault) throw describeFault(fault);
    return result;
  }

  #workloadChanged(key: string): void {
    const ref = parseWorkloadKey(key);
    const next = this.workloads.get(ref);
    const old = this.#seen.get(key);
    if (next) this.#seen.set(key, next);
    else this.#seen.delete(key);
    this.listener?.workloadChanged(ref, next, old);
  }
}

class WatchedRequests extends FakeUpdateRequests {
  readonly #changed: (target: WorkloadRef) => void;

  constructor(now: () => number, changed: (target: WorkloadRef) => void) {
    super([], now);
    this.#changed = changed;
  }

  override put(object: UpdateRequest): UpdateRequest {
    const stored = super.put(object);
    this.#changed(targetOf(stored));
    return stored;
  }

  override remove(namespace: string, name: string): void {
    const removed = this.get(namespace, name);
    super.remove(namespace, name);
    if (removed) this.#changed(targetOf(removed));
  }
}

function describeFault({ verb, code, message }: Fault): ApiError {
  const reasons: Readonly<Record<number, string>> = { 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict', 422: 'Invalid' };
  return new ApiError(code, reasons[code] ?? '', message ?? `${verb} fails on purpose`);
}

/**
 * Ends a rollout of every workload some time after it began, as controllers do. With `digestOf` new pods run what that says
 * their images are at the moment.
 */
export function settleRollouts(cluster: FakeCluster, afterMs: number, digestOf?: (image: string) => string | undefined): void {
  cluster.workloads.onChange((key) => {
    const workload = cluster.workloads.get(parseWorkloadKey(key));
    if (!workload || workload.rollout.settled) return;
    const { generation } = workload;
    setTimeout(() => {
      const now = cluster.workloads.get(workload);
      if (!now || now.rollout.settled || now.generation !== generation) return;
      // Before the status says so: who is woken by it reads them.
      if (digestOf) cluster.pods.rollOut(now, digestOf);
      cluster.workloads.settle(now);
    }, afterMs);
  });
}
