import { canonicalRepository } from '../core/image-reference.ts';
import type { Reason } from '../core/reasons.ts';
import { workloadKey } from '../core/workload.ts';
import type { Clock, Events, Log, Metrics, Registry } from '../ports.ts';
import { tellWorkload } from './announce.ts';
import { logLookupFailed } from './autorollout-log.ts';
import type { Notes, PolledDigest } from './notes.ts';
import { isDue } from './poll-cadence.ts';
import type { Consumer } from './poll-wants.ts';
import { type Access, isNotFound, type LastCheck } from './repository-access.ts';
import type { TagBook } from './tag-book.ts';

export interface DigestPollDeps {
  readonly registry: Registry;
  readonly book: TagBook;
  readonly notes: Notes;
  readonly events: Events;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly wake: (key: string) => void;
}

/** One question per running tag, however many workloads run it. Gives what is wrong when a tag is not there (any more). */
export async function pollDigests(
  access: Access,
  group: readonly Consumer[],
  deps: DigestPollDeps,
  signal: AbortSignal,
): Promise<LastCheck['problem']> {
  let problem: LastCheck['problem'];
  const { book, clock, metrics, log } = deps;
  const [first] = group;
  const wanted = new Set(group.flatMap(({ digestsOf }) => [...digestsOf]));
  for (const tag of wanted) {
    if (!first) break;
    const digest = await digestOf(tag, access, group, deps, signal);
    if (typeof digest !== 'string') {
      problem ??= digest;
      continue;
    }
    const before = book.polledDigest(access.key, tag)?.digest;
    const polled = { digest, at: clock.now() };
    book.recordHead(access.key, tag, digest, polled.at);
    book.recordPolledDigest(access.key, tag, polled);
    log.debug({ repository: canonicalRepository(first.reference), tag, recent_digests: [digest] }, 'Found recent image digests');
    if (before !== undefined && before !== digest) metrics.increment('polling_new_tags_found_total');
    deliver(access.key, tag, polled, group, deps);
  }
  return problem;
}

/** A problem when there is no such tag any more: that says nothing about what runs. */
async function digestOf(
  tag: string,
  access: Access,
  group: readonly Consumer[],
  deps: DigestPollDeps,
  signal: AbortSignal,
): Promise<string | LastCheck['problem']> {
  const users = group.filter(({ digestsOf }) => digestsOf.has(tag));
  const [first] = users;
  if (!first) return undefined;
  const repository = canonicalRepository(first.reference);
  try {
    const { digest } = await deps.registry.resolve(first.reference, tag, access.credentials, signal);
    forgetTold(users, repository, deps.notes, tag);
    return digest;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const problem = { reason: 'TagNotFound', message: error instanceof Error ? error.message : '', tag } as const;
    tellConsumers(users, repository, problem, deps, tag);
    return problem;
  }
}

function deliver(bookKey: string, tag: string, polled: PolledDigest, group: readonly Consumer[], { notes, wake }: DigestPollDeps): void {
  for (const { workload, cadence, digestsOf } of group) {
    if (!digestsOf.has(tag)) continue;
    const key = workloadKey(workload);
    const last = notes.polledDigest(key, bookKey, tag);
    if (last && !isDue(cadence, last.at, polled.at)) continue;
    notes.deliverDigest(key, bookKey, tag, polled);
    if (last?.digest !== polled.digest) wake(key);
  }
}

/** Tells each workload what went wrong with its repository, or with one tag of it, once per change. */
export function tellConsumers(
  group: readonly Consumer[],
  repository: string,
  { reason, message }: { readonly reason: Reason; readonly message: string },
  deps: Pick<DigestPollDeps, 'notes' | 'events' | 'log'>,
  tag = '',
): void {
  for (const { workload } of group) {
    if (!deps.notes.isNews(workloadKey(workload), `${reason} ${message}`, `poll ${repository} ${tag}`)) continue;
    tellWorkload(deps, workload, reason, message);
    logLookupFailed(workload, { repository, tag: tag === '' ? undefined : tag }, { reason, message }, deps.log);
  }
}

/** The registry answers again: its next failure is news. */
export function forgetTold(group: readonly Consumer[], repository: string, notes: Notes, tag = ''): void {
  for (const { workload } of group) notes.isNews(workloadKey(workload), '', `poll ${repository} ${tag}`);
}
