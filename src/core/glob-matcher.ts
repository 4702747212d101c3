/** One character of a pattern: any run (`*`), any one (`?`), or one of a set, which may be of one character. */
export type GlobToken = 'run' | 'any' | CharacterSet;
export type GlobTokens = readonly GlobToken[];

export interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [string, string])[];
}

/** What stands between two `*`: of a fixed length. */
interface Piece {
  readonly tokens: readonly Exclude<GlobToken, 'run'>[];
  /** Where it is nothing but text: finding that is much faster. */
  readonly literal: string | undefined;
}

export function singleCharacter(character: string): CharacterSet {
  return { negated: false, ranges: [[character, character]] };
}

/**
 * Matches whole texts. The first piece stands at the beginning and the last one at the end; each of the others is taken where it
 * comes first, since a later place would only leave less for the rest: nothing is ever tried twice.
 */
export function matcherOf(tokens: GlobTokens): (text: string) => boolean {
  const [first, ...others] = piecesOf(tokens);
  const last = others.pop();
  if (first === undefined || last === undefined) {
    return first === undefined ? (text) => text === '' : (text) => text.length === first.tokens.length && standsAt(first, text, 0);
  }
  const least = [first, ...others, last].reduce((sum, { tokens: { length } }) => sum + length, 0);
  return (text) => {
    const end = text.length - last.tokens.length;
    if (text.length < least || !standsAt(first, text, 0) || !standsAt(last, text, end)) return false;
    let at = first.tokens.length;
    for (const piece of others) {
      const found = find(piece, text, at, end);
      if (found < 0) return false;
      at = found + piece.tokens.length;
    }
    return at <= end;
  };
}

function piecesOf(tokens: GlobTokens): Piece[] {
  const pieces: Exclude<GlobToken, 'run'>[][] = [[]];
  for (const token of tokens) {
    if (token === 'run') pieces.push([]);
    else pieces.at(-1)?.push(token);
  }
  // Nothing between two `*` is there anywhere.
  const kept = pieces.filter(({ length }, index) => length > 0 || index === 0 || index === pieces.length - 1);
  return kept.map((piece) => ({ tokens: piece, literal: literalOf(piece) }));
}

function literalOf(tokens: Piece['tokens']): string | undefined {
  const characters = tokens.map((token) => {
    if (token === 'any' || token.negated || token.ranges.length !== 1) return undefined;
    const [only] = token.ranges;
    return only?.[0] === only?.[1] ? only?.[0] : undefined;
  });
  return characters.includes(undefined) ? undefined : characters.join('');
}

function standsAt({ tokens, literal }: Piece, text: string, at: number): boolean {
  if (literal !== undefined) return text.startsWith(literal, at);
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (token !== undefined && token !== 'any' && !isIn(token, text.charAt(at + index))) return false;
  }
  return true;
}

/** The first place at or after `from` where the piece stands and ends by `end`; -1 without one. */
function find(piece: Piece, text: string, from: number, end: number): number {
  const latest = end - piece.tokens.length;
  if (piece.literal !== undefined) {
    const found = text.indexOf(piece.literal, from);
    return found > latest ? -1 : found;
  }
  for (let at = from; at <= latest; at++) {
    if (standsAt(piece, text, at)) return at;
  }
  return -1;
}

function isIn({ ranges, negated }: CharacterSet, character: string): boolean {
  for (const [first, last] of ranges) {
    if (character >= first && character <= last) return !negated;
  }
  return negated;
}
