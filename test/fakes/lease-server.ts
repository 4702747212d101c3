import { ApiError } from '../../src/errors.ts';
import type { Lease, LeaseApi } from '../../src/kubernetes/lease.ts';
import type { Timing } from '../../src/kubernetes/timing.ts';

export interface LeaseFaults {
  /** Answers take so long. */
  latencyMs?: number;
  /** No answer ever comes. */
  isCutOff?: boolean;
  /** The next calls fail with these, in order. */
  errors?: Error[];
  /** The next writes are carried out, but the answer is lost. */
  lostAnswers?: number;
}

/** One Lease with the optimistic concurrency of the API server, seen by each candidate through its own faults. */
export class FakeLeaseServer {
  lease: Lease | undefined;
  hasNamespace = true;
  readonly calls: string[] = [];
  #version = 0;
  readonly #timing: Timing;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  seenBy(faults: LeaseFaults = {}): LeaseApi {
    return {
      get: (signal) => this.#answer('get', faults, signal, () => this.lease),
      create: (lease, signal) => this.#answer('create', faults, signal, () => this.#create(lease)),
      update: (lease, signal) => this.#answer('update', faults, signal, () => this.#update(lease)),
    };
  }

  #create(lease: Lease): Lease {
    if (!this.hasNamespace) throw new ApiError(404, 'NotFound', `namespaces "${lease.metadata.namespace}" not found`);
    if (this.lease) throw new ApiError(409, 'AlreadyExists', 'leases "headwind" already exists');
    return this.#store(lease);
  }

  #update(lease: Lease): Lease {
    if (!this.lease) throw new ApiError(404, 'NotFound', 'leases "headwind" not found');
    if (lease.metadata.resourceVersion !== this.lease.metadata.resourceVersion) throw new ApiError(409, 'Conflict', 'has been modified');
    return this.#store(lease);
  }

  #store(lease: Lease): Lease {
    this.#version += 1;
    this.lease = structuredClone({ ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.#version) } });
    return this.lease;
  }

  async #answer<T>(call: string, faults: LeaseFaults, signal: AbortSignal, answer: () => T): Promise<T> {
    this.calls.push(call);
    if (faults.isCutOff) await this.#timing.sleep(2 ** 30, signal);
    signal.throwIfAborted();
    await this.#timing.sleep((faults.latencyMs ?? 0) / 2, signal);
    const error = faults.errors?.shift();
    if (error) throw error;
    const result = answer();
    if (call !== 'get' && (faults.lostAnswers ?? 0) > 0) {
      faults.lostAnswers = (faults.lostAnswers ?? 0) - 1;
      await this.#timing.sleep(2 ** 30, signal);
    }
    await this.#timing.sleep((faults.latencyMs ?? 0) / 2, signal);
    signal.throwIfAborted();
    return result;
  }
}
