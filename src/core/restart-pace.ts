import { isDigestChange } from './digest-change.ts';
import { parseTime } from './duration.ts';
import { readHistory } from './history.ts';
import { isByHand } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import type { Workload } from './workload.ts';

/**
 * How fast new digests of one tag are followed. A registry that gives another digest each time it is asked, or several that take turns, would
 * otherwise cost a restart or a request each time, for ever.
 */

const windowMs = 3_600_000;
/** So many within an hour are followed at once. */
const unhindered = 6;
const firstPauseMs = 30_000;
const longestPauseMs = 300_000;

/** The time before which no further new digest is offered; `own` are the requests of the container. Undefined when nothing is to be waited for. */
export function restsUntil({ annotations }: Workload, container: string, own: readonly UpdateRequest[], now: number): number | undefined {
  const offered = own
    .filter((request) => isDigestChange(request.spec) && !isByHand(request))
    .map(({ metadata }) => metadata.creationTimestamp);
  // Requests are deleted after a while, and by people; what was applied is noted on the workload, too.
  const applied = readHistory(annotations)
    .entries.filter((entry) => entry.container === container && (entry.approvedBy === 'polling' || entry.approvedBy === 'webhook'))
    .map(({ timestamp }) => timestamp);
  const times = [recent(offered, now), recent(applied, now)];
  const count = Math.max(...times.map(({ length }) => length));
  if (count < unhindered) return undefined;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(count - unhindered, 10));
  const until = Math.max(...times.flat()) + pauseMs;
  return until > now ? until : undefined;
}

/** A time in the future was not written by us. */
function recent(texts: readonly string[], now: number): number[] {
  return texts.flatMap((text) => {
    const time = parseTime(text);
    return time !== undefined && time <= now && now - time < windowMs ? [time] : [];
  });
}
