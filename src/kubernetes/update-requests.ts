import { formatTime } from '../core/duration.ts';
import { targetOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type WorkloadRef, workloadKey } from '../core/workload.ts';
import type { Clock, NewUpdateRequest, StatusChange, UpdateRequests } from '../ports.ts';
import { KeyIndex } from './key-index.ts';
import type { RawObject } from './raw.ts';
import { readUpdateRequest } from './read-update-request.ts';
import type { StoreEvent } from './reflector.ts';
import { type CacheOptions, type CacheSource, ReflectorSet } from './reflector-set.ts';
import { resourcePath } from './resource-path.ts';

const apiVersion = 'headwind.sh/v1alpha1';
const resource = 'updaterequests';
const labelLength = 63;

export interface RequestEvent {
  /** As it is now, or as it was when it was deleted. */
  readonly request: UpdateRequest;
  readonly deleted: boolean;
  /** It was there before this process looked. */
  readonly initial: boolean;
}

export type RequestListener = (event: RequestEvent) => void;

export interface KubeUpdateRequestsOptions extends CacheOptions {
  readonly clock: Clock;
}

/** UpdateRequests of the API server, from one watch (or one per namespace). */
export class KubeUpdateRequests implements UpdateRequests {
  readonly #options: KubeUpdateRequestsOptions;
  readonly #cache: ReflectorSet<UpdateRequest>;
  readonly #targets = new KeyIndex();
  readonly #listeners = new Set<RequestListener>();

  constructor(options: KubeUpdateRequestsOptions) {
    this.#options = options;
    // Without its CRD nothing works at all: looked for often, unlike kinds that a cluster may do without.
    const reflector = { ...options.reflector, times: { absentMs: 5_000, ...options.reflector?.times } };
    this.#cache = new ReflectorSet(
      { ...options, reflector },
      {
        apiVersion,
        resource,
        transform: (raw) => readUpdateRequest(raw, options.log),
        onEvent: (event) => this.#changed(event),
      },
    );
  }

  /** Every watch and what stands in its way, for readiness. */
  get sources(): readonly CacheSource[] {
    return this.#cache.sources;
  }

  get(namespace: string, name: string): UpdateRequest | undefined {
    return this.#cache.get(namespace, name);
  }

  all(): Iterable<UpdateRequest> {
    return this.#cache.values();
  }

  of(ref: WorkloadRef): readonly UpdateRequest[] {
    return this.#targets.keysOf(workloadKey(ref)).flatMap((key) => {
      const [namespace = '', name = ''] = key.split('/');
      return this.get(namespace, name) ?? [];
    });
  }

  async create({ namespace, name, owner, spec }: NewUpdateRequest, signal: AbortSignal): Promise<UpdateRequest> {
    const body = {
      apiVersion,
      kind: 'UpdateRequest',
      metadata: { namespace, name, labels: labelsOf(owner), ownerReferences: [ownerReference(owner)] },
      spec,
    };
    return this.#write('POST', resourcePath(apiVersion, resource, namespace), namespace, { body, signal });
  }

  async setStatus({ metadata }: UpdateRequest, change: StatusChange, signal: AbortSignal): Promise<UpdateRequest> {
    const { namespace, name, resourceVersion } = metadata;
    const members = Object.entries(change).map(([member, value]) => [member, value ?? null]);
    const status = { lastUpdated: formatTime(this.#options.clock.now()), ...Object.fromEntries(members) };
    const path = `${resourcePath(apiVersion, resource, namespace, name)}/status`;
    const body = { metadata: { resourceVersion }, status };
    return this.#write('PATCH', path, namespace, { body, contentType: 'application/merge-patch+json', signal });
  }

  async setNewDigest({ metadata }: UpdateRequest, newDigest: string, signal: AbortSignal): Promise<UpdateRequest> {
    const { namespace, name, resourceVersion } = metadata;
    const body = { metadata: { resourceVersion }, spec: { newDigest } };
    const path = resourcePath(apiVersion, resource, namespace, name);
    return this.#write('PATCH', path, namespace, { body, contentType: 'application/merge-patch+json', signal });
  }

  async delete({ metadata }: UpdateRequest, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { namespace, name, uid, resourceVersion } = metadata;
    const answer = await this.#options.client.json<RawObject>('DELETE', resourcePath(apiVersion, resource, namespace, name), {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } },
      signal,
    });
    // With somebody's finalizer the answer is the object, which is still there.
    if (answer['kind'] === 'Status') this.#cache.deleted(namespace, { metadata });
  }

  /** Calls the listener for each request that was added, changed or deleted; gives the function that ends it. */
  onChange(listener: RequestListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps the cache level until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#cache.run(signal);
  }

  async #write(
    method: 'POST' | 'PATCH',
    path: string,
    namespace: string,
    { signal, ...request }: { body: object; contentType?: string; signal: AbortSignal },
  ): Promise<UpdateRequest> {
    signal.throwIfAborted();
    const raw = await this.#options.client.json<RawObject>(method, path, { query: { fieldManager: 'headwind' }, signal, ...request });
    this.#cache.wrote(namespace, raw);
    const stored = readUpdateRequest(raw, this.#options.log);
    if (!stored) throw new Error(`the answer to ${method} ${path} is no UpdateRequest`);
    return stored;
  }

  #changed({ key, object, old, initial }: StoreEvent<UpdateRequest>): void {
    this.#targets.move(key, targetsOf(old), targetsOf(object));
    const request = object ?? old;
    if (!request) return;
    for (const listener of this.#listeners) listener({ request, deleted: object === undefined, initial });
  }
}

function targetsOf(request: UpdateRequest | undefined): string[] {
  return request ? [workloadKey(targetOf(request))] : [];
}

/** For people and selectors; the operator itself reads `spec` alone. */
function labelsOf({ kind, name }: WorkloadRef): Record<string, string> {
  return {
    'app.kubernetes.io/managed-by': 'headwind',
    'headwind.sh/target-kind': kind,
    'headwind.sh/target-name': name.slice(0, labelLength).replace(/[^A-Za-z0-9]+$/, ''),
  };
}

function ownerReference({ apiVersion: ownerVersion, kind, name, uid }: NewUpdateRequest['owner']): object {
  return { apiVersion: ownerVersion, kind, name, uid, controller: false, blockOwnerDeletion: false };
}
