import { canonicalRepository } from '../core/image-reference.ts';
import { workloadKey } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import { isDue } from './poll-cadence.ts';
import { type DigestPollDeps, forgetTold, isRefusal, pollDigests, tellConsumers } from './poll-digests.ts';
import { isSameTimes, type PushTimes, readPushTimes } from './poll-times.ts';
import type { Consumer } from './poll-wants.ts';
import { type Access, type LastCheck, reasonOf, type RepositoryAccess } from './repository-access.ts';

export interface ReadDeps extends DigestPollDeps {
  readonly access: RepositoryAccess;
}

/** Of one look: how many tags were read, or how long the registry wants to be left alone. */
export interface Outcome {
  readonly tags?: number;
  readonly retryAfterMs?: number | undefined;
}

/** Reads what the consumers of a repository want to know of it, records it and wakes those for whom it is news. */
export class RepositoryReader {
  readonly #deps: ReadDeps;
  /** Lists that suddenly shrank: believed only when the next look says the same. */
  readonly #suspect = new Set<string>();

  constructor(deps: ReadDeps) {
    this.#deps = deps;
  }

  /** One look with one credential. A registry that fails is told to the consumers, and is no error. */
  async look(access: Access, group: readonly Consumer[], signal: AbortSignal): Promise<Outcome> {
    const { metrics, log } = this.#deps;
    const [first] = group;
    if (!first) return {};
    const repository = canonicalRepository(first.reference);
    metrics.increment('polling_images_checked_total');
    try {
      const listing = await this.#checkTags(access, group, signal).catch(keepRefusal);
      const missing = await pollDigests(access, group, this.#deps, signal);
      if (listing instanceof RegistryError) throw listing;
      if (listing.problem === undefined) forgetTold(group, repository, this.#deps.notes);
      this.#deps.access.checked(access, 'polling', listing.problem ?? missing);
      metrics.increment('polls_total', { result: listing.problem === undefined ? 'ok' : 'truncated' });
      return { tags: listing.read };
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      this.#deps.access.failed(access, error);
      this.#deps.access.checked(access, 'polling', error);
      metrics.increment('polls_total', { result: error.code });
      metrics.increment('polling_errors_total');
      log.debug({ repository, code: error.code, error: error.message }, 'polling failed');
      tellConsumers(group, repository, { reason: reasonOf(error), message: error.message }, this.#deps);
      return { retryAfterMs: error.retryAfterMs };
    }
  }

  async #checkTags(
    access: Access,
    group: readonly Consumer[],
    signal: AbortSignal,
  ): Promise<{ readonly read: number; readonly problem?: LastCheck['problem'] }> {
    const readers = group.filter(({ needsTags }) => needsTags);
    const [first] = readers;
    if (!first) return { read: 0 };
    const repository = canonicalRepository(first.reference);
    const { tags, truncated } = await this.#deps.registry.tags(first.reference, access.credentials, signal);
    if (truncated) {
      const message = `the list of tags of ${repository} is longer than can be read; nothing is decided from a part`;
      const problem = { reason: 'TagListTruncated', message } as const;
      tellConsumers(readers, repository, problem, this.#deps);
      return { read: tags.length, problem };
    }
    if (this.#isCredible(access.key, tags))
      this.#record(access.key, tags, readers, await readPushTimes(access, readers, this.#deps, signal));
    return { read: tags.length };
  }

  /** A list that lost more than half of its tags is believed only when the next look says so too. */
  #isCredible(key: string, tags: readonly string[]): boolean {
    const before = this.#deps.book.listing(key)?.tags.length ?? 0;
    const wasSuspect = this.#suspect.delete(key);
    if (tags.length * 2 >= before || wasSuspect) return true;
    this.#suspect.add(key);
    return false;
  }

  #record(key: string, tags: readonly string[], group: readonly Consumer[], created: PushTimes | undefined): void {
    const { book, notes, clock, metrics, wake } = this.#deps;
    const now = clock.now();
    const before = book.listing(key);
    const added = book.recordListing(key, { tags, origin: 'polling', at: now, ...(created && { created }) });
    metrics.increment('polling_new_tags_found_total', {}, added.length);
    const listing = book.listing(key);
    if (!listing) return;
    const sameTimes = isSameTimes(before?.created, created);
    const unchanged = before !== undefined && added.length === 0 && before.tags.length === tags.length && sameTimes;
    for (const { workload, cadence } of group) {
      const workloadId = workloadKey(workload);
      const last = notes.delivered(workloadId, key);
      if (last && !isDue(cadence, last.at, now)) continue;
      notes.deliver(workloadId, key, { listing, at: now });
      if (!unchanged || last?.listing.tags !== before.tags) wake(workloadId);
    }
  }
}

/** A list that is not given says nothing about the tags that others run. */
function keepRefusal(error: unknown): RegistryError {
  if (!isRefusal(error)) throw error;
  return error;
}
