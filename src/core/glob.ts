import { type GlobToken, type GlobTokens, matcherOf } from './glob-matcher.ts';

/** A compiled pattern for whole tags. Matching takes time linear in the text, whatever the pattern. */
export interface Glob {
  readonly text: string;
  /** How many patterns without braces it stands for: each is compared with every tag. */
  readonly alternatives: number;
  matches(text: string): boolean;
}

const maximumBytes = 256;
const maximumAlternatives = 64;

/** Compiles `*`, `?`, `[a-z]`, `[!x]`, `{a,b}` and `\` escapes. Total: every text gives a glob or the sentence that says what is wrong. */
export function compileGlob(pattern: string): Glob | { readonly invalid: string } {
  const invalid = (why: string): { invalid: string } => ({ invalid: `the glob "${pattern.slice(0, 60)}" ${why}` });
  if (pattern === '') return { invalid: 'the glob is empty' };
  if (new TextEncoder().encode(pattern).length > maximumBytes) return invalid(`is longer than ${maximumBytes} bytes`);
  try {
    const alternatives = readAlternatives({ pattern, at: 0, depth: 0 });
    const matchers = alternatives.map(matcherOf);
    return { text: pattern, alternatives: matchers.length, matches: (text) => matchers.some((matches) => matches(text)) };
  } catch (error) {
    if (error instanceof GlobSyntaxError) return invalid(error.message);
    throw error;
  }
}

class GlobSyntaxError extends Error {}

interface Reader {
  readonly pattern: string;
  at: number;
  depth: number;
}

/** Reads up to the end, or inside braces up to `,` or `}`; each group multiplies the alternatives. */
function readAlternatives(reader: Reader): GlobTokens[] {
  let alternatives: GlobTokens[] = [[]];
  while (reader.at < reader.pattern.length) {
    const character = reader.pattern.charAt(reader.at);
    if (reader.depth > 0 && (character === ',' || character === '}')) break;
    reader.at++;
    const next: GlobTokens[] = character === '{' ? readGroup(reader) : [[readToken(character, reader)]];
    alternatives = alternatives.flatMap((head) => next.map((tail) => [...head, ...tail]));
    if (alternatives.length > maximumAlternatives) throw new GlobSyntaxError(`has more than ${maximumAlternatives} alternatives`);
  }
  return alternatives;
}

function readGroup(reader: Reader): GlobTokens[] {
  reader.depth++;
  const alternatives: GlobTokens[] = [];
  for (;;) {
    alternatives.push(...readAlternatives(reader));
    const character = reader.pattern.charAt(reader.at++);
    if (character === '') throw new GlobSyntaxError('has a { without }');
    if (character === '}') break;
  }
  reader.depth--;
  return alternatives;
}

function readToken(character: string, reader: Reader): GlobToken {
  if (character === '*') return 'run';
  if (character === '?') return 'any';
  if (character === '[') return readSet(reader);
  if (character === '\\') return readEscaped(reader).charCodeAt(0);
  if (character === '}' || character === ']') throw new GlobSyntaxError(`has a ${character} that nothing opened; write \\${character}`);
  return character.charCodeAt(0);
}

function readEscaped(reader: Reader): string {
  if (reader.at >= reader.pattern.length) throw new GlobSyntaxError('ends with a \\ that escapes nothing');
  return reader.pattern.charAt(reader.at++);
}

function readSet(reader: Reader): GlobToken {
  const negated = reader.pattern.charAt(reader.at) === '!';
  if (negated) reader.at++;
  // In other dialects this negates; here it would silently match the opposite.
  if (reader.pattern.charAt(reader.at) === '^') throw new GlobSyntaxError('negates a set with ^; write [!…]');
  const ranges: (readonly [number, number])[] = [];
  while (reader.pattern.charAt(reader.at) !== ']') ranges.push(readRange(reader));
  reader.at++;
  if (ranges.length === 0) throw new GlobSyntaxError('has an empty set []');
  return { negated, ranges };
}

function readRange(reader: Reader): readonly [number, number] {
  const first = readSetCharacter(reader);
  const isRange = reader.pattern.charAt(reader.at) === '-' && reader.pattern.charAt(reader.at + 1) !== ']';
  if (!isRange) return [first.charCodeAt(0), first.charCodeAt(0)];
  reader.at++;
  const last = readSetCharacter(reader);
  if (last < first) throw new GlobSyntaxError(`has the range ${first}-${last}, which is the wrong way round`);
  return [first.charCodeAt(0), last.charCodeAt(0)];
}

function readSetCharacter(reader: Reader): string {
  const character = reader.pattern.charAt(reader.at++);
  if (character === '') throw new GlobSyntaxError('has a [ without ]');
  return character === '\\' ? readEscaped(reader) : character;
}
