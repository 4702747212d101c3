import { LRUCache } from 'lru-cache';
import { readHistory } from '../core/history.ts';
import type { SlotPlan } from '../core/plan.ts';
import type { Compared } from '../core/plan-digest.ts';
import type { SettingDefaults, Settings } from '../core/settings.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { SharedSettings } from './shared-settings.ts';
import { bytesOfTags, type Listing, trim } from './tag-book.ts';

const deliveredBytes = 64 * 1024 * 1024;
/** Repositories, and topics, of one workload: what was noted longest ago gives way. Nobody has so many at a time, but images change. */
const mostPerWorkload = 200;
/** No sentence has it. */
const between = '\0';

/**
 * What the operator remembers of a workload between two looks at it. In memory only, and all of it may be lost: then a push counts
 * no longer, a hold is told once more, and a running rollout is given its time again.
 */
export class Notes {
  readonly #settings: SharedSettings;
  readonly #watermarks = new Map<string, Map<string, number>>();
  readonly #edits = new Map<string, Map<string, number>>();
  readonly #unsettledSince = new Map<string, number>();
  readonly #delivered = new Map<string, Map<string, Receipt>>();
  /** The lists that were handed out, each once, by a number of ours: a workload that holds one must not keep it in memory for ever. */
  readonly #lists = new LRUCache<number, readonly string[]>({ maxSize: deliveredBytes, sizeCalculation: bytesOfTags });
  readonly #numbers = new WeakMap<readonly string[], number>();
  #lastNumber = 0;
  readonly #digests = new Map<string, Map<string, PolledDigest>>();
  readonly #compared = new Map<string, Map<string, Compared>>();
  readonly #deletedAt = new Map<string, number>();
  readonly #deletions = new Map<string, { readonly request: string; readonly left: number }>();
  readonly #plans = new Map<string, readonly SlotPlan[]>();
  readonly #sentences = new LRUCache<string, string>({ max: 1_000 });
  readonly #told = new Map<string, Map<string, string>>();

  constructor(defaults: SettingDefaults = {}) {
    this.#settings = new SharedSettings(defaults);
  }

  /** The settings of a workload. */
  settings(workload: Workload): Settings {
    return this.#settings.of(workload);
  }

  /** Pushes recorded up to this number were judged for the container. */
  watermark(key: string, container: string): number {
    return this.#watermarks.get(key)?.get(container) ?? 0;
  }

