import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Clock, Log } from '../ports.ts';
import type { Call } from './call.ts';
import type { Meter } from './meter.ts';
import type { Refusal } from './refusal.ts';

/** Counts a refusal and tells it. */
export type ReportRefusal = (call: Call, refusal: Refusal) => void;

const tellAgainMs = 3_600_000;

export function createRefusalReport({ clock, log, meter }: { clock: Clock; log: Log; meter: Meter }): ReportRefusal {
  /** Why a credential could not be had → when that was told. */
  const toldAtMs = new LRUCache<string, number>(atMost(1_000));

  /** Once an hour: it is tried again at every look. */
  function tellUnavailable(registry: string, { source, detail }: Refusal): void {
    const sentence = `${source}: ${detail}`;
    if (clock.now() - (toldAtMs.get(sentence) ?? Number.NEGATIVE_INFINITY) < tellAgainMs) return;
    toldAtMs.set(sentence, clock.now());
    log.warn({ registry, source, detail }, 'a credential could not be had');
  }

  return ({ endpoint, repository }, refusal) => {
    const { source, why, httpStatus } = refusal;
    const { registry } = endpoint;
    if (why === 'resting') return;
    if (why === 'unavailable') {
      // That nobody has an identity in a cloud is no news.
      if (refusal.isExpected !== true) tellUnavailable(registry, refusal);
      return;
    }
    meter.authFailure(registry, why);
    if (source !== 'anonymous') log.warn({ registry, repository, source, why, httpStatus }, 'registry refused a credential');
  };
}
