import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { KubeClient, KubeRequest } from './client.ts';
import { createLineSplitter } from './lines.ts';
import { ObjectStore, type StoreEvent } from './object-store.ts';
import { type RawObject, recordAt, recordsOf, textOf } from './raw.ts';
import { ListAgainError, ReconnectPolicy, type ReconnectTimes } from './reconnect-policy.ts';
import { parseWatchEvent } from './watch-event.ts';

export type { StoreEvent } from './object-store.ts';

/** `synced`: the store was complete once and is kept so; `forbidden` and `absent` (no such resource) say why it is not. */
export type ReflectorState = 'syncing' | 'synced' | 'forbidden' | 'absent';

export interface ReflectorOptions<S> {
  readonly client: Pick<KubeClient, 'json' | 'open'>;
  /** `/apis/apps/v1/deployments`, or one namespace of it. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** What is kept of an object; `undefined` = not of interest, removed if present. */
  readonly transform: (raw: RawObject) => S | undefined;
  /** Called for each change, in order, one at a time. Synchronous: updates indexes and enqueues keys. */
  readonly onEvent?: (event: StoreEvent<S>) => void;
  readonly onState?: (state: ReflectorState, problem: string | undefined) => void;
  readonly log: Log;
  /** Objects per page where the server cannot stream; default 100. */
  readonly pageSize?: number;
  /** False = pages from the start. */
  readonly streaming?: boolean;
  /** Silence after which a connection counts as dead; default 150 s. Bookmarks come every 60 s: never below 90 s in production. */
  readonly idleMs?: number;
  /** How long the server should keep a watch open; default 300 to 600, random. */
  readonly watchSeconds?: () => number;
  /** Default 0.8 s to 30 s, and 5 minutes for a resource that does not exist. */
  readonly times?: Partial<ReconnectTimes>;
  /** How long an own write may stay unconfirmed before the reflector lists again; default 30 s. */
  readonly ownWriteMs?: number;
}

export interface ReflectorStats {
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  readonly errors: number;
  /** Lists after 410. */
  readonly relists: number;
  /** Of the monotonic clock; 0 = never. */
  readonly lastLineAt: number;
}

/** Keeps the objects of one resource level with the API server by list and watch. `run` it; read with `get` and `values`. */
export class Reflector<S> {
  readonly #options: ReflectorOptions<S>;
  readonly #store: ObjectStore<S>;
  readonly #policy: ReconnectPolicy;
  readonly #synced = Promise.withResolvers<void>();
  readonly #stats = { lists: 0, watches: 0, events: 0, errors: 0, relists: 0, lastLineAt: 0 };
  #version = '';
  #hasSynced = false;
  #isRunning = false;
  #state: ReflectorState = 'syncing';
  #problem: string | undefined;
  #connection: AbortController | undefined;

  constructor(options: ReflectorOptions<S>) {
    this.#options = options;
    const { transform, onEvent, log, ownWriteMs = 30_000 } = options;
    this.#store = new ObjectStore({ transform, onEvent, log, ownWriteMs, onLost: () => this.#listAgain() });
    this.#policy = new ReconnectPolicy({ minMs: 800, maxMs: 30_000, absentMs: 300_000, ...options.times }, options.streaming ?? true);
  }

  /** Resolves when the store is complete for the first time. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** A sentence on what stands in the way at the moment. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get stats(): ReflectorStats {
    return { ...this.#stats };
  }

  get resourceVersion(): string {
    return this.#version;
  }

  get size(): number {
    return this.#store.size;
  }

  /** By `namespace/name`, or `name` of a resource without namespaces. */
  get(key: string): S | undefined {
    return this.#store.get(key);
  }

  values(): Iterable<S> {
    return this.#store.values();
  }

  /** Puts the server's answer to our own write into the store at once; events from before it no longer change the object. */
  wrote(raw: RawObject): void {
    this.#store.wrote(raw);
  }

  /** Removes an object at once that we deleted and that the server said is gone. `raw` as it was, with its uid. */
  deleted(raw: RawObject): void {
    this.#store.deleted(raw);
  }

  /** Lists and watches until the signal aborts. Never throws for a fault of the cluster. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning) throw new Error(`the reflector of ${this.#options.path} runs already`);
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        const waitMs = await this.#listAndWatch(signal);
        if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => undefined);
      }
    } finally {
      this.#isRunning = false;
      this.#store.close();
    }
  }

  /** One connection; the answer is how long to wait before the next. */
  async #listAndWatch(signal: AbortSignal): Promise<number> {
    try {
      if (this.#version === '' && !this.#policy.streaming) await this.#list(signal);
      await this.#watch(signal);
      return 0;
    } catch (error) {
      return signal.aborted ? 0 : this.#afterFault(error);
    }
  }

