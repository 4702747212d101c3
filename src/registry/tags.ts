import { LRUCache } from 'lru-cache';
import { RegistryError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type Answer, answerFailure, errorCodeOf } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { startDeadline } from './deadline.ts';
import type { Exchange, Reply } from './exchange.ts';
import { parseJsonMember } from './json-member.ts';
import { followLink } from './follow-link.ts';
import { parseNextLink } from './link.ts';
import type { Ask, PlaceReply } from './place.ts';
import { createTagCollection, type TagCollection } from './tag-collection.ts';
import { createTagMemory } from './tag-memory.ts';

export interface TagList {
  readonly tags: readonly string[];
  /** A limit ended the listing: nobody may act on it. */
  readonly truncated: boolean;
}

export interface ListingLimits {
  readonly pages: number;
  readonly tags: number;
  readonly pageBytes: number;
  /** The whole listing. */
  readonly totalMs: number;
}

/** Lists all tags. Throws RegistryError; a list that a limit ended is an answer. */
export type ListTags = (call: Call) => Promise<TagList>;

/** Asked for in this order; ECR refuses more than 1000, others refuse 1000. */
const pageSizes = [1000, 100, undefined] as const;
/** Error codes of 400 and 405 that may be about `n`; without a known code they may be too. */
const sizeCodes = new Set<string | undefined>(['PAGINATION_NUMBER_INVALID', 'UNSUPPORTED', 'UNKNOWN', undefined]);
/** Some servers give no more than that, whatever `n` says, and no link. */
const silentCuts = [50, 100, 500, 1000];
/** What a server answers to a `last` that it does not know. */
const guessRefusals = [400, 404, 405];
/** Pages without a single new tag, one after the other, before it counts as a loop. */
const maximumIdlePages = 10;

interface TagListerDeps {
  readonly ask: Ask;
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly limits: ListingLimits;
}

export function createTagLister({ ask, exchange, clock, limits }: TagListerDeps): ListTags {
  /** Origin → index into `pageSizes`. */
  const sizes = new LRUCache<string, number>({ max: 1_000 });
  const memory = createTagMemory(clock);

  async function list(call: Call): Promise<TagList> {
    const collection = createTagCollection(limits.tags);
    const deadline = startDeadline(limits.totalMs, call.signal);
    const progress = { pages: 0 };
    try {
      return await readList({ ...call, signal: deadline.signal }, collection, progress);
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'TooLarge' && error.operation === 'tags')
        return { tags: collection.list(), truncated: true };
      if (!deadline.isOver() || call.signal.aborted) throw error;
      if (progress.pages > 0) return { tags: collection.list(), truncated: true };
      throw callFailure(call, 'Timeout', `${call.endpoint.registry} gave no page of tags within ${limits.totalMs / 1000} s`, {
        cause: error,
      });
    } finally {
      deadline.end();
    }
  }

  async function readList(call: Call, collection: TagCollection, progress: { pages: number }): Promise<TagList> {
    const first = await firstPage(call);
    const known = first.answer.status === 304 ? memory.find(call, first.asked) : undefined;
    if (known) return known.list;
    const isComplete = await readPages(call, first, collection, progress);
    const found = { tags: collection.list(), truncated: !isComplete };
    // Of several pages each would have a word of its own about the others.
    if (isComplete && progress.pages === 1) memory.keep(call, first, found);
    return found;
  }

  /** False when a limit was reached. */
  async function readPages(call: Call, first: PlaceReply, collection: TagCollection, progress: { pages: number }): Promise<boolean> {
    let [reply, url]: [Reply, URL] = [first, first.asked];
    const seen = new Set([url.href]);
    // Undefined where the registry links its pages.
    let cutAt: number | undefined;
    for (let idle = 0; ; ) {
      const page = tagsOf(call, reply);
      const added = collection.add(page);
      progress.pages++;
      if (collection.isFull) return false;
      const link = parseNextLink(reply.answer.headers['link']);
      if (progress.pages === 1 && link === undefined) cutAt = silentCuts.find((size) => size === page.length);
      const next = link === undefined ? unlinkedPage(url, page, added, cutAt) : followLink(call, reply, link, url);
      if (!next) return true;
      idle = added > 0 ? 0 : page.length > 0 ? maximumIdlePages : idle + 1;
      if (idle >= maximumIdlePages || seen.has(next.href) || progress.pages >= limits.pages) return false;
      seen.add(next.href);
      const nextReply = await exchange(call, { ...pageRequest, operation: 'tags', url: next, directlyNamed: true });
      // Only a guess: a server that does not know `last` refuses it, or repeats itself.
      if (link === undefined && guessRefusals.includes(nextReply.answer.status)) return true;
      [reply, url] = [nextReply, next];
      if (link === undefined && collection.hasAll(tagsOf(call, reply))) return true;
    }
  }

  async function firstPage(call: Call): Promise<PlaceReply> {
    const { origin } = call.endpoint;
    for (let index = sizes.get(origin) ?? 0; ; index++) {
      const size = pageSizes[index];
      const path = size === undefined ? 'tags/list' : `tags/list?n=${size}`;
      const headers = { ...pageRequest.headers, ...memory.conditions(call, path) };
      const reply = await ask(call, { ...pageRequest, headers, path });
      if (size !== undefined && isAboutSize(reply.answer)) continue;
      if (reply.answer.status === 200) sizes.set(origin, index);
      return reply;
    }
  }

  const pageRequest = { method: 'GET', headers: { accept: 'application/json' }, maxBytes: limits.pageBytes } as const;

  return list;
}

function isAboutSize(answer: Answer): boolean {
  return (answer.status === 400 || answer.status === 405) && sizeCodes.has(errorCodeOf(answer));
}

function tagsOf(call: Call, { answer, source }: Reply): readonly unknown[] {
  if (answer.status !== 200) throw answerFailure(call, answer, source);
  const tags = readTags(answer);
  if (tags) return tags;
  throw callFailure(call, 'Protocol', `${call.endpoint.registry} answered with something that is not a list of tags`, {
    httpStatus: 200,
    source,
  });
}

/** `tags` is null where a repository has none. */
function readTags(answer: Answer): readonly unknown[] | undefined {
  const found = parseJsonMember(answer.body, 'tags');
  if (!found) return undefined;
  return found.value === null ? [] : Array.isArray(found.value) ? found.value : undefined;
}

/** A page without a link may have been cut, where it is as long as was asked for or as servers cut it: the page after its last tag shows it. */
function unlinkedPage(asked: URL, page: readonly unknown[], added: number, cutAt: number | undefined): URL | undefined {
  const last = page.at(-1);
  const isFull = page.length === Number(asked.searchParams.get('n') ?? 0) || page.length === cutAt;
  if (!isFull || added === 0 || typeof last !== 'string') return undefined;
  const url = new URL(asked);
  url.searchParams.set('last', last);
  return url;
}
