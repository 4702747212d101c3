import { canonicalRepository, parseImageReference } from '../core/image-reference.ts';
import { parseWorkloadKey, type Workload, type WorkloadKind, type WorkloadRef, workloadKey } from '../core/workload.ts';
import type { WorkloadChange, Workloads } from '../ports.ts';
import { KeyIndex } from './key-index.ts';
import { resourceName } from './permissions.ts';
import type { RawObject } from './raw.ts';
import type { StoreEvent } from './reflector.ts';
import { type CacheOptions, type CacheSource, ReflectorSet } from './reflector-set.ts';
import { resourcePath } from './resource-path.ts';
import { SharedTexts } from './shared-texts.ts';
import { trimWorkload } from './trim-workload.ts';
import { workloadKinds } from './workload-kinds.ts';
import { workloadPatch } from './workload-patch.ts';

/** `initial`: the object was there before this process looked, so nobody waits for it. */
export type WorkloadListener = (key: string, facts: { readonly initial: boolean; readonly old: Workload | undefined }) => void;

interface WorkloadOptions extends CacheOptions {
  /** Kinds that may not be read are not watched: `cronjobs.batch`. */
  readonly withheld?: ReadonlySet<string>;
}

/** Managed workloads of every kind, from one watch per kind (and per namespace, where a list of them is watched). */
export class KubeWorkloads implements Workloads {
  readonly #options: WorkloadOptions;
  readonly #caches: ReadonlyMap<string, ReflectorSet<Workload>>;
  readonly #repositories = new KeyIndex();
  readonly #texts = new SharedTexts();
  readonly #listeners = new Set<WorkloadListener>();

  constructor(options: WorkloadOptions) {
    this.#options = options;
    const watched = Object.values(workloadKinds).filter((row) => options.withheld?.has(resourceName(row)) !== true);
    this.#caches = new Map(watched.map(({ kind }) => [kind, this.#cacheOf(kind)]));
  }

  /** Every watch and what stands in its way, for readiness. */
  get sources(): readonly CacheSource[] {
    return [...this.#caches.values()].flatMap((cache) => cache.sources);
  }

  get(ref: WorkloadRef): Workload | undefined {
    return this.#caches.get(ref.kind)?.get(ref.namespace, ref.name);
  }

  *all(): Generator<Workload> {
    for (const cache of this.#caches.values()) yield* cache.values();
  }

  *using(repository: string): Generator<Workload> {
    for (const key of this.#repositories.keysOf(repository)) {
      const workload = this.get(parseWorkloadKey(key));
      if (workload) yield workload;
    }
  }

  async apply(workload: Workload, change: WorkloadChange, signal: AbortSignal): Promise<Workload> {
    signal.throwIfAborted();
    const { kind, namespace, name } = workload;
    const row = workloadKinds[kind];
    const { fieldManager, contentType, body } = workloadPatch(workload, change);
    const raw = await this.#options.client.json<RawObject>('PATCH', resourcePath(row.apiVersion, row.resource, namespace, name), {
      query: { fieldManager },
      contentType,
      body,
      signal,
    });
    this.#caches.get(kind)?.wrote(namespace, raw);
    const patched = this.#trim(kind, raw);
    if (!patched) throw new Error(`the API server's answer to the patch of ${workloadKey(workload)} is no managed workload`);
    return patched;
  }

  /** Calls the listener with the key of each workload whose change may matter to a decision; gives the function that ends it. */
  onChange(listener: WorkloadListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps the cache level until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#caches.values()].map((cache) => cache.run(signal)));
  }

  #cacheOf(kind: WorkloadKind): ReflectorSet<Workload> {
    const { apiVersion, resource } = workloadKinds[kind];
    return new ReflectorSet(this.#options, {
      apiVersion,
      resource,
      transform: (raw) => this.#trim(kind, raw),
      onEvent: (event) => this.#changed(kind, event),
    });
  }

  #trim(kind: WorkloadKind, raw: RawObject): Workload | undefined {
    return trimWorkload(workloadKinds[kind], raw, { texts: this.#texts, log: this.#options.log });
  }

  #changed(kind: WorkloadKind, { key: name, object, old, initial }: StoreEvent<Workload>): void {
    if (object && old && isSameForDecisions(object, old)) return;
    const key = [kind, name].join('/');
    this.#repositories.move(key, repositoriesOf(old), repositoriesOf(object));
    for (const listener of this.#listeners) listener(key, { initial, old });
  }
}

function repositoriesOf(workload: Workload | undefined): Set<string> {
  const repositories = new Set<string>();
  for (const { image } of workload?.slots ?? []) {
    const reference = parseImageReference(image);
    if (!('invalid' in reference)) repositories.add(canonicalRepository(reference));
  }
  return repositories;
}

/** Most events of a busy cluster are status updates that change no number we read. */
function isSameForDecisions(a: Workload, b: Workload): boolean {
  return (
    a.uid === b.uid &&
    a.generation === b.generation &&
    a.autorollout === b.autorollout &&
    a.wantsNoPods === b.wantsNoPods &&
    a.partitioned === b.partitioned &&
    a.rollout.failed === b.rollout.failed &&
    a.rollout.settled === b.rollout.settled &&
    a.rollout.healthy === b.rollout.healthy &&
    a.rollout.message === b.rollout.message &&
    isSameRecord(a.annotations, b.annotations)
  );
}

function isSameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
