import { isDue } from './poll-cadence.ts';
import type { Consumer } from './poll-wants.ts';

/** When it was, and when which running tag was asked for: those that are not there, or not given, are not asked for before their time either. */
export interface Look {
  readonly at: number;
  readonly tags: ReadonlyMap<string, number>;
}

/** Does somebody run a tag that the last look was not for? */
export function isUnknown(last: Look | undefined, { digestsOf }: Consumer): boolean {
  return [...digestsOf].some((tag) => last?.tags.has(tag) !== true);
}

/** Running tags and when they were asked for: now those that somebody wants now, who may be impatient about one tag and does not run the others. */
export function askedTags(last: Look | undefined, group: readonly Consumer[], now: number): ReadonlyMap<string, number> {
  const tags = new Map<string, number>();
  for (const { cadence, digestsOf } of group) {
    for (const tag of digestsOf) {
      const at = last?.tags.get(tag);
      tags.set(tag, at === undefined || isDue(cadence, at, now) ? now : Math.max(at, tags.get(tag) ?? at));
    }
  }
  return tags;
}

/** The consumer, with those of its running tags that are asked for now. */
export function onlyAsked(consumer: Consumer, tags: ReadonlyMap<string, number>, now: number): Consumer {
  return { ...consumer, digestsOf: new Set([...consumer.digestsOf].filter((tag) => tags.get(tag) === now)) };
}
