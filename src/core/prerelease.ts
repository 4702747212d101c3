/** A number, or a word compared byte by byte. */
export type Identifier = bigint | string;

/** What stands between a version and its release: `rc.1`, `beta2`, `SNAPSHOT`; under strict SemVer any suffix. */
export interface Prerelease {
  /** Rank of the first identifier, which is a known word; undefined under strict SemVer, where words compare as text. */
  readonly rank: number | undefined;
  readonly identifiers: readonly Identifier[];
}

// A later row is nearer to the release. An unknown word is no prerelease but a variant, which is always safe.
const wordsByRank = [
  'dev devel snapshot nightly canary edge next ci pr wip experimental insiders',
  'alpha a',
  'beta b',
  'milestone m ea',
  'pre preview prerelease',
  'rc cr',
];
const ranks: ReadonlyMap<string, number> = new Map(
  wordsByRank.flatMap((words, rank) => words.split(' ').map((word): [string, number] => [word, rank])),
);
const prereleasePattern = /^([A-Za-z]+)(\d*)((?:\.\d+)*)$/;

/** Reads `rc1`, `rc.1`, `SNAPSHOT`: a known word with optional numbers. `a`, `b` and `m` need a number, alone they are something else. */
export function readPrerelease(text: string): Prerelease | undefined {
  const match = prereleasePattern.exec(text);
  if (!match) return undefined;
  const [, word = '', glued = '', dotted = ''] = match;
  const rank = ranks.get(word.toLowerCase());
  if (rank === undefined || (word.length === 1 && glued + dotted === '')) return undefined;
  const numbers = `${glued}${dotted}`.split('.').filter((digits) => digits !== '');
  return { rank, identifiers: [word, ...numbers.map(BigInt)] };
}

/** Below zero when `a` comes before `b`. No prerelease is the release itself and comes last. */
export function comparePrereleases(a: Prerelease | undefined, b: Prerelease | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  if (a.rank === undefined || b.rank === undefined) return compareIdentifiers(a.identifiers, b.identifiers, 0);
  // Words of one rank (`alpha`, `a`) are the same word.
  return a.rank - b.rank || compareIdentifiers(a.identifiers, b.identifiers, 1);
}

/** SemVer 2.0 section 11: numbers below words, words by bytes, and of two that agree the shorter comes first. */
export function compareIdentifiers(a: readonly Identifier[], b: readonly Identifier[], from: number): number {
  for (let index = from; index < a.length || index < b.length; index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    if (typeof left !== typeof right) return typeof left === 'bigint' ? -1 : 1;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
