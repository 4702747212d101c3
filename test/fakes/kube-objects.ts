import { isDeepStrictEqual } from 'node:util';
import { mergePatch, strategicMergePatch } from './kube-patch.ts';

export type KubeObject = any;

/** An answer that is a Status object. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

export interface KubeEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: KubeObject;
}

/** Objects by resource (`/apis/apps/v1/deployments`) with the versions, generations and preconditions of the API server. */
export class KubeObjects {
  version = 100;
  readonly #resources = new Map<string, Map<string, KubeObject>>();
  readonly #onEvent: (event: KubeEvent) => void;

  constructor(onEvent: (event: KubeEvent) => void) {
    this.#onEvent = onEvent;
  }

  list(resource: string, namespace?: string): KubeObject[] {
    const all = [...(this.#resources.get(resource)?.values() ?? [])];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  get(resource: string, key: string): KubeObject {
    const found = this.#resources.get(resource)?.get(key);
    if (!found) throw new Refusal(404, 'NotFound', `${resource} "${key}" not found`);
    return found;
  }

  /** Stores the object as given, as somebody else would have; it gets what an object must have. */
  put(resource: string, object: KubeObject): KubeObject {
    const old = this.#resources.get(resource)?.get(keyOf(object));
    const metadata = {
      uid: old?.metadata.uid ?? `uid-${resource}-${keyOf(object)}-${this.version}`,
      creationTimestamp: '2026-01-15T10:00:00Z',
      generation: 1,
      ...object.metadata,
    };
    return this.#store(resource, { ...object, metadata }, old ? 'MODIFIED' : 'ADDED');
  }

  create(resource: string, object: KubeObject): KubeObject {
    if (this.#resources.get(resource)?.has(keyOf(object))) throw new Refusal(409, 'AlreadyExists', `"${keyOf(object)}" already exists`);
    const { status: _dropped, ...stored } = object;
    return this.put(resource, resource.includes('headwind.sh') ? stored : object);
  }

  replace(resource: string, object: KubeObject): KubeObject {
    const old = this.get(resource, keyOf(object));
    checkVersion(old, object.metadata);
    return this.#change(resource, old, object);
  }

  patch(resource: string, key: string, patch: KubeObject, { strategic = false, status = false } = {}): KubeObject {
    const old = this.get(resource, key);
    checkVersion(old, patch.metadata);
    const patched = (strategic ? strategicMergePatch : mergePatch)(old, patch);
    const kept = status ? { ...old, status: patched.status } : { ...patched, ...('status' in old && { status: old.status }) };
    return this.#change(resource, old, kept);
  }

  remove(resource: string, key: string, preconditions: { uid?: string; resourceVersion?: string } = {}): KubeObject {
    const old = this.get(resource, key);
    checkVersion(old, preconditions);
    this.#resources.get(resource)?.delete(key);
    this.version += 1;
    const gone = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.version) } };
    this.#onEvent({ type: 'DELETED', resource, object: gone });
    return gone;
  }

  #change(resource: string, old: KubeObject, next: KubeObject): KubeObject {
    const metadata = { ...next.metadata, uid: old.metadata.uid, resourceVersion: old.metadata.resourceVersion };
    const same = { ...next, metadata };
    if (isDeepStrictEqual(same, old)) return old;
    const generation = old.metadata.generation + (isDeepStrictEqual(next.spec, old.spec) ? 0 : 1);
    return this.#store(resource, { ...next, metadata: { ...metadata, generation } }, 'MODIFIED');
  }

  #store(resource: string, object: KubeObject, type: KubeEvent['type']): KubeObject {
    this.version += 1;
    const stored = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } });
    const objects = this.#resources.get(resource) ?? new Map<string, KubeObject>();
    this.#resources.set(resource, objects.set(keyOf(stored), stored));
    this.#onEvent({ type, resource, object: stored });
    return stored;
  }
}

function keyOf({ metadata }: KubeObject): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

function checkVersion(old: KubeObject, wanted: { uid?: string; resourceVersion?: string } | undefined): void {
  for (const member of ['uid', 'resourceVersion'] as const) {
    const value = wanted?.[member];
    if (value !== undefined && value !== old.metadata[member]) throw new Refusal(409, 'Conflict', 'the object has been modified');
  }
}
