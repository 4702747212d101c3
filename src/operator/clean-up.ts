import { parseTime } from '../core/duration.ts';
import { isMemory } from '../core/memory.ts';
import { isOpen } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { RequestSettings } from './deps.ts';

/** Finished requests of a container that are kept at most, whatever they remember: anybody who may create requests can make more. */
const mostRemembered = 100;

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
  let wakeAtMs: number | undefined;
  const finished = requests.filter((request) => !isOpen(request)).sort(newestFirst);
  for (const own of Map.groupBy(finished, ({ spec }) => spec.containerName).values()) {
    const remembered = own.slice(0, mostRemembered);
    for (const [index, request] of own.entries()) {
      if (index < mostRemembered && isMemory(request, remembered)) continue;
      const dueAt = finishedAt(request) + retentionMs;
      if (index >= keepPerContainer || dueAt <= now) outdated.push(request);
      else wakeAtMs = Math.min(dueAt, wakeAtMs ?? Infinity);
    }
  }
  return { outdated, wakeAtMs };
}

function newestFirst(a: UpdateRequest, b: UpdateRequest): number {
  return finishedAt(b) - finishedAt(a);
}

function finishedAt({ status, metadata }: UpdateRequest): number {
  return parseTime(status.lastUpdated ?? '') ?? parseTime(metadata.creationTimestamp) ?? 0;
}
