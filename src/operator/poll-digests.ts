import { canonicalRepository } from '../core/image-reference.ts';
import type { Reason } from '../core/reasons.ts';
import { workloadKey } from '../core/workload.ts';
import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { Clock, Events, Log, Metrics, Registry } from '../ports.ts';
import { tellWorkload } from './announce.ts';
import { logLookupFailed } from './autorollout-log.ts';
import type { Notes, PolledDigest } from './notes.ts';
import { isDue } from './poll-cadence.ts';
import type { Consumer } from './poll-wants.ts';
import { type Access, isNotFound, type LastCheck, reasonOf } from './repository-access.ts';
import { newsIn } from './same-news.ts';
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

/**
 * One question per running tag, however many workloads run it. Gives what is wrong when a tag is not there (any more), or is refused while
 * others are not: who runs such a tag holds nobody else up. Throws RegistryError when the registry refuses all of them, or does not answer.
 */
export async function pollDigests(
  access: Access,
  group: readonly Consumer[],
  deps: DigestPollDeps,
  signal: AbortSignal,
): Promise<LastCheck['problem']> {
  let problem: LastCheck['problem'];
  const refused = new Map<string, RegistryError>();
  const { book, clock, metrics, log } = deps;
  const [first] = group;
  const wanted = new Set(group.flatMap(({ digestsOf }) => [...digestsOf]));
  for (const tag of wanted) {
    if (!first) break;
    const digest = await digestOf(tag, access, group, deps, signal);
    if (digest instanceof RegistryError) refused.set(tag, digest);
    else if (typeof digest !== 'string') problem ??= digest;
    if (typeof digest !== 'string') continue;
    const before = book.polledDigest(access.key, tag)?.digest;
    const polled = { digest, at: clock.now() };
    book.recordHead(access.key, tag, digest, polled.at);
    book.recordPolledDigest(access.key, tag, polled);
    log.debug({ repository: canonicalRepository(first.reference), tag, recent_digests: [digest] }, 'Found recent image digests');
    if (before !== undefined && before !== digest) metrics.increment('polling_new_tags_found_total');
    deliver(access.key, tag, polled, group, deps);
  }
  return tellRefused(refused, wanted.size, group, deps) ?? problem;
}

/** What is refused for every tag is wrong with the credential or the repository. */
function tellRefused(
  refused: ReadonlyMap<string, RegistryError>,
  asked: number,
  group: readonly Consumer[],
  deps: DigestPollDeps,
): LastCheck['problem'] {
  let problem: LastCheck['problem'];
  for (const [tag, error] of refused) {
    if (refused.size === asked) throw error;
    const users = group.filter(({ digestsOf }) => digestsOf.has(tag));
    const told = { reason: reasonOf(error), message: error.message, tag };
    if (users[0]) tellConsumers(users, canonicalRepository(users[0].reference), told, deps, tag);
    problem ??= told;
  }
  return problem;
}

const registryWide: ReadonlySet<RegistryErrorCode> = new Set(['Unavailable', 'Timeout', 'RateLimited', 'Blocked']);

/** Does the failure say something about one tag or list, and nothing about the next question? */
export function isRefusal(error: unknown): error is RegistryError {
  return error instanceof RegistryError && !registryWide.has(error.code);
}

/** A problem when there is no such tag any more: that says nothing about what runs. An error when the registry does not give it. */
async function digestOf(
  tag: string,
  access: Access,
  group: readonly Consumer[],
  deps: DigestPollDeps,
  signal: AbortSignal,
): Promise<string | RegistryError | LastCheck['problem']> {
  const users = group.filter(({ digestsOf }) => digestsOf.has(tag));
  const [first] = users;
  if (!first) return undefined;
  const repository = canonicalRepository(first.reference);
  try {
    const { digest } = await deps.registry.resolve(first.reference, tag, access.credentials, signal);
    forgetTold(users, repository, deps.notes, tag);
    return digest;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (!isNotFound(error)) return error;
    const problem = { reason: 'TagNotFound', message: error.message, tag } as const;
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
    if (!deps.notes.isNews(workloadKey(workload), `${reason} ${newsIn(message)}`, `poll ${repository} ${tag}`)) continue;
    tellWorkload(deps, workload, reason, message);
    logLookupFailed(workload, { repository, tag: tag === '' ? undefined : tag }, { reason, message }, deps.log);
  }
}

/** The registry answers again: its next failure is news. */
export function forgetTold(group: readonly Consumer[], repository: string, notes: Notes, tag = ''): void {
  for (const { workload } of group) notes.isNews(workloadKey(workload), '', `poll ${repository} ${tag}`);
}
