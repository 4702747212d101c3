import { LRUCache } from 'lru-cache';
import type { Push } from '../core/plan.ts';

/**
 * What registries have, as far as it was learnt, per (repository, credential). In memory and bounded: everything in it can be
 * learnt again. Polling and webhooks only write here and wake workloads; plans only read.
 */

/** How a list of tags came to us. */
export type ListingOrigin = 'polling' | 'manual';

export interface Listing {
  readonly tags: readonly string[];
  readonly origin: ListingOrigin;
  readonly at: number;
}

export interface RecordedPush extends Push {
  /** Grows with every push that arrives, over all repositories. */
  readonly sequence: number;
  readonly at: number;
}

interface Head {
  readonly digest: string;
  readonly at: number;
}

interface Entry {
  listing: Listing | undefined;
  readonly pushes: Map<string, RecordedPush>;
  readonly heads: Map<string, Head>;
  bytes: number;
}

export interface TagBookOptions {
  /** Upper bound of what is kept, in bytes. */
  readonly maxBytes?: number;
  /** How long a digest counts as fresh, in milliseconds. */
  readonly freshMs?: number;
}

const entryBytes = 400;
const pushesPerRepository = 1000;
const headsPerRepository = 200;

export class TagBook {
  readonly #entries: LRUCache<string, Entry>;
  readonly #freshMs: number;
  #sequence = 0;

  constructor(options: TagBookOptions = {}) {
    this.#entries = new LRUCache({ maxSize: options.maxBytes ?? 48 * 1024 * 1024, sizeCalculation: (entry) => entry.bytes });
    this.#freshMs = options.freshMs ?? 60_000;
  }

  /** The number of the newest push; a later push has a greater one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** A complete list of tags. Gives the tags that were not in the previous one (none at first sight). */
  recordListing(key: string, listing: Listing): string[] {
    const entry = this.#entry(key);
    const known = entry.listing && new Set(entry.listing.tags);
    entry.listing = listing;
    this.#store(key, entry);
    return known ? listing.tags.filter((tag) => !known.has(tag)) : [];
  }

  recordPush(key: string, push: Push, at: number): RecordedPush {
    const entry = this.#entry(key);
    const recorded = { ...push, sequence: ++this.#sequence, at };
    // Re-inserted, so that the map's order is the order of arrival.
    entry.pushes.delete(push.tag);
    entry.pushes.set(push.tag, recorded);
    trim(entry.pushes, pushesPerRepository);
    this.#store(key, entry);
    return recorded;
  }

  recordHead(key: string, tag: string, digest: string, at: number): void {
    const entry = this.#entry(key);
    entry.heads.delete(tag);
    entry.heads.set(tag, { digest, at });
    trim(entry.heads, headsPerRepository);
    this.#store(key, entry);
  }

  listing(key: string): Listing | undefined {
    return this.#entries.get(key)?.listing;
  }

  /** Pushes that arrived after `after`, oldest first. */
  pushes(key: string, after: number): readonly RecordedPush[] {
    const entry = this.#entries.get(key);
    if (!entry || entry.pushes.size === 0) return [];
    return [...entry.pushes.values()].filter(({ sequence }) => sequence > after);
  }

  /** The digest behind a tag, if the registry said so within the last minute. */
  freshDigest(key: string, tag: string, now: number): string | undefined {
    const head = this.#entries.get(key)?.heads.get(tag);
    return head && now - head.at < this.#freshMs ? head.digest : undefined;
  }

  #entry(key: string): Entry {
    return this.#entries.get(key) ?? { listing: undefined, pushes: new Map(), heads: new Map(), bytes: entryBytes };
  }

  #store(key: string, entry: Entry): void {
    const tags = entry.listing?.tags ?? [];
    const bytes = entryBytes + tags.length * 40 + (entry.pushes.size + entry.heads.size) * 200;
    this.#entries.set(key, { ...entry, bytes });
  }
}

function trim<K, V>(map: Map<K, V>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}
