import { targetOf } from '../../src/core/update-request.ts';
import type { UpdateRequest } from '../../src/core/update-request-schema.ts';
import type { WorkloadRef } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import { createRequestBell, type RequestBell } from '../../src/operator/request-changes.ts';
import type { NewUpdateRequest, RequestChanges, StatusChange, UpdateRequests } from '../../src/ports.ts';

/**
 * UpdateRequests in memory with the semantics of the API server: a write with an old resourceVersion is a conflict, a name is taken
 * once, every write gives a new object. `changes` rings for every write.
 */
export class FakeUpdateRequests implements UpdateRequests {
  readonly changes: RequestChanges;
  /** What was written, in order: `create shop/a`, `status shop/a Approved`, `delete shop/a`. */
  readonly writes: string[] = [];
  /** Called before each write is judged: the place to let somebody else win the race. */
  beforeWrite: (() => void) | undefined;
  /** Thrown by the next write, once. */
  failure: Error | undefined;
  readonly #objects = new Map<string, UpdateRequest>();
  readonly #bell: RequestBell = createRequestBell();
  readonly #now: () => number;
  #version = 100;

  constructor(objects: readonly UpdateRequest[] = [], now: () => number = () => Date.parse('2026-01-15T10:00:00Z')) {
    this.#now = now;
    this.changes = this.#bell;
    for (const object of objects) this.put(object);
  }

  get(namespace: string, name: string): UpdateRequest | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  all(): Iterable<UpdateRequest> {
    return this.#objects.values();
  }

  of(ref: WorkloadRef): readonly UpdateRequest[] {
    return [...this.#objects.values()].filter((request) => isSameTarget(targetOf(request), ref));
  }

  async create(request: NewUpdateRequest, signal: AbortSignal): Promise<UpdateRequest> {
    this.#write(`create ${request.namespace}/${request.name}`, signal);
    if (this.get(request.namespace, request.name)) throw new ApiError(409, 'AlreadyExists', `${request.name} exists`);
    return this.put({
      apiVersion: 'headwind.sh/v1alpha1',
      kind: 'UpdateRequest',
      metadata: {
        namespace: request.namespace,
        name: request.name,
        uid: `uid-${this.#version}`,
        resourceVersion: '',
        generation: 1,
        creationTimestamp: new Date(this.#now()).toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      spec: structuredClone(request.spec),
      status: {},
    });
  }

  async setStatus(request: UpdateRequest, change: StatusChange, signal: AbortSignal): Promise<UpdateRequest> {
    const { namespace, name, resourceVersion } = request.metadata;
    this.#write(`status ${namespace}/${name} ${change.phase ?? ''}`.trimEnd(), signal);
    const stored = this.#stored(namespace, name);
    if (stored.metadata.resourceVersion !== resourceVersion) throw new ApiError(409, 'Conflict', `${name} has been modified`);
    const status = Object.fromEntries(Object.entries({ ...stored.status, ...change }).filter(([, value]) => value !== undefined));
    return this.put({ ...stored, status });
  }

  async setNewDigest(request: UpdateRequest, newDigest: string, signal: AbortSignal): Promise<UpdateRequest> {
    const { namespace, name, resourceVersion } = request.metadata;
    this.#write(`digest ${namespace}/${name}`, signal);
    const stored = this.#stored(namespace, name);
    if (stored.metadata.resourceVersion !== resourceVersion) throw new ApiError(409, 'Conflict', `${name} has been modified`);
    return this.put({ ...stored, spec: { ...stored.spec, newDigest } });
  }

  async delete(request: UpdateRequest, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = request.metadata;
    this.#write(`delete ${namespace}/${name}`, signal);
    if (this.#stored(namespace, name).metadata.uid !== uid) throw new ApiError(409, 'Conflict', `${name} is another object`);
    this.remove(namespace, name);
  }

  /** Stores the object as somebody else would have written it: new resourceVersion, waiters woken. */
  put(object: UpdateRequest): UpdateRequest {
    this.#version += 1;
    const { namespace, name } = object.metadata;
    const stored = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } });
    this.#objects.set(`${namespace}/${name}`, stored);
    this.#bell.changed(namespace, name);
    return stored;
  }

  /** Removes the object as somebody else would have. */
  remove(namespace: string, name: string): void {
    this.#objects.delete(`${namespace}/${name}`);
    this.#bell.changed(namespace, name);
  }

  #stored(namespace: string, name: string): UpdateRequest {
    const stored = this.get(namespace, name);
    if (!stored) throw new ApiError(404, 'NotFound', `${name} not found`);
    return stored;
  }

  #write(entry: string, signal: AbortSignal): void {
    signal.throwIfAborted();
    const failure = this.failure;
    this.failure = undefined;
    if (failure) throw failure;
    const interfere = this.beforeWrite;
    this.beforeWrite = undefined;
    interfere?.();
    this.writes.push(entry);
  }
}

function isSameTarget(target: WorkloadRef, ref: WorkloadRef): boolean {
  return target.kind === ref.kind && target.namespace === ref.namespace && target.name === ref.name;
}
