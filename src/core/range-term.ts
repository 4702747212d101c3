import { compareCores } from './order.ts';
import { compareIdentifiers, type Identifier } from './prerelease.ts';

export type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';
/** The first level that is not written as a number. */
export type Wildcard = 'all' | 'minor' | 'patch' | 'none';

/** What a range sees of a version: numbers and prerelease. */
export interface RangeVersion {
  readonly core: readonly bigint[];
  readonly pre: readonly Identifier[];
}

/** One comparison of a range; wildcards count as 0 in `core`. */
export interface RangeTerm extends RangeVersion {
  readonly operator: Operator;
  readonly wildcard: Wildcard;
}

/** Does the version satisfy this one comparison? Whether prereleases may pass at all is the group's business. */
export function acceptsTerm(term: RangeTerm, version: RangeVersion): boolean {
  return rules[term.operator](term, version);
}

type Rule = (term: RangeTerm, version: RangeVersion) => boolean;

const rules: Readonly<Record<Operator, Rule>> = {
  '=': (term, version) => (term.wildcard === 'none' ? compare(version, term) === 0 : isNear(term, version)),
  '!=': differs,
  '>': isGreater,
  '<': (term, version) => compare(version, term) < 0,
  '>=': (term, version) => compare(version, term) >= 0,
  '<=': isAtMost,
  '~': isNear,
  '^': isCompatible,
};

function differs(term: RangeTerm, version: RangeVersion): boolean {
  if (term.wildcard === 'none' || term.wildcard === 'all') return compare(version, term) !== 0;
  if (!sameMajor(term, version)) return true;
  if (term.wildcard === 'minor') return false;
  return !sameMinor(term, version) || compareIdentifiers(term.pre, version.pre, 0) !== 0;
}

/** `>1` is `>=2`, `>1.2` is `>=1.3`. */
function isGreater(term: RangeTerm, version: RangeVersion): boolean {
  if (term.wildcard === 'minor') return compareTo(term, version, 1) > 0;
  if (term.wildcard === 'patch') return compareTo(term, version, 2) > 0;
  return compare(version, term) > 0;
}

/** `<=2` is `<3`, `<=2.1` is `<2.2`. */
function isAtMost(term: RangeTerm, version: RangeVersion): boolean {
  if (term.wildcard === 'all') return true;
  if (term.wildcard === 'minor') return compareTo(term, version, 1) <= 0;
  if (term.wildcard === 'patch') return compareTo(term, version, 2) <= 0;
  return compare(version, term) <= 0;
}

function isNear(term: RangeTerm, version: RangeVersion): boolean {
  if (compare(version, term) < 0) return false;
  const isZero = term.core.every((number) => number === 0n);
  if (isZero && (term.wildcard === 'none' || term.wildcard === 'all')) return true;
  return sameMajor(term, version) && (term.wildcard === 'minor' || sameMinor(term, version));
}

function isCompatible(term: RangeTerm, version: RangeVersion): boolean {
  if (term.wildcard === 'all') return true;
  if (compare(version, term) < 0 || !sameMajor(term, version)) return false;
  if (component(term, 0) > 0n || term.wildcard === 'minor') return true;
  if (!sameMinor(term, version)) return false;
  return component(term, 1) > 0n || term.wildcard === 'patch' || component(term, 2) === component(version, 2);
}

/** SemVer precedence of three numbers and the prerelease. */
function compare(a: RangeVersion, b: RangeVersion): number {
  const byNumbers = compareCores(a.core.slice(0, 3), b.core.slice(0, 3));
  if (byNumbers !== 0) return byNumbers;
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  return compareIdentifiers(a.pre, b.pre, 0);
}

/** Compares only the first `levels` numbers of the version with those of the term. */
function compareTo(term: RangeTerm, version: RangeVersion, levels: number): number {
  return compareCores(version.core.slice(0, levels), term.core.slice(0, levels));
}

function component(version: RangeVersion, level: number): bigint {
  return version.core[level] ?? 0n;
}

function sameMajor(a: RangeVersion, b: RangeVersion): boolean {
  return component(a, 0) === component(b, 0);
}

function sameMinor(a: RangeVersion, b: RangeVersion): boolean {
  return component(a, 1) === component(b, 1);
}
