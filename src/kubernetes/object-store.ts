import type { Log } from '../ports.ts';
import { OwnWrites } from './own-writes.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';

/** What changed. `initial` is true until the store was complete for the first time. */
export type StoreEvent<S> =
  | { readonly type: 'put'; readonly key: string; readonly object: S; readonly old: S | undefined; readonly initial: boolean }
  | { readonly type: 'delete'; readonly key: string; readonly object: undefined; readonly old: S; readonly initial: boolean };

export interface StoreOptions<S> {
  /** What is kept of an object; `undefined` = not of interest, removed if present. */
  readonly transform: (raw: RawObject) => S | undefined;
  /** Synchronous; what it throws is logged and goes no further. */
  readonly onEvent?: ((event: StoreEvent<S>) => void) | undefined;
  readonly log: Log;
  readonly ownWriteMs: number;
  /** The watch never confirmed an own write of this key. */
  readonly onLost: (key: string) => void;
}

interface Entry<S> {
  readonly object: S;
  readonly version: string;
}

/** The trimmed objects of one resource by `namespace/name`, kept by the reflector. Readers get the stored object and never change it. */
export class ObjectStore<S> {
  readonly #options: StoreOptions<S>;
  readonly #entries = new Map<string, Entry<S>>();
  readonly #ownWrites: OwnWrites;
  #initial = true;

  constructor(options: StoreOptions<S>) {
    this.#options = options;
    this.#ownWrites = new OwnWrites(options.ownWriteMs, options.onLost);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): S | undefined {
    return this.#entries.get(key)?.object;
  }

  *values(): Generator<S> {
    for (const { object } of this.#entries.values()) yield object;
  }

  /** What list and watch report of an object; the answer is its key. */
  observe(type: 'put' | 'delete', raw: RawObject): string {
    const { key, version, uid } = identify(raw);
    if (!this.#ownWrites.admits(type, { key, version, uid })) return key;
    if (type === 'delete') this.#delete(key);
    else this.#put(key, version, raw);
    return key;
  }

  /** The server's answer to our own write: visible at once, and not undone by events from before it. */
  wrote(raw: RawObject): void {
    const { key, version, uid } = identify(raw);
    if (this.#entries.get(key)?.version === version || !this.#ownWrites.expect({ key, version, uid })) return;
    this.#put(key, version, raw);
  }

  /** We deleted this object and the server said that it is gone (not only marked, with finalizers left). */
  deleted(raw: RawObject): void {
    const { key, uid } = identify(raw);
    if (this.#entries.has(key) && this.#ownWrites.expect({ key, version: undefined, uid })) this.#delete(key);
  }

  /** A list is about to be asked for; it will contain all that was written so far. */
  beginList(): void {
    this.#ownWrites.forgetAll();
  }

  /** A list is complete: what it did not contain is gone, except what we wrote while it ran. */
  endList(seen: ReadonlySet<string>): void {
    for (const key of this.#entries.keys()) if (!seen.has(key) && !this.#ownWrites.has(key)) this.#delete(key);
    this.#initial = false;
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#ownWrites.forgetAll();
  }

  #put(key: string, version: string, raw: RawObject): void {
    const old = this.#entries.get(key);
    if (old?.version === version) return;
    let object: S | undefined;
    try {
      object = this.#options.transform(raw);
    } catch (error) {
      this.#options.log.error({ key, error }, 'an object could not be read and is passed over');
      return;
    }
    if (object === undefined) return this.#delete(key);
    this.#entries.set(key, { object, version });
    this.#emit({ type: 'put', key, object, old: old?.object, initial: this.#initial });
  }

  #delete(key: string): void {
    const old = this.#entries.get(key);
    if (old === undefined) return;
    this.#entries.delete(key);
    this.#emit({ type: 'delete', key, object: undefined, old: old.object, initial: this.#initial });
  }

  #emit(event: StoreEvent<S>): void {
    try {
      this.#options.onEvent?.(event);
    } catch (error) {
      this.#options.log.error({ key: event.key, error }, 'a handler of watch events failed');
    }
  }
}

function identify(raw: RawObject): { key: string; version: string; uid: string } {
  const metadata = recordAt(raw, 'metadata');
  const [name = '', namespace] = [textOf(metadata['name']), textOf(metadata['namespace'])];
  return {
    key: namespace === undefined ? name : [namespace, name].join('/'),
    version: textOf(metadata['resourceVersion']) ?? '',
    uid: textOf(metadata['uid']) ?? '',
  };
}
