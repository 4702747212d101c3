import type { Identifier } from './prerelease.ts';
import { acceptsTerm, type Operator, type RangeTerm, type RangeVersion, type Wildcard } from './range-term.ts';
import { fitsVersionNumber, readIdentifiers } from './strict-semver.ts';

/** A version range in the dialect of Helm and Flux: groups joined by `||`, each of terms that must all hold. */
export interface Range {
  readonly text: string;
  readonly groups: readonly (readonly RangeTerm[])[];
  /** Sentences about ranges that are valid but rarely meant. */
  readonly warnings: readonly string[];
}

export interface InvalidRange {
  readonly invalid: string;
}

const maximumBytes = 512;
const maximumGroups = 32;
// As written, longest first; no operator means `=`.
const operators: readonly (readonly [string, Operator])[] = [
  ['!=', '!='],
  ['>=', '>='],
  ['=>', '>='],
  ['<=', '<='],
  ['=<', '<='],
  ['~>', '~'],
  ['=', '='],
  ['>', '>'],
  ['<', '<'],
  ['~', '~'],
  ['^', '^'],
  ['', '='],
];
const wildcards: readonly Wildcard[] = ['all', 'minor', 'patch'];
const component = '(?:\\d+|[xX*])';
const suffixPart = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const versionPattern = new RegExp(
  `^v?(${component})(?:\\.(${component}))?(?:\\.(${component}))?(?:-(${suffixPart}))?(?:\\+(?:${suffixPart}))?$`,
);

/** Parses a range. Total: every text gives a range or the sentence that says what is wrong. */
export function parseRange(text: string): Range | InvalidRange {
  const invalid = (why: string): InvalidRange => ({ invalid: `the range "${text.slice(0, 60)}" ${why}` });
  if (text.trim() === '') return { invalid: 'the range is empty' };
  if (new TextEncoder().encode(text).length > maximumBytes) return invalid(`is longer than ${maximumBytes} bytes`);
  const parts = text.split('||');
  if (parts.length > maximumGroups) return invalid(`has more than ${maximumGroups} groups`);
  const groups: RangeTerm[][] = [];
  for (const part of parts) {
    const terms = parseGroup(part.trim());
    if ('invalid' in terms) return invalid(terms.invalid);
    groups.push(terms);
  }
  return { text, groups, warnings: groups.flatMap(warningsOf) };
}

/**
 * Is `version` inside the range? A prerelease passes a group only when one of its terms names a prerelease, or with `allowPrerelease`.
 * Components that `version` does not have count as 0, a fourth one is not looked at.
 */
export function rangeAccepts(range: Range, version: RangeVersion, options: { allowPrerelease: boolean }): boolean {
  return range.groups.some((terms) => {
    const gateOpen = options.allowPrerelease || version.pre.length === 0 || terms.some((term) => term.pre.length > 0);
    return gateOpen && terms.every((term) => acceptsTerm(term, version));
  });
}

function parseGroup(text: string): RangeTerm[] | InvalidRange {
  if (text === '') return { invalid: 'has an empty group beside ||' };
  const odd = /(?:^|[\s,])([=!<>~^][^\s,]*\s+-\s+[^\s,]+|[^\s,]+\s+-\s+[=!<>~^][^\s,]*)/.exec(text)?.[1];
  if (odd !== undefined) return { invalid: `has "${odd}", where one side of " - " is no version but a comparison` };
  const withoutHyphens = text.replace(/([^\s,]+)\s+-\s+([^\s,]+)/g, '>=$1,<=$2');
  // An operator may stand apart from its version.
  const joined = withoutHyphens.replace(/([=!<>~^])\s+(?=[v\dxX*])/g, '$1');
  return parseTerms(joined.split(/\s*,\s*|\s+/));
}

function parseTerms(words: readonly string[]): RangeTerm[] | InvalidRange {
  const terms: RangeTerm[] = [];
  for (const word of words) {
    const term = parseTerm(word);
    if ('invalid' in term) return term;
    terms.push(term);
  }
  return terms;
}

function parseTerm(word: string): RangeTerm | InvalidRange {
  if (word === '') return { invalid: 'has a comma with nothing beside it' };
  const [written, operator] = operators.find(([text]) => word.startsWith(text)) ?? ['', '='];
  const match = versionPattern.exec(word.slice(written.length));
  if (!match) return { invalid: `has "${word}", which is no version (at most three numbers, a separator between terms)` };
  const [, major = '', minor, patch, suffix] = match;
  const core = readComponents([major, minor, patch]);
  const pre = suffix === undefined ? [] : readIdentifiers(suffix);
  if (!pre) return { invalid: `has "${word}", whose prerelease has a number with a leading zero` };
  if (!core.numbers.every(fitsVersionNumber)) return { invalid: `has "${word}" with a number over 64 bits` };
  return { operator, core: core.numbers, wildcard: core.wildcard, pre };
}

/** Wildcards and what is missing count as 0; a number after a wildcard says nothing. */
function readComponents(parts: readonly (string | undefined)[]): { numbers: bigint[]; wildcard: Wildcard } {
  const first = parts.findIndex((part) => part === undefined || !/^\d/.test(part));
  const wildcard = wildcards[first] ?? 'none';
  const numbers = parts.map((part, index) => (first >= 0 && index >= first ? 0n : BigInt(part ?? 0)));
  return { numbers, wildcard };
}

function warningsOf(terms: readonly RangeTerm[]): string[] {
  const warnings: string[] = [];
  if (terms.some((term) => term.operator === '!=' && term.wildcard === 'all')) warnings.push('!=* excludes only 0.0.0');
  const opensGate = terms.some((term) => term.operator === '>=' && isZeroPrerelease(term.pre));
  const end = terms.find((term) => term.operator === '<' && term.pre.length === 0);
  if (opensGate && end) {
    const version = end.core.join('.');
    warnings.push(`<${version} lets prereleases of ${version} in; write <${version}-0`);
  }
  return warnings;
}

function isZeroPrerelease(pre: readonly Identifier[]): boolean {
  return pre.length === 1 && pre[0] === 0n;
}
