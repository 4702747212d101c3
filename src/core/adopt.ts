import type { Rejection } from './candidate.ts';
import { best, type Contest } from './contest.ts';
import type { Tag } from './tag.ts';
import { type Order, type TagParser, versionOrder } from './tag-orders.ts';

/**
 * Leaves a tag that is no version for the highest plain stable version of the largest precision that the list has:
 * no prefix, variant, revision or hash. Calendar versions only where there are no others.
 */
export function adoptVersion(candidates: readonly string[], parse: TagParser, accepts: (tag: Tag) => boolean): Contest {
  const plain = (text: string): Tag | Rejection => {
    const tag = parse(text);
    if (!tag) return 'NotAVersion';
    if (tag.pre) return 'Prerelease';
    return isPlain(tag) ? tag : 'OtherFamily';
  };
  const family = widestFamily(candidates, plain);
  const enter = (text: string): Tag | Rejection => {
    const tag = plain(text);
    if (typeof tag === 'string') return tag;
    if (tag.family !== family) return 'OtherFamily';
    return accepts(tag) ? tag : 'OutOfRange';
  };
  return contestOf(enter, versionOrder(parse));
}

function isPlain(tag: Tag): boolean {
  if (tag.kind !== 'ver' && tag.kind !== 'cal') return false;
  return tag.prefix === '' && tag.variant === '' && tag.hash === '' && tag.revision === undefined;
}

function widestFamily(candidates: readonly string[], plain: (text: string) => Tag | Rejection): string | undefined {
  let widest: Tag | undefined;
  for (const text of candidates) {
    const tag = plain(text);
    if (typeof tag !== 'string' && (!widest || isWider(tag, widest))) widest = tag;
  }
  return widest?.family;
}

function isWider(tag: Tag, than: Tag): boolean {
  return tag.kind === than.kind ? tag.core.length > than.core.length : tag.kind === 'ver';
}

export interface Ambiguous {
  /** Two tags that match but cannot be compared. */
  readonly ambiguous: readonly [string, string];
}

/** Leaves a tag for the greatest that matches a pattern, if all that match can be compared with each other. */
export function adoptMatching<V extends object>(
  candidates: readonly string[],
  order: Order<V>,
  refuses: (value: V) => Rejection | undefined,
): Contest | Ambiguous {
  const values = new Map<string, V | Rejection>();
  const read = (text: string): V | Rejection => {
    const value = order.read(text);
    return typeof value === 'string' ? value : (refuses(value) ?? value);
  };
  // Read once: a pattern may take its time, and all are looked at twice.
  const enter = (text: string): V | Rejection => {
    const value = values.get(text) ?? read(text);
    values.set(text, value);
    return value;
  };
  const entrants = candidates.flatMap((text) => {
    const value = enter(text);
    return typeof value === 'string' ? [] : [{ text, value }];
  });
  // Sorted, so that the sentence does not depend on the order of the list.
  const [first, ...others] = entrants.sort((a, b) => (a.text < b.text ? -1 : 1));
  const other = first && others.find(({ value }) => order.apart(first.value, value) !== undefined);
  if (other) return { ambiguous: [first.text, other.text] };
  return contestOf(enter, order);
}

function contestOf<V extends object>(enter: (text: string) => V | Rejection, order: Order<V>): Contest {
  return {
    judge: (text) => {
      const value = enter(text);
      return typeof value === 'string' ? value : 'Adoptable';
    },
    run: (candidates) => best(candidates, enter, order, ''),
  };
}
