import type { Identifier } from './prerelease.ts';
import type { Tag } from './tag.ts';

const identifiers = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const versionPattern = new RegExp(`^(v?)(\\d+)\\.(\\d+)\\.(\\d+)(?:-(${identifiers}))?(?:\\+(${identifiers}))?$`);
const largestNumber = 2n ** 64n - 1n;

/**
 * Reads a version of exactly three numbers as SemVer 2.0 has it, with an optional `v`; every suffix is a prerelease, all versions are one family.
 * `leadingZeros` lets calendar versions (`2024.01.15`) through; charts do not have them.
 */
export function parseStrictSemver(text: string, options: { leadingZeros: boolean }): Tag | undefined {
  const match = versionPattern.exec(text);
  if (!match) return undefined;
  const [, v = '', major = '', minor = '', patch = '', suffix, build = ''] = match;
  const core = readCore([major, minor, patch], options.leadingZeros);
  const pre = suffix === undefined ? undefined : readIdentifiers(suffix);
  if (!core || (suffix !== undefined && !pre)) return undefined;
  return {
    text,
    family: 'semver',
    kind: 'ver',
    prefix: '',
    v,
    core,
    pre: pre && { rank: undefined, identifiers: pre },
    variant: '',
    revision: undefined,
    hash: '',
    build,
  };
}

function readCore(numbers: readonly string[], leadingZeros: boolean): readonly bigint[] | undefined {
  if (!leadingZeros && numbers.some(hasLeadingZero)) return undefined;
  const core = numbers.map(BigInt);
  return core.every((number) => number <= largestNumber) ? core : undefined;
}

/** Identifiers of a SemVer prerelease; undefined when a numeric one has a leading zero. */
export function readIdentifiers(suffix: string): readonly Identifier[] | undefined {
  const parts = suffix.split('.');
  const isNumber = (part: string): boolean => /^\d+$/.test(part);
  if (parts.some((part) => part === '' || (isNumber(part) && hasLeadingZero(part)))) return undefined;
  return parts.map((part) => (isNumber(part) ? BigInt(part) : part));
}

function hasLeadingZero(digits: string): boolean {
  return digits.length > 1 && digits.startsWith('0');
}

/** Is this number within the 64 bits that SemVer libraries of registries and Helm can hold? */
export function fitsVersionNumber(number: bigint): boolean {
  return number <= largestNumber;
}
