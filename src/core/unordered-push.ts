import { compareTags } from './order.ts';
import type { Situation } from './situation.ts';
import type { Tag } from './tag.ts';

/**
 * The pushed tag, where the policy `all` takes it although it has no order against the running one: one of the two is no version,
 * they are of different kinds, or they differ in nothing but build metadata or hash. Charts have no such tags.
 */
export function unorderedPush({ current, event, input, parse, refuse }: Situation): string | undefined {
  if (input.policy.name !== 'all' || input.chart || event === undefined || refuse(event) !== undefined) return undefined;
  return isUnordered(parse(current), parse(event)) ? event : undefined;
}

function isUnordered(current: Tag | undefined, pushed: Tag | undefined): boolean {
  if (!current || !pushed || current.kind !== pushed.kind) return true;
  if (current.family !== pushed.family || compareTags(current, pushed) !== 0) return false;
  return current.v === pushed.v && (current.build !== pushed.build || current.hash !== pushed.hash);
}
