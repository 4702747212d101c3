import { LRUCache } from 'lru-cache';
import { canonicalRepository, type ImageReference, isTag, parseImageReference } from '../core/image-reference.ts';
import type { PushHint } from '../core/push-hint.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import type { Clock, Log, Metrics, Registry, Workloads } from '../ports.ts';
import { type Controller, controllerQueue, type Result, runController, type Stop } from './controller.ts';
import type { Notes } from './notes.ts';
import { type Access, isNotFound, type RepositoryAccess } from './repository-access.ts';
import type { TagBook } from './tag-book.ts';
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
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** `prefer`: a registry that cannot be asked gives an unverified push, for a person to approve. `require`: it gives nothing. */
  readonly verify: 'prefer' | 'require' | 'off';
  readonly wake: (key: string) => void;
}

interface Pending {
  readonly hint: PushHint;
  /** How often the registry has said that there is no such tag. */
  readonly misses: number;
  /** Not to be asked before this time. */
  readonly notBefore: number;
}

const windowMs = 3000;
/** A registry may know a tag a little later than its webhook: asked again after so long before "no such tag" counts. */
const missDelaysMs = [5000, 30_000, 120_000];
const unavailableDelayMs = 15_000;
const maximumRepositories = 10_000;
const duplicateMs = 10 * 60_000;

export class HintDesk {
  readonly #deps: HintDeps;
  readonly #queue: WorkQueue;
  readonly #pending = new Map<string, Map<string, Pending>>();
  readonly #startedAt = new LRUCache<string, number>({ max: maximumRepositories });
  readonly #seen: LRUCache<string, true>;

  constructor(deps: HintDeps) {
    this.#deps = deps;
    this.#queue = controllerQueue('hints', deps.metrics);
    this.#seen = new LRUCache({ max: 10_000, ttl: duplicateMs });
  }

  /** Takes hints in without asking anybody. `unavailable` when there is no room: the sender should try again. */
  accept(hints: readonly PushHint[]): 'accepted' | 'unavailable' {
    let result: 'accepted' | 'unavailable' = 'accepted';
    for (const hint of hints) {
      if (!isTag(hint.tag) || this.#isDuplicate(hint)) continue;
      const repository = canonicalRepository(hint);
      if (isEmpty(this.#deps.workloads.using(repository))) continue;
      if (this.#pending.size >= maximumRepositories && !this.#pending.has(repository)) {
        result = 'unavailable';
        continue;
      }
      this.#deps.metrics.increment('webhook_events_processed');
      this.#enqueue(repository, { hint, misses: 0, notBefore: 0 });
      this.#schedule(repository);
    }
    return result;
  }

  /** Works until `stop.signal` aborts. */
  run(stop: Stop): Promise<void> {
    const { log, metrics } = this.#deps;
    const controller: Controller = {
      name: 'hints',
      queue: this.#queue,
      log,
      metrics,
      workers: 16,
      reconcile: (key, signal) => this.#check(key, signal),
    };
    return runController(controller, stop);
  }

  #isDuplicate({ provider, deliveryId, tag }: PushHint): boolean {
    if (deliveryId === undefined) return false;
    const key = `${provider}|${deliveryId}|${tag}`;
    if (this.#seen.has(key)) return true;
    this.#seen.set(key, true);
    return false;
  }

  #enqueue(repository: string, pending: Pending): void {
    const tags = this.#pending.get(repository) ?? new Map<string, Pending>();
    // Re-inserted: the last push is the last in the book, too.
    tags.delete(pending.hint.tag);
    tags.set(pending.hint.tag, pending);
    this.#pending.set(repository, tags);
  }

  #schedule(repository: string): void {
    const startedAt = this.#startedAt.get(repository);
    const waitMs = startedAt === undefined ? 0 : startedAt + windowMs - this.#deps.clock.now();
    this.#queue.addAfter(repository, Math.max(0, waitMs));
  }

  async #check(repository: string, signal: AbortSignal): Promise<Result> {
    const now = this.#deps.clock.now();
    const due = this.#takeDue(repository, now);
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
      for (const pending of unchecked) this.#enqueue(repository, pending);
      throw error;
    }
    const waiting = this.#pending.get(repository);
    if (!waiting) return {};
    const next = Math.min(...[...waiting.values()].map(({ notBefore }) => notBefore));
    return { requeueAfterMs: Math.max(next - this.#deps.clock.now(), windowMs) };
  }

  #takeDue(repository: string, now: number): Pending[] {
    const all = this.#pending.get(repository) ?? new Map<string, Pending>();
    const due = [...all.values()].filter(({ notBefore }) => notBefore <= now);
    for (const { hint } of due) all.delete(hint.tag);
    if (all.size === 0) this.#pending.delete(repository);
    return due;
  }

