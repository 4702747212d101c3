import { randomUUID } from 'node:crypto';

/** An object of the API; tests look into it freely. */
export type ApiObject = Record<string, any> & { metadata: Record<string, any> };

export interface ApiEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  readonly version: number;
}

/** Objects by collection path, with one counter of versions and the history that watches replay. */
export class ApiObjects {
  readonly #collections = new Map<string, Map<string, ApiObject>>();
  readonly #history = new Map<string, ApiEvent[]>();
  readonly #listeners = new Set<(collection: string, event: ApiEvent) => void>();
  /** The newest version; versions before `oldest` are forgotten (410). */
  version = 1000;
  oldest = 0;

  all(collection: string): ApiObject[] {
    return [...(this.#collections.get(collection)?.values() ?? [])];
  }

  get(collection: string, key: string): ApiObject | undefined {
    return this.#collections.get(collection)?.get(key);
  }

  /** Creates or replaces, with a new version, and tells the watches. */
  put(collection: string, object: ApiObject): ApiObject {
    const key = keyOf(object);
    const old = this.get(collection, key);
    const uid = old?.metadata['uid'] ?? randomUUID();
    const metadata = { creationTimestamp: '2026-01-01T00:00:00Z', generation: 1, uid, ...object.metadata };
    const stored: ApiObject = { ...object, metadata: { ...metadata, resourceVersion: String(++this.version) } };
    this.#mapOf(collection).set(key, stored);
    this.#record(collection, { type: old === undefined ? 'ADDED' : 'MODIFIED', object: stored, version: this.version });
    return stored;
  }

  delete(collection: string, key: string): ApiObject | undefined {
    const old = this.get(collection, key);
    if (old === undefined) return undefined;
    this.#mapOf(collection).delete(key);
    const object = { ...old, metadata: { ...old.metadata, resourceVersion: String(++this.version) } };
    this.#record(collection, { type: 'DELETED', object, version: this.version });
    return object;
  }

  /** Gone without an event: only a list can show it. */
  vanish(collection: string, key: string): void {
    this.#mapOf(collection).delete(key);
    this.version++;
  }

  since(collection: string, version: number): readonly ApiEvent[] {
    return (this.#history.get(collection) ?? []).filter((event) => event.version > version);
  }

  listen(listener: (collection: string, event: ApiEvent) => void): void {
    this.#listeners.add(listener);
  }

  #mapOf(collection: string): Map<string, ApiObject> {
    const known = this.#collections.get(collection);
    if (known) return known;
    const created = new Map<string, ApiObject>();
    this.#collections.set(collection, created);
    return created;
  }

  #record(collection: string, event: ApiEvent): void {
    const history = this.#history.get(collection) ?? [];
    this.#history.set(collection, history);
    history.push(event);
    for (const listener of this.#listeners) listener(collection, event);
  }
}

/** `namespace/name`, or `name`. */
export function keyOf({ metadata }: ApiObject): string {
  return metadata['namespace'] === undefined ? String(metadata['name']) : `${metadata['namespace']}/${metadata['name']}`;
}

/** JSON merge patch (RFC 7396). */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
