import { canonicalRepository } from '../core/image-reference.ts';
import { RegistryError } from '../errors.ts';
import type { Log, Registry } from '../ports.ts';
import type { Consumer } from './poll-wants.ts';
import type { Access } from './repository-access.ts';

/** Tag → when it was pushed, in milliseconds since the epoch. */
export type PushTimes = ReadonlyMap<string, number>;

/** Undefined when nobody wants to know, or the registry does not tell: that is no failure of the look. */
export async function readPushTimes(
  { credentials }: Access,
  readers: readonly Consumer[],
  { registry, log }: { readonly registry: Registry; readonly log: Log },
  signal: AbortSignal,
): Promise<PushTimes | undefined> {
  const asking = readers.find(({ needsTimes }) => needsTimes);
  if (!asking) return undefined;
  try {
    const times = await registry.created(asking.reference, credentials, signal);
    return times && !times.truncated ? new Map(times.tags.map(({ tag, pushedAtMs }) => [tag, pushedAtMs])) : undefined;
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    log.debug({ repository: canonicalRepository(asking.reference), error: error.message }, 'times of pushes are not known');
    return undefined;
  }
}

/** A tag that was pushed again is news for an order by time. */
export function isSameTimes(a: PushTimes | undefined, b: PushTimes | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.size === b.size && [...b].every(([tag, time]) => a.get(tag) === time);
}
