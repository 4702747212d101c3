import { isHashSegment } from './commit-hash.ts';
import { isDigit } from './tag-numbers.ts';

/** A tag without version seen as a shape with numbers: `build-9` is `build-#` and 9. Only equal shapes compare. */
export interface Skeleton {
  readonly shape: string;
  /** Digits without leading zeros: they compare by length, then as texts, and a tag may have sixty of them. */
  readonly numbers: readonly string[];
}

/** Replaces commit hashes by `@` and runs of digits by `#`. Every text has a skeleton. */
export function readSkeleton(text: string): Skeleton {
  const numbers: string[] = [];
  let shape = '';
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const character = text.charAt(at);
    if (character !== '' && character !== '-' && character !== '_' && character !== '.') continue;
    shape += shapeOf(text.slice(start, at), numbers) + character;
    start = at + 1;
  }
  return { shape, numbers };
}

/** Compares numbers from left to right; both have as many, since their shapes are equal. */
export function compareSkeletons(a: Skeleton, b: Skeleton): number {
  for (const [index, one] of a.numbers.entries()) {
    const other = b.numbers[index] ?? '';
    if (one !== other) return one.length - other.length || (one < other ? -1 : 1);
  }
  return 0;
}

function shapeOf(segment: string, numbers: string[]): string {
  if (isHashSegment(segment)) return '@';
  let shape = '';
  for (let at = 0; at < segment.length; ) {
    let end = at;
    while (isDigit(segment.charCodeAt(end))) end++;
    if (end === at) shape += segment.charAt(at++);
    else {
      shape += '#';
      numbers.push(withoutLeadingZeros(segment.slice(at, end)));
      at = end;
    }
  }
  return shape;
}

function withoutLeadingZeros(digits: string): string {
  let start = 0;
  while (start < digits.length - 1 && digits.charAt(start) === '0') start++;
  return digits.slice(start);
}
