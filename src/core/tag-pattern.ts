import type { Rejection } from './candidate.ts';
import type { Policy } from './policy.ts';
import type { OrderingGroup, TagRegex } from './regex-policy.ts';
import type { Order } from './tag-orders.ts';

export type PatternPolicy = Extract<Policy, { name: 'glob' | 'regex' }>;

/** What a user's pattern finds in a tag: the part that is ordered, and what must be the same in all tags that compare. */
export interface Found {
  readonly part: string;
  readonly equal: string;
}

export interface TagPattern {
  readonly text: string;
  find(tag: string): Found | Rejection;
  /** The named group that orders, if it does. */
  readonly ordering: OrderingGroup | undefined;
  /** Some groups must be equal, so the running tag has to match as well. */
  readonly compares: boolean;
}

/** The pattern of a policy, or undefined where it has none. With `wholeTags` an ordering group counts for nothing. */
export function patternOf(policy: PatternPolicy, options: { wholeTags: boolean }): TagPattern | undefined {
  if (policy.name === 'regex') return regexPattern(policy.regex, options.wholeTags);
  const { glob } = policy;
  if (!glob) return undefined;
  return {
    text: glob.text,
    find: (tag) => (glob.matches(tag) ? { part: tag, equal: '' } : 'NoPatternMatch'),
    ordering: undefined,
    compares: false,
  };
}

function regexPattern(regex: TagRegex, wholeTags: boolean): TagPattern {
  const ordering = wholeTags ? undefined : regex.ordering;
  const needsGroups = ordering !== undefined || regex.equal.length > 0;
  const find = (tag: string): Found | Rejection => {
    if (!needsGroups) return regex.matches(tag) ? { part: tag, equal: '' } : 'NoPatternMatch';
    const groups = regex.groups(tag);
    const part = ordering === undefined ? tag : groups?.[ordering];
    if (!groups || part === undefined || part === null) return 'NoPatternMatch';
    return { part, equal: JSON.stringify(regex.equal.map((name) => groups[name])) };
  };
  return { text: regex.text, find, ordering, compares: regex.equal.length > 0 };
}

/** A value found by way of a pattern. */
export interface Through<V> {
  readonly value: V;
  readonly equal: string;
}

/** The same order, of what the pattern finds: other tags are refused, and tags whose equal groups differ do not compare. */
export function through<V extends object>(order: Order<V>, pattern: TagPattern): Order<Through<V>> {
  return {
    read: (tag) => {
      const found = pattern.find(tag);
      if (typeof found === 'string') return found;
      const value = order.read(found.part);
      return typeof value === 'string' ? value : { value, equal: found.equal };
    },
    apart: (a, b) => (a.equal === b.equal ? order.apart(a.value, b.value) : 'OtherGroup'),
    compare: (a, b) => order.compare(a.value, b.value),
    style: ({ value }) => order.style(value),
  };
}
