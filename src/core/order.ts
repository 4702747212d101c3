import { comparePrereleases } from './prerelease.ts';
import type { Tag } from './tag.ts';

/** Below zero when `a` comes before `b`; zero when only hash, build metadata or `v` differ. Only for tags of one family. */
export function compareTags(a: Tag, b: Tag): number {
  return compareCores(a.core, b.core) || comparePrereleases(a.pre, b.pre) || compareRevisions(a, b);
}

/** Compares numbers from left to right; a missing one counts as 0. */
export function compareCores(a: readonly bigint[], b: readonly bigint[]): number {
  const level = differingLevel(a, b);
  if (level === undefined) return 0;
  return (a[level] ?? 0n) < (b[level] ?? 0n) ? -1 : 1;
}

/** Index of the first component that differs (0 major, 1 minor, 2 and more patch), undefined when none does. */
export function differingLevel(a: readonly bigint[], b: readonly bigint[]): number | undefined {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if ((a[index] ?? 0n) !== (b[index] ?? 0n)) return index;
  }
  return undefined;
}

function compareRevisions(a: Tag, b: Tag): number {
  const left = a.revision?.value ?? 0n;
  const right = b.revision?.value ?? 0n;
  return left === right ? 0 : left < right ? -1 : 1;
}
