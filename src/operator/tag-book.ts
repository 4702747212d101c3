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
  /** When tags were pushed, in milliseconds, where the registry tells it and somebody wants to know. */
  readonly created?: ReadonlyMap<string, number> | undefined;
}

export interface RecordedPush extends Push {
  /** Grows with every push that is recorded, over all repositories. */
  readonly sequence: number;
  /** The number at which the push arrived: what was told, and may have been confirmed only later. */
  readonly arrival: number;
  readonly at: number;
}

export interface Head {
  readonly digest: string;
  readonly at: number;
}

interface Entry {
  listing: Listing | undefined;
  readonly pushes: Map<string, RecordedPush>;
  readonly heads: Map<string, Head>;
  /** The same, as polling learnt it: not every workload may hear of what webhooks brought. */
  readonly polled: Map<string, Head>;
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

  /** The number of the newest push that arrived or was recorded; what comes later has a greater one. */
  get sequence(): number {
    return this.#sequence;
  }

  /** A push arrived; the registry has not been asked yet. */
  arrive(): number {
    return ++this.#sequence;
  }

  /** A complete list of tags. Gives the tags that were not in the previous one (none at first sight). */
  recordListing(key: string, listing: Listing): string[] {
    const entry = this.#entry(key);
    const before = entry.listing?.tags;
    const known = new Set(before);
    const added = before ? listing.tags.filter((tag) => !known.has(tag)) : [];
    // Workloads keep the list that was handed to them: equal ones are kept once.
    const unchanged = before && added.length === 0 && before.length === listing.tags.length;
    entry.listing = unchanged ? { ...listing, tags: before } : listing;
    this.#store(key, entry);
    return added;
  }

  recordPush(key: string, push: Push, at: number, arrival?: number): RecordedPush {
    const entry = this.#entry(key);
    const sequence = ++this.#sequence;
    const recorded = { ...push, sequence, arrival: arrival ?? sequence, at };
    // Re-inserted, so that the map's order is the order of arrival.
    entry.pushes.delete(push.tag);
    entry.pushes.set(push.tag, recorded);
    trim(entry.pushes, pushesPerRepository);
    this.#store(key, entry);
    return recorded;
  }

  /** The registry has no such tag: a push of it that was never verified counts no longer. False when there is none. */
  denyPush(key: string, tag: string): boolean {
    const entry = this.#entries.get(key);
    if (!entry || entry.pushes.get(tag)?.verified !== false) return false;
    entry.pushes.delete(tag);
    this.#store(key, entry);
    return true;
  }

  recordHead(key: string, tag: string, digest: string, at: number): void {
    const entry = this.#entry(key);
    entry.heads.delete(tag);
    entry.heads.set(tag, { digest, at });
    trim(entry.heads, headsPerRepository);
    this.#store(key, entry);
  }

  recordPolledDigest(key: string, tag: string, head: Head): void {
    const entry = this.#entry(key);
    entry.polled.delete(tag);
    entry.polled.set(tag, head);
    trim(entry.polled, headsPerRepository);
    this.#store(key, entry);
  }

  /** The digest behind a tag when polling looked last. */
  polledDigest(key: string, tag: string): Head | undefined {
    return this.#entries.get(key)?.polled.get(tag);
  }

  listing(key: string): Listing | undefined {
    return this.#entries.get(key)?.listing;
  }

  /** Pushes that were recorded after `after` and arrived after `arrivedAfter`, oldest first. */
  pushes(key: string, after: number, arrivedAfter = 0): readonly RecordedPush[] {
    const entry = this.#entries.get(key);
    if (!entry || entry.pushes.size === 0) return [];
    return [...entry.pushes.values()].filter(({ sequence, arrival }) => sequence > after && arrival > arrivedAfter);
  }

  /** The digest behind a tag, if the registry said so within the last minute, or within `maxAgeMs`. */
  freshDigest(key: string, tag: string, now: number, maxAgeMs = this.#freshMs): string | undefined {
    const head = this.#entries.get(key)?.heads.get(tag);
    return head && now - head.at < maxAgeMs ? head.digest : undefined;
  }

  #entry(key: string): Entry {
    return this.#entries.get(key) ?? { listing: undefined, pushes: new Map(), heads: new Map(), polled: new Map(), bytes: entryBytes };
  }

  #store(key: string, entry: Entry): void {
    const bytes =
      entryBytes +
      bytesOfTags(entry.listing?.tags ?? []) +
      (entry.listing?.created?.size ?? 0) * 60 +
      (entry.pushes.size + entry.heads.size + entry.polled.size) * 200;
    this.#entries.set(key, { ...entry, bytes });
  }
}

const bytesOfList = new WeakMap<readonly string[], number>();
const bytesPerText = 24;

/** What a list of tags takes in memory, about. Counted once: a list never changes. */
export function bytesOfTags(tags: readonly string[]): number {
  const known = bytesOfList.get(tags);
  if (known !== undefined) return known;
  const bytes = tags.reduce((sum, tag) => sum + tag.length + bytesPerText, 100);
  bytesOfList.set(tags, bytes);
  return bytes;
}

/** Leaves the newest entries. */
export function trim<K, V>(map: Map<K, V>, size: number): void {
  for (const key of map.keys()) {
    if (map.size <= size) return;
    map.delete(key);
  }
}
