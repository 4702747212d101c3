import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { canonicalRepository, type ImageReference, isTag, parseImageReference } from '../core/image-reference.ts';
import type { PushHint } from '../core/push-hint.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import type { Push } from '../core/plan.ts';
import type { Clock, Events, Log, Metrics, Registry, Workloads } from '../ports.ts';
import { tellProblems } from './announce.ts';
import { type Controller, controllerQueue, type Result, runController, registryWorkers, type Stop } from './controller.ts';
import { DeliveryLog } from './log-delivery.ts';
import type { Notes } from './notes.ts';
import { type Access, isNotFound, reasonOf, type RepositoryAccess } from './repository-access.ts';
import { type PendingPush, PendingPushes } from './pending-pushes.ts';
import { laneOfRepository } from './repository-lane.ts';
import type { TagBook } from './tag-book.ts';
import { Turnstile } from './turnstile.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * Checks at the registry what webhooks claim, records what is true and wakes the workloads that use it.
 * The first hint of a repository is checked at once; those of the next three seconds are merged into one further check.
 */

export interface HintDeps {
  readonly workloads: Workloads;
  readonly access: RepositoryAccess;
  readonly registry: Registry;
  readonly book: TagBook;
  readonly notes: Notes;
  readonly events: Events;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** `prefer`: a registry that cannot be asked gives an unverified push, for a person to approve. `require`: it gives nothing. */
  readonly verify: 'prefer' | 'require' | 'off';
  readonly wake: (key: string) => void;
  /** All names of a registry, by the aliases of the configuration; by default only its own. */
  readonly registryNames?: (registry: string) => readonly string[];
}

const windowMs = 3000;
/** Checks that begin in one turn of the event loop: webhooks that arrive meanwhile are answered first. */
const checksPerTurn = 4;
/** A registry may know a tag a little later than its webhook: asked again after so long before "no such tag" counts. */
const missDelaysMs = [5000, 30_000, 120_000];
const unavailableDelayMs = 15_000;
/** The times of that many repositories' last checks are kept. */
const maximumRepositories = 10_000;

export class HintDesk {
  readonly #deps: HintDeps;
  readonly #queue: WorkQueue;
  readonly #deliveries: DeliveryLog;
  readonly #turnstile = new Turnstile(checksPerTurn);
  readonly #pending = new PendingPushes();
  readonly #startedAt = new LRUCache<string, number>(atMost(maximumRepositories));

