import { canonicalRepository, parseImageReference } from '../../src/core/image-reference.ts';
import { type Slot, type Workload, type WorkloadRef, workloadKey } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import type { RestartMark, WorkloadChange, Workloads } from '../../src/ports.ts';

/**
 * Workloads in memory with the semantics of the API server: a patch with an old resourceVersion is a conflict, one that changes the
 * template gives a new generation and starts a rollout, one that changes nothing gives the object as it is.
 */
export class FakeWorkloads implements Workloads {
  /** Every accepted patch, in order; a restart is among its members. */
  readonly patches: { readonly key: string; readonly change: WorkloadChange }[] = [];
  /** Called before each patch is judged: the place to let somebody else win the race. */
  beforeApply: (() => void) | undefined;
  /** Thrown by the next `apply`, once. */
  failure: Error | undefined;
  readonly #objects = new Map<string, Workload>();
  /** Annotations of the pod templates: key → annotation → value. */
  readonly #templates = new Map<string, Record<string, string>>();
  readonly #listeners = new Set<(key: string) => void>();
  #version = 100;

  constructor(objects: readonly Workload[] = []) {
    for (const object of objects) this.put(object);
  }

  get(ref: WorkloadRef): Workload | undefined {
    return this.#objects.get(workloadKey(ref));
  }

  all(): Iterable<Workload> {
    return this.#objects.values();
  }

  using(repository: string): Iterable<Workload> {
    return [...this.#objects.values()].filter(({ slots }) => slots.some((slot) => repositoryOf(slot) === repository));
  }

  async apply(workload: Workload, change: WorkloadChange, signal: AbortSignal): Promise<Workload> {
    signal.throwIfAborted();
    const failure = this.failure;
    this.failure = undefined;
    if (failure) throw failure;
    const interfere = this.beforeApply;
    this.beforeApply = undefined;
    interfere?.();
    const stored = this.get(workload);
    if (!stored) throw new ApiError(404, 'NotFound', `${workload.name} not found`);
    if (stored.resourceVersion !== workload.resourceVersion) throw new ApiError(409, 'Conflict', `${workload.name} has been modified`);
    if (change.restart && stored.kind === 'CronJob') throw new Error(`CronJob ${stored.namespace}/${stored.name} is never restarted`);
    for (const container of change.images.keys()) {
      if (!stored.slots.some((slot) => slot.container === container)) throw new Error(`${workload.name} has no container ${container}`);
    }
    this.patches.push({ key: workloadKey(workload), change });
    return this.#patched(stored, change);
  }

  /** The annotations of the workload's pod template, as patches have left them. */
  templateAnnotations(ref: WorkloadRef): Readonly<Record<string, string>> {
    return this.#templates.get(workloadKey(ref)) ?? {};
  }

  /** Calls the listener with the key of each workload that was put, patched or removed; gives the function that ends it. */
  onChange(listener: (key: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stores the object as somebody else would have written it, with a new resourceVersion. */
  put(workload: Workload): Workload {
    this.#version += 1;
    const stored = { ...workload, resourceVersion: String(this.#version) };
    this.#objects.set(workloadKey(workload), stored);
    this.#tell(workloadKey(workload));
    return stored;
  }

  /** Removes the object as somebody else would have. */
  remove(ref: WorkloadRef): void {
    this.#objects.delete(workloadKey(ref));
    this.#templates.delete(workloadKey(ref));
    this.#tell(workloadKey(ref));
  }

  /** The workload's controller has finished: all pods are new, and available unless said otherwise. */
  settle(ref: WorkloadRef, healthy = true): Workload {
    const stored = this.get(ref);
    if (!stored) throw new Error(`there is no ${workloadKey(ref)}`);
    const message = healthy ? 'all 1 pods are updated and available' : '0 of 1 pods are available';
    return this.put({ ...stored, rollout: { settled: true, healthy, message } });
  }

  #patched(stored: Workload, { images, annotations, restart }: WorkloadChange): Workload {
    const changesImages = stored.slots.some(({ container, image }) => (images.get(container) ?? image) !== image);
    const changesTemplate = this.#marks(stored, restart) || changesImages;
    const changesAnnotations = Object.entries(annotations).some(([key, value]) => stored.annotations[key] !== value);
    if (!changesTemplate && !changesAnnotations) return stored;
    const slots = stored.slots.map((slot) => ({ ...slot, image: images.get(slot.container) ?? slot.image }));
    const rollsOut = changesTemplate && stored.kind !== 'CronJob';
    return this.put({
      ...stored,
      slots,
      annotations: { ...stored.annotations, ...annotations },
      generation: stored.generation + (changesTemplate ? 1 : 0),
      ...(rollsOut && { rollout: { settled: false, healthy: false, message: 'the controller has not seen the latest change yet' } }),
    });
  }

  /** Does the mark of a restart change the template? Two within one second are the same text. */
  #marks(stored: Workload, restart: RestartMark | undefined): boolean {
    if (!restart || this.templateAnnotations(stored)[restart.annotation] === restart.at) return false;
    this.#templates.set(workloadKey(stored), { ...this.templateAnnotations(stored), [restart.annotation]: restart.at });
    return true;
  }

  #tell(key: string): void {
    for (const listener of this.#listeners) listener(key);
  }
}

function repositoryOf({ image }: Slot): string | undefined {
  const reference = parseImageReference(image);
  return 'invalid' in reference ? undefined : canonicalRepository(reference);
}