  #afterFault(error: unknown): number {
    const verdict = this.#policy.judge(error, this.#version);
    if (verdict.relist) this.#version = '';
    if (error instanceof ApiError && error.status === 410) this.#stats.relists++;
    if (verdict.isOrdinary === true) return verdict.waitMs;
    this.#stats.errors++;
    this.#setState(verdict.state ?? this.#usualState(), error instanceof Error ? error.message : String(error));
    return verdict.waitMs;
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, path, pageSize = 100 } = this.#options;
    const seen = new Set<string>();
    this.#store.beginList();
    let position: string | undefined;
    let version: string | undefined;
    do {
      this.#stats.lists++;
      const query = { ...this.#selectors(), limit: pageSize, continue: position };
      const page: unknown = await client.json('GET', path, { signal, query, gzip: true });
      for (const item of recordsOf(recordAt(page)['items'])) seen.add(this.#store.observe('put', item));
      version = textOf(recordAt(page, 'metadata')['resourceVersion']);
      position = textOf(recordAt(page, 'metadata')['continue']);
      if (version === undefined) throw new Error(`GET ${path}: the answer is no list`);
    } while (position !== undefined);
    this.#complete(seen, version);
  }

  async #watch(outer: AbortSignal): Promise<void> {
    const { client, path, idleMs = 150_000 } = this.#options;
    const connection = new AbortController();
    const stop = (): void => connection.abort(outer.reason);
    outer.addEventListener('abort', stop, { once: true });
    const silence = setTimeout(() => connection.abort(new Error(`GET ${path}: no line for ${idleMs} ms`)), idleMs);
    this.#connection = connection;
    try {
      const stream = await client.open('GET', path, { signal: connection.signal, query: this.#watchQuery() });
      await this.#readStream(stream.body, () => silence.refresh());
    } catch (error) {
      throw connection.signal.aborted ? connection.signal.reason : error;
    } finally {
      clearTimeout(silence);
      outer.removeEventListener('abort', stop);
      this.#connection = undefined;
      connection.abort();
    }
  }

  async #readStream(body: AsyncIterable<Buffer>, onLine: () => void): Promise<void> {
    const startedAt = performance.now();
    const isList = this.#version === '';
    const seen = new Set<string>();
    let lines = 0;
    this.#setState(this.#usualState(), undefined);
    const split = createLineSplitter((line) => {
      onLine();
      lines++;
      this.#takeLine(line, seen);
    });
    for await (const chunk of body) split(chunk);
    if (isList && this.#version === '') throw new Error(`GET ${this.#options.path}: the stream ended before the list was complete`);
    // Resuming at once would spin.
    if (lines === 0 && performance.now() - startedAt < 1000) throw new Error(`GET ${this.#options.path}: the watch ended at once`);
  }

  #takeLine(line: string, seen: Set<string>): void {
    const event = parseWatchEvent(line);
    this.#policy.lineReceived();
    this.#stats.lastLineAt = performance.now();
    const isListing = this.#version === '';
    if (event.type !== 'bookmark') {
      this.#stats.events++;
      const key = this.#store.observe(event.type, event.object);
      if (isListing) seen.add(key);
    }
    if (isListing) {
      if (event.endsList) this.#complete(seen, event.version);
      return;
    }
    this.#policy.newsReceived();
    this.#version = event.version;
  }

  #complete(seen: Set<string>, version: string): void {
    this.#store.endList(seen);
    seen.clear();
    this.#policy.listCompleted();
    this.#version = version;
    this.#hasSynced = true;
    this.#setState('synced', undefined);
    this.#synced.resolve();
  }

  #watchQuery(): NonNullable<KubeRequest['query']> {
    const isList = this.#version === '';
    if (isList) {
      this.#stats.lists++;
      this.#store.beginList();
    }
    this.#stats.watches++;
    return {
      ...this.#selectors(),
      watch: true,
      allowWatchBookmarks: true,
      timeoutSeconds: this.#options.watchSeconds?.() ?? 300 + Math.floor(Math.random() * 301),
      ...(isList ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : { resourceVersion: this.#version }),
    };
  }

  #selectors(): { labelSelector: string | undefined; fieldSelector: string | undefined } {
    return { labelSelector: this.#options.labelSelector, fieldSelector: this.#options.fieldSelector };
  }

  #usualState(): ReflectorState {
    return this.#hasSynced ? 'synced' : 'syncing';
  }

  #setState(state: ReflectorState, problem: string | undefined): void {
    if (state === this.#state && problem === this.#problem) return;
    this.#state = state;
    this.#problem = problem;
    const { log, onState, path } = this.#options;
    if (problem !== undefined) log.warn({ path, state, problem }, `list or watch interrupted, which is tried again: ${problem}`);
    try {
      onState?.(state, problem);
    } catch (error) {
      log.error({ path, error }, 'a handler of the watch state failed');
    }
  }

  /** The watch did not confirm an own write: the store may be wrong. */
  #listAgain(): void {
    if (this.#connection === undefined) this.#version = '';
    else this.#connection.abort(new ListAgainError('an own write was not confirmed'));
  }
}
