/** One place of a pattern: any run (`*`), any character (`?`), one character by its code, or one of a set. */
export type GlobToken = 'run' | 'any' | number | CharacterSet;
export type GlobTokens = readonly GlobToken[];

export interface CharacterSet {
  readonly negated: boolean;
  /** First and last code of each range. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** What stands between two `*`: of a fixed length. */
interface Piece {
  readonly tokens: readonly Exclude<GlobToken, 'run'>[];
  /** Where it is nothing but text: finding that is much faster. */
  readonly literal: string | undefined;
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
  const codes = tokens.filter((token) => typeof token === 'number');
  return codes.length === tokens.length ? String.fromCharCode(...codes) : undefined;
}

function standsAt({ tokens, literal }: Piece, text: string, at: number): boolean {
  if (literal !== undefined) return text.startsWith(literal, at);
  for (let index = 0; index < tokens.length; index++) {
    if (!isMet(tokens[index] ?? 'any', text.charCodeAt(at + index))) return false;
  }
  return true;
}

function isMet(token: Exclude<GlobToken, 'run'>, code: number): boolean {
  if (typeof token === 'number') return token === code;
  if (token === 'any') return true;
  for (const range of token.ranges) {
    if (code >= range[0] && code <= range[1]) return !token.negated;
  }
  return token.negated;
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
