import { isHashSegment } from './commit-hash.ts';

/** A tag without version seen as a shape with numbers: `build-9` is `build-#` and 9. Only equal shapes compare. */
export interface Skeleton {
  readonly shape: string;
  readonly numbers: readonly bigint[];
}

/** Replaces commit hashes by `@` and runs of digits by `#`. Every text has a skeleton. */
export function readSkeleton(text: string): Skeleton {
  const numbers: bigint[] = [];
  const shape = text
    .split(/([-_.])/)
    .map((segment) =>
      isHashSegment(segment)
        ? '@'
        : segment.replace(/\d+/g, (digits) => {
            numbers.push(BigInt(digits));
            return '#';
          }),
    )
    .join('');
  return { shape, numbers };
}