  constructor(deps: HintDeps) {
    this.#deps = deps;
    this.#deliveries = new DeliveryLog(deps);
    this.#queue = controllerQueue('hints', deps.metrics, {
      laneOf: (repository: string) => laneOfRepository(repository, deps.workloads),
      workers: registryWorkers,
      mostPerPart: 4,
    });
  }

  /** Takes hints in without asking anybody. `unavailable` when there is no room: the sender should try again. */
  accept(hints: readonly PushHint[]): 'accepted' | 'unavailable' {
    let result: 'accepted' | 'unavailable' = 'accepted';
    const users = new Map<string, number>();
    const now = this.#deps.clock.now();
    let taken = 0;
    for (const hint of this.#byEveryName(hints)) {
      const repository = canonicalRepository(hint);
      const using = users.get(repository) ?? count(this.#deps.workloads.using(repository));
      users.set(repository, using);
      if (!isTag(hint.tag) || this.#pending.isDuplicate(hint, now) || using === 0) continue;
      if (!this.#pending.makeRoom(repository, hint.tag, (tag) => this.#tellGivenUp(repository, tag))) {
        result = 'unavailable';
        continue;
      }
      this.#deps.metrics.increment('webhook_events_processed');
      this.#pending.remember(hint, now);
      this.#pending.put(repository, { hint, arrival: this.#deps.book.arrive(), settled: new Set(), misses: 0, notBefore: 0 });
      this.#schedule(repository);
      taken++;
    }
    this.#deliveries.told({ hints, taken, users: [...users.values()] });
    return result;
  }

  /** A push that one name of a registry told of is news for workloads that pull by another one. */
  #byEveryName(hints: readonly PushHint[]): readonly PushHint[] {
    const names = this.#deps.registryNames;
    if (!names) return hints;
    return hints.flatMap((hint) => {
      const all = names(hint.registry);
      return all.length > 1 ? all.map((registry) => ({ ...hint, registry })) : [hint];
    });
  }

  /** Works until `stop.signal` aborts. */
  async run(stop: Stop): Promise<void> {
    const { log, metrics } = this.#deps;
    const controller: Controller = {
      name: 'hints',
      queue: this.#queue,
      log,
      metrics,
      workers: registryWorkers,
      reconcile: (key, signal) => this.#check(key, signal),
    };
    await runController(controller, stop);
    this.#deliveries.flush();
  }

  #tellGivenUp(repository: string, tag: string): void {
    this.#deps.log.debug({ repository, tag }, 'push given up for a newer one: too many tags wait');
  }

  #schedule(repository: string): void {
    const startedAt = this.#startedAt.get(repository);
    const waitMs = startedAt === undefined ? 0 : startedAt + windowMs - this.#deps.clock.now();
    this.#queue.addAfter(repository, Math.max(0, waitMs));
  }

  async #check(repository: string, signal: AbortSignal): Promise<Result> {
    await this.#turnstile.enter();
    const now = this.#deps.clock.now();
    const due = this.#pending.takeDue(repository, now);
    if (due.length > 0) this.#startedAt.set(repository, now);
    const unchecked = new Set(due);
    try {
      const groups = await this.#groupByAccess(repository, signal);
      for (const pending of due) {
        await this.#checkTag(repository, pending, groups, signal);
        unchecked.delete(pending);
      }
    } catch (error) {
      // What could not be checked for another reason than the registry stays for the next attempt.
      for (const pending of unchecked) {
        if (!this.#pending.has(repository, pending.hint.tag)) this.#pending.put(repository, pending);
      }
      throw error;
    }
    const next = this.#pending.nextDue(repository);
    if (next === undefined) return {};
    return { requeueAfterMs: Math.max(next - this.#deps.clock.now(), windowMs) };
  }

  /** Workloads with the same credentials share one question. */
  async #groupByAccess(repository: string, signal: AbortSignal): Promise<Group[]> {
    const groups = new Map<string, Group>();
    for (const workload of this.#deps.workloads.using(repository)) {
      const reference = this.#reference(repository, workload);
      if (!reference) continue;
      const access = await this.#deps.access.open(workload, reference, signal);
      tellProblems(this.#deps, workload, repository, access);
      const group = groups.get(access.key) ?? { access, reference, workloads: [] };
      group.workloads.push(workload);
      groups.set(access.key, group);
    }
    return [...groups.values()];
  }

  /**
   * The first reference of the workload to that repository from a container that pushes may concern, now or when what holds it is gone:
   * a push during a freeze is offered when the freeze ends.
   */
  #reference(repository: string, workload: Workload): ImageReference | undefined {
    const settings = this.#deps.notes.settings(workload);
    for (const { container, image } of workload.slots) {
      const reference = parseImageReference(image);
      const own = settings.container(container);
      if ('invalid' in reference || canonicalRepository(reference) !== repository || !settings.selects(container, reference)) continue;
      if ('held' in own || (own.eventSource !== 'polling' && own.policy.name !== 'none')) return reference;
    }
    return undefined;
  }

  async #checkTag(repository: string, pending: PendingPush, groups: readonly Group[], signal: AbortSignal): Promise<void> {
    const settled = new Set(pending.settled);
    let [missing, retryMs] = [false, Infinity];
    for (const { access, reference, workloads } of groups) {
      if (settled.has(access.key)) continue;
      const answer = await this.#ask(pending.hint, access, reference, signal);
      if (answer instanceof RegistryError) {
        if (isNotFound(answer)) missing = true;
        else retryMs = Math.min(retryMs, answer.retryAfterMs ?? unavailableDelayMs);
        continue;
      }
      settled.add(access.key);
      this.#deps.book.recordPush(access.key, answer, this.#deps.clock.now(), pending.arrival);
      for (const workload of workloads) this.#deps.wake(workloadKey(workload));
    }
    this.#askAgain(repository, { ...pending, settled }, missing, retryMs);
  }

  /** What to record of a push, or why nothing can be said yet. */
  async #ask(hint: PushHint, access: Access, reference: ImageReference, signal: AbortSignal): Promise<Push | RegistryError> {
    const { book, clock, registry, log, verify } = this.#deps;
    const { tag, digest: claimed } = hint;
    if (verify === 'off' && claimed !== undefined) return { tag, digest: claimed, verified: true };
    try {
      const { digest } = await registry.resolve(reference, tag, access.credentials, signal);
      book.recordHead(access.key, tag, digest, clock.now());
      this.#deps.access.checked(access, 'webhook');
      return { tag, digest, verified: true };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#deps.access.checked(access, 'webhook', error);
      this.#deps.access.failed(access, error);
      if (isNotFound(error)) return error;
      const fields = { repository: canonicalRepository(reference), tag, provider: hint.provider, error: error.message };
      log.warn({ ...fields, reason: reasonOf(error) }, 'push not verified: the registry does not answer it');
      return verify === 'require' ? error : { tag, digest: claimed, verified: false, message: error.message };
    }
  }

  /** A later push of the same tag, which may have arrived meanwhile, asks the same question. */
  #askAgain(repository: string, pending: PendingPush, missing: boolean, retryMs: number): void {
    const { clock, log } = this.#deps;
    const { hint, misses } = pending;
    const missDelayMs = missing ? missDelaysMs[misses] : undefined;
    if (missing && missDelayMs === undefined) {
      const fields = { repository, tag: hint.tag, provider: hint.provider, reason: 'TagNotFound' };
      log.warn(fields, 'push ignored: the registry has no such tag');
    }
    const delayMs = Math.min(missDelayMs ?? Infinity, retryMs);
    if (delayMs === Infinity || this.#pending.has(repository, hint.tag)) return;
    this.#pending.put(repository, { ...pending, misses: misses + (missing ? 1 : 0), notBefore: clock.now() + delayMs });
  }
}

interface Group {
  readonly access: Access;
  readonly reference: ImageReference;
  readonly workloads: Workload[];
}

function count(items: Iterable<unknown>): number {
  let number = 0;
  for (const _ of items) number++;
  return number;
}
