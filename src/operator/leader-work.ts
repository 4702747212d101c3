import type { PushHint } from '../core/push-hint.ts';
import { type Workload, type WorkloadRef, workloadKey } from '../core/workload.ts';
import { targetOf } from '../core/update-request.ts';
import type { Registry } from '../ports.ts';
import { HintDesk } from './check-hints.ts';
import { controllerQueue, runController, tenantWorkers } from './controller.ts';
import type { OperatorDeps } from './deps.ts';
import { guardWrites } from './guard-writes.ts';
import { laneOfWorkload } from './repository-lane.ts';
import { RegistryPoller } from './poll-registries.ts';
import { reconcileWorkload } from './reconcile-workload.ts';
import type { WorkQueue } from './work-queue.ts';

export interface LeaderSettings {
  /** False: facts are recorded and shown, nothing is decided, requested or applied. */
  readonly controllersEnabled: boolean;
  readonly polling: { readonly enabled: boolean; readonly intervalMs: number };
  readonly verify: 'prefer' | 'require' | 'off';
  readonly workers?: number;
}

/** The time for which this process leads. */
export interface LeaderTerm {
  /** Take no new work; what runs may finish. */
  readonly stopping: AbortSignal;
  /** End at once. */
  readonly lost: AbortSignal;
  /** Throws unless this process surely leads. */
  assertHeld(): void;
}

interface Running {
  readonly queue: WorkQueue;
  readonly desk: HintDesk;
  readonly poller: RegistryPoller;
}

/** What only the leader does: reconcile, check hints, poll. Between terms it keeps no work: a new term looks at everything once. */
export class LeaderWork {
  readonly #deps: OperatorDeps;
  readonly #registry: Registry;
  readonly #settings: LeaderSettings;
  #running: Running | undefined;

  constructor(deps: OperatorDeps, registry: Registry, settings: LeaderSettings) {
    this.#deps = deps;
    this.#registry = registry;
    this.#settings = settings;
  }

  /** The watch cache has a new version of a workload, or lost it (`next` undefined). */
  workloadChanged(ref: WorkloadRef, next: Workload | undefined, old: Workload | undefined, initial: boolean): void {
    const key = workloadKey(ref);
    if (next) this.#deps.notes.workloadChanged(next, old, this.#deps.book.sequence);
    else this.#deps.notes.forget(key);
    this.#running?.queue.add(key, { low: initial });
    if (next) this.#running?.poller.workloadChanged(next);
  }

  /** An UpdateRequest of this workload (`targetOf` the request) changed. */
  requestChanged(target: WorkloadRef, initial: boolean): void {
    this.#running?.queue.add(workloadKey(target), { low: initial });
  }

  /** Takes webhooks in. `unavailable`: this process does not lead, or has no room. */
  accept(hints: readonly PushHint[]): 'accepted' | 'unavailable' {
    return this.#running?.desk.accept(hints) ?? 'unavailable';
  }

  /** When the next poll of a canonical repository is due; undefined when this process does not poll it. */
  nextPollAt(repository: string): number | undefined {
    return this.#running?.poller.dueAt(repository);
  }

  get isLeading(): boolean {
    return this.#running !== undefined;
  }

  /** Works for one term; resolves when all that ran has ended. */
  async lead(term: LeaderTerm): Promise<void> {
    const running = this.#start(term);
    this.#running = running;
    try {
      const stop = { signal: term.stopping, abort: term.lost };
      await Promise.all([running.desk.run(stop), running.poller.run(stop), this.#reconcileAll(running.queue, term)]);
    } finally {
      this.#running = undefined;
    }
  }

  #start(term: LeaderTerm): Running {
    const { metrics } = this.#deps;
    const queue = controllerQueue('workload', metrics, {
      laneOf: (key: string) => laneOfWorkload(key, this.#deps.workloads),
      workers: tenantWorkers,
      mostPerPart: 8,
    });
    const guarded = guardWrites(this.#deps.workloads, this.#deps.updateRequests, () => term.assertHeld());
    const shared = { ...this.#deps, ...guarded, registry: this.#registry, wake: (key: string) => queue.add(key) };
    const desk = new HintDesk({ ...shared, verify: this.#settings.verify });
    const { enabled, intervalMs } = this.#settings.polling;
    return { queue, desk, poller: new RegistryPoller({ ...shared, intervalMs, pollingEnabled: enabled }) };
  }

  async #reconcileAll(queue: WorkQueue, term: LeaderTerm): Promise<void> {
    if (!this.#settings.controllersEnabled) return;
    const guarded = guardWrites(this.#deps.workloads, this.#deps.updateRequests, () => term.assertHeld());
    const deps = { ...this.#deps, ...guarded };
    for (const workload of deps.workloads.all()) queue.add(workloadKey(workload), { low: true });
    for (const request of deps.updateRequests.all()) queue.add(workloadKey(targetOf(request)), { low: true });
    const { log, metrics } = deps;
    const reconcile = (key: string, signal: AbortSignal) => reconcileWorkload(key, deps, signal);
    await runController(
      { name: 'workload', queue, reconcile, log, metrics, workers: this.#settings.workers ?? tenantWorkers },
      { signal: term.stopping, abort: term.lost },
    );
  }
}
