import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { PushHint } from '../core/push-hint.ts';

/** A claimed push that the registry has yet to confirm. */
export interface PendingPush {
  readonly hint: PushHint;
  /** The number under which it arrived. */
  readonly arrival: number;
  /** Accesses of the repository that need not be asked again. */
  readonly settled: ReadonlySet<string>;
  /** How often the registry has said that there is no such tag. */
  readonly misses: number;
  /** Not to be asked before this time, in milliseconds since the epoch. */
  readonly notBefore: number;
}

const maximumRepositories = 10_000;
/** Distinct tags of one repository that wait for an answer: whoever invents tags fills no more than this. */
const maximumTags = 1000;
/** The same of all repositories together, but for the first few of each: nobody is shut out by what was invented elsewhere. */
const maximumWaiting = 20_000;
const tagsForSure = 20;
const duplicateMs = 10 * 60_000;
/** Deliveries without an id are the same when they claim the same digest within so long. */
const sameClaimMs = 30_000;

/** What webhooks claim, by repository and tag, until it is checked: bounded, whatever is sent, and each delivery only once. */
export class PendingPushes {
  readonly #byRepository = new Map<string, Map<string, PendingPush>>();
  /** Deliveries taken in → until when they count as known. */
  readonly #seen = new LRUCache<string, number>(atMost(10_000));
  #size = 0;

  isDuplicate(hint: PushHint, now: number): boolean {
    const key = deliveryKey(hint);
    return key !== undefined && (this.#seen.get(key) ?? 0) > now;
  }

  /** Only what was taken in is known: a delivery that was turned away comes again. */
  remember(hint: PushHint, now: number): void {
    const key = deliveryKey(hint);
    if (key !== undefined) this.#seen.set(key, now + (hint.deliveryId === undefined ? sameClaimMs : duplicateMs));
  }

  /**
   * Whether the tag may wait. Where there is no room, a tag that the registry has denied already gives way, and is told to `onGivenUp`:
   * invented ones never keep a real one out for long.
   */
  makeRoom(repository: string, tag: string, onGivenUp: (tag: string) => void): boolean {
    const waiting = this.#byRepository.get(repository);
    if (!waiting) return this.#byRepository.size < maximumRepositories;
    if (waiting.has(tag) || waiting.size < tagsForSure) return true;
    if (waiting.size < maximumTags && this.#size < maximumWaiting) return true;
    const denied = [...waiting.values()].find(({ misses }) => misses > 0);
    if (!denied) return false;
    waiting.delete(denied.hint.tag);
    this.#size--;
    onGivenUp(denied.hint.tag);
    return true;
  }

  has(repository: string, tag: string): boolean {
    return this.#byRepository.get(repository)?.has(tag) ?? false;
  }

  /** In the place of what waited for the same tag; the last push is the last in the book, too. */
  put(repository: string, push: PendingPush): void {
    const tags = this.#byRepository.get(repository) ?? new Map<string, PendingPush>();
    if (!tags.delete(push.hint.tag)) this.#size++;
    tags.set(push.hint.tag, push);
    this.#byRepository.set(repository, tags);
  }

  /** Removes and gives what is due, first what was never asked: it may be real. */
  takeDue(repository: string, now: number): PendingPush[] {
    const tags = this.#byRepository.get(repository) ?? new Map<string, PendingPush>();
    const due = [...tags.values()].filter(({ notBefore }) => notBefore <= now);
    for (const { hint } of due) tags.delete(hint.tag);
    this.#size -= due.length;
    if (tags.size === 0) this.#byRepository.delete(repository);
    return due.sort((a, b) => Number(a.misses > 0) - Number(b.misses > 0));
  }

  /** When the next one of the repository is due; undefined when none waits. */
  nextDue(repository: string): number | undefined {
    const tags = this.#byRepository.get(repository);
    return tags && Math.min(...[...tags.values()].map(({ notBefore }) => notBefore));
  }
}

function deliveryKey({ provider, deliveryId, registry, repository, tag, digest }: PushHint): string | undefined {
  if (deliveryId !== undefined) return `${provider}|${deliveryId}|${tag}`;
  return digest === undefined ? undefined : `${registry}/${repository}:${tag}@${digest}`;
}
