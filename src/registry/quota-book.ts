import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Quota } from './rate-limit-headers.ts';

/** What one registry said about limits, by who asked: accounts and addresses have quotas of their own. */
export interface QuotaBook {
  record(asker: string, quota: Quota, nowMs: number): void;
  /** What is known of this asker's pulls, when so little is left of them that none should be spent on us. */
  scarce(asker: string, nowMs: number): Quota | undefined;
  /** Of everybody known, whoever has the least left. */
  lowest(nowMs: number): Quota | undefined;
}

const mostAskers = 200;
const scarceShare = 0.1;
/** As long as the longest window that is known; then a word of the registry means nothing any more. */
const longestMemoryMs = 6 * 3_600_000;

export function createQuotaBook(): QuotaBook {
  const quotas = new LRUCache<string, { quota: Quota; seenAtMs: number }>(atMost(mostAskers));

  function current(entry: { quota: Quota; seenAtMs: number } | undefined, nowMs: number): Quota | undefined {
    if (!entry) return undefined;
    const { quota, seenAtMs } = entry;
    const lifeMs = Math.min(longestMemoryMs, quota.resetMs ?? quota.windowMs ?? longestMemoryMs);
    return Math.abs(nowMs - seenAtMs) < lifeMs ? quota : undefined;
  }

  return {
    record: (asker, quota, nowMs) => void quotas.set(asker, { quota, seenAtMs: nowMs }),
    scarce(asker, nowMs) {
      const quota = current(quotas.get(asker), nowMs);
      return quota?.limit !== undefined && quota.remaining < quota.limit * scarceShare ? quota : undefined;
    },
    lowest(nowMs) {
      const known = [...quotas.values()].flatMap((entry) => current(entry, nowMs) ?? []);
      return known.reduce<Quota | undefined>((least, quota) => (least && least.remaining <= quota.remaining ? least : quota), undefined);
    },
  };
}
