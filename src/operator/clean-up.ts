import { parseTime } from '../core/duration.ts';
import { isMemory } from '../core/memory.ts';
import { isOpen } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { RequestSettings } from './deps.ts';

/**
 * Which finished requests of a workload are to be deleted now, and when the next one will be: those older than the retention and those
 * beyond the newest per container. What still stops a candidate from being offered stays.
 */
export function findOutdated(
  requests: readonly UpdateRequest[],
  now: number,
  { retentionMs, keepPerContainer }: Pick<RequestSettings, 'retentionMs' | 'keepPerContainer'>,
): { outdated: UpdateRequest[]; wakeAtMs: number | undefined } {
  const outdated: UpdateRequest[] = [];
  const kept = new Map<string, number>();
  let wakeAtMs: number | undefined;
  for (const request of [...requests].sort(newestFirst)) {
    if (isOpen(request)) continue;
    const container = request.spec.containerName ?? '';
    const rank = (kept.get(container) ?? 0) + 1;
    kept.set(container, rank);
    const own = requests.filter(({ spec }) => spec.containerName === request.spec.containerName);
    if (isMemory(request, own)) continue;
    const dueAt = finishedAt(request) + retentionMs;
    if (rank > keepPerContainer || dueAt <= now) outdated.push(request);
    else wakeAtMs = Math.min(dueAt, wakeAtMs ?? Infinity);
  }
  return { outdated, wakeAtMs };
}

function newestFirst(a: UpdateRequest, b: UpdateRequest): number {
  return finishedAt(b) - finishedAt(a);
}

function finishedAt({ status, metadata }: UpdateRequest): number {
  return parseTime(status.lastUpdated ?? '') ?? parseTime(metadata.creationTimestamp) ?? 0;
}