  /** The container has judged every push up to `sequence`. */
  usedUp(key: string, container: string, sequence: number): void {
    raise(this.#watermarks, key, container, sequence);
  }

  /** Pushes that arrived up to this number came before somebody set the container's image. */
  editedAt(key: string, container: string): number {
    return this.#edits.get(key)?.get(container) ?? 0;
  }

  /**
   * To be called for every version of a workload, with the number of the newest push. A push that arrived before somebody else set an
   * image never applies to it, even if the registry confirms it only later. Changes of our own do not use pushes up.
   */
  workloadChanged(next: Workload, old: Workload | undefined, sequence: number): void {
    const key = workloadKey(next);
    if (next.rollout.settled) this.#unsettledSince.delete(key);
    if (sequence === 0) return;
    const before = new Map(old?.slots.map(({ container, image }) => [container, image]));
    for (const { container, image } of next.slots) {
      if (before.get(container) !== image && !isOurs(next, container, image)) raise(this.#edits, key, container, sequence);
    }
  }

  /** Since when a rollout of the workload has been seen running; undefined while none is. */
  unsettledSince(workload: Workload, now: number): number | undefined {
    const key = workloadKey(workload);
    if (workload.rollout.settled) {
      this.#unsettledSince.delete(key);
      return undefined;
    }
    const since = this.#unsettledSince.get(key) ?? now;
    this.#unsettledSince.set(key, since);
    return since;
  }

  /** The list of tags that polling last handed to this workload: not more often than its own interval allows. */
  delivered(key: string, bookKey: string): Delivery | undefined {
    const receipt = this.#delivered.get(key)?.get(bookKey);
    const tags = receipt && this.#lists.get(receipt.list);
    return receipt && tags && { listing: { tags, origin: receipt.origin, at: receipt.listedAt }, at: receipt.at };
  }

  deliver(key: string, bookKey: string, { listing, at }: Delivery): void {
    const receipts = this.#delivered.get(key) ?? new Map<string, Receipt>();
    receipts.delete(bookKey);
    receipts.set(bookKey, { list: this.#keepList(listing.tags), origin: listing.origin, listedAt: listing.at, at });
    trim(receipts, mostPerWorkload);
    this.#delivered.set(key, receipts);
  }

  #keepList(tags: readonly string[]): number {
    const number = this.#numbers.get(tags) ?? ++this.#lastNumber;
    this.#numbers.set(tags, number);
    if (!this.#lists.has(number)) this.#lists.set(number, tags);
    return number;
  }

  /** The digest behind a tag that polling last handed to this workload. */
  polledDigest(key: string, bookKey: string, tag: string): PolledDigest | undefined {
    return this.#digests.get(key)?.get(`${bookKey} ${tag}`);
  }

  deliverDigest(key: string, bookKey: string, tag: string, polled: PolledDigest): void {
    const digests = this.#digests.get(key) ?? new Map<string, PolledDigest>();
    const topic = `${bookKey} ${tag}`;
    digests.delete(topic);
    digests.set(topic, polled);
    trim(digests, mostPerWorkload);
    this.#digests.set(key, digests);
  }

  /** What came of comparing the container's pods with the registry, when that was done last. */
  compared(key: string, container: string): Compared | undefined {
    return this.#compared.get(key)?.get(container);
  }

  setCompared(key: string, container: string, compared: Compared): void {
    const byContainer = this.#compared.get(key) ?? new Map<string, Compared>();
    byContainer.set(container, compared);
    trim(byContainer, mostPerWorkload);
    this.#compared.set(key, byContainer);
  }

  /** When a stale pod of the workload was last deleted. */
  deletedAt(key: string): number | undefined {
    return this.#deletedAt.get(key);
  }

  /** May one more stale pod be deleted for the request? As many as were stale at the first look: their successors are none of them. */
  mayDelete(key: string, request: string, stale: number): boolean {
    const known = this.#deletions.get(key);
    const left = known?.request === request ? known.left : stale;
    this.#deletions.set(key, { request, left });
    return left > 0;
  }

  podDeleted(key: string, at: number): void {
    const known = this.#deletions.get(key);
    if (known) this.#deletions.set(key, { ...known, left: known.left - 1 });
    this.#deletedAt.set(key, at);
  }

  plan(key: string): readonly SlotPlan[] | undefined {
    return this.#plans.get(key);
  }

  plans(): IterableIterator<readonly SlotPlan[]> {
    return this.#plans.values();
  }

  setPlan(key: string, plan: readonly SlotPlan[]): void {
    // Copied to its true length, each sentence kept once: thousands of workloads are told the same.
    this.#plans.set(
      key,
      plan.map((slot) => ({ ...slot, message: this.#share(slot.message) })),
    );
  }

  #share(sentence: string): string {
    const shared = this.#sentences.get(sentence) ?? sentence;
    this.#sentences.set(shared, shared);
    return shared;
  }

  /** Is this news about the workload, on this topic? Remembers it; an empty text forgets. */
  isNews(key: string, text: string, topic = ''): boolean {
    const topics = this.#told.get(key) ?? new Map<string, string>();
    if ((topics.get(topic) ?? '') === text) return false;
    topics.delete(topic);
    if (text !== '') topics.set(topic, text);
    trim(topics, mostPerWorkload);
    if (topics.size === 0) this.#told.delete(key);
    else this.#told.set(key, topics);
    return text !== '';
  }

  /** Which of these sentences are news about the workload, on this topic? Remembers all of them, and forgets those it knew besides. */
  newsAmong(key: string, sentences: readonly string[], topic = ''): readonly string[] {
    const known = new Set(this.#told.get(key)?.get(topic)?.split(between));
    this.isNews(key, sentences.join(between), topic);
    return sentences.filter((sentence) => !known.has(sentence));
  }

  /** The workload is gone, or nobody manages it any more. */
  forget(key: string): void {
    this.#watermarks.delete(key);
    this.#edits.delete(key);
    this.#unsettledSince.delete(key);
    this.#delivered.delete(key);
    this.#digests.delete(key);
    this.#compared.delete(key);
    this.#deletedAt.delete(key);
    this.#deletions.delete(key);
    this.#plans.delete(key);
    this.#told.delete(key);
  }
}

export interface Delivery {
  readonly listing: Listing;
  readonly at: number;
}

export interface PolledDigest {
  readonly digest: string;
  readonly at: number;
}

interface Receipt extends Pick<Listing, 'origin'> {
  readonly list: number;
  readonly listedAt: number;
  readonly at: number;
}

function raise(numbers: Map<string, Map<string, number>>, key: string, container: string, to: number): void {
  const byContainer = numbers.get(key) ?? new Map<string, number>();
  byContainer.set(container, Math.max(to, byContainer.get(container) ?? 0));
  numbers.set(key, byContainer);
}

function isOurs({ annotations }: Workload, container: string, image: string): boolean {
  return readHistory(annotations).entries.find((entry) => entry.container === container)?.image === image;
}