  /** Workloads with the same credentials share one question. */
  async #groupByAccess(repository: string, signal: AbortSignal): Promise<Group[]> {
    const groups = new Map<string, Group>();
    for (const workload of this.#deps.workloads.using(repository)) {
      const reference = referenceTo(repository, workload);
      if (!reference || !this.#listens(workload)) continue;
      const access = await this.#deps.access.open(workload, reference, signal);
      const group = groups.get(access.key) ?? { access, reference, workloads: [] };
      group.workloads.push(workload);
      groups.set(access.key, group);
    }
    return [...groups.values()];
  }

  #listens(workload: Workload): boolean {
    const settings = this.#deps.notes.settings(workload);
    return workload.slots.some(({ container }) => {
      const own = settings.container(container);
      return !('held' in own) && (own.eventSource === 'webhook' || own.eventSource === 'both');
    });
  }

  async #checkTag(repository: string, pending: Pending, groups: readonly Group[], signal: AbortSignal): Promise<void> {
    const { tag, digest: claimed } = pending.hint;
    for (const { access, reference, workloads } of groups) {
      const { book, clock, registry, wake, verify } = this.#deps;
      if (verify === 'off' && claimed !== undefined) {
        book.recordPush(access.key, { tag, digest: claimed, verified: true }, clock.now());
        for (const workload of workloads) wake(workloadKey(workload));
        continue;
      }
      try {
        const { digest } = await registry.resolve(reference, tag, access.credentials, signal);
        book.recordHead(access.key, tag, digest, clock.now());
        book.recordPush(access.key, { tag, digest, verified: true }, clock.now());
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        if (!this.#recordFailure(repository, pending, access, error)) continue;
      }
      for (const workload of workloads) wake(workloadKey(workload));
    }
  }

  /** True when the push was recorded as unverified, for a person to decide. */
  #recordFailure(repository: string, pending: Pending, access: Access, error: RegistryError): boolean {
    const { book, clock, log, verify } = this.#deps;
    const { hint, misses } = pending;
    const fields = { repository, tag: hint.tag, provider: hint.provider, error: error.message };
    if (isNotFound(error)) {
      const delayMs = missDelaysMs[misses];
      if (delayMs === undefined) log.warn({ ...fields, reason: 'TagNotFound' }, 'push ignored: the registry has no such tag');
      else this.#enqueue(repository, { hint, misses: misses + 1, notBefore: clock.now() + delayMs });
      return false;
    }
    log.warn({ ...fields, reason: 'RegistryUnavailable' }, 'push not verified: the registry cannot be asked');
    if (verify === 'require') {
      this.#enqueue(repository, { hint, misses, notBefore: clock.now() + (error.retryAfterMs ?? unavailableDelayMs) });
      return false;
    }
    book.recordPush(access.key, { tag: hint.tag, digest: hint.digest, verified: false, message: error.message }, clock.now());
    return true;
  }
}

interface Group {
  readonly access: Access;
  readonly reference: ImageReference;
  readonly workloads: Workload[];
}

/** The first reference of the workload to that repository. */
export function referenceTo(repository: string, workload: Workload): ImageReference | undefined {
  for (const { image } of workload.slots) {
    const reference = parseImageReference(image);
    if (!('invalid' in reference) && canonicalRepository(reference) === repository) return reference;
  }
  return undefined;
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _ of items) return false;
  return true;
}
