/** A compiled pattern for whole tags. Matching takes time linear in the text, whatever the pattern. */
export interface Glob {
  readonly text: string;
  matches(text: string): boolean;
}

/** One character of the pattern: itself, any (`?`), any run (`*`), or a set (`[a-z]`). */
type Token = string | typeof anyCharacter | typeof anyRun | CharacterSet;
const anyCharacter: unique symbol = Symbol('?');
const anyRun: unique symbol = Symbol('*');

interface CharacterSet {
  readonly negated: boolean;
  readonly ranges: readonly (readonly [string, string])[];
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
    return { text: pattern, matches: (text) => alternatives.some((tokens) => matchesTokens(tokens, text)) };
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
function readAlternatives(reader: Reader): Token[][] {
  let alternatives: Token[][] = [[]];
  while (reader.at < reader.pattern.length) {
    const character = reader.pattern.charAt(reader.at);
    if (reader.depth > 0 && (character === ',' || character === '}')) break;
    reader.at++;
    const next: Token[][] = character === '{' ? readGroup(reader) : [[readToken(character, reader)]];
    alternatives = alternatives.flatMap((head) => next.map((tail) => [...head, ...tail]));
    if (alternatives.length > maximumAlternatives) throw new GlobSyntaxError(`has more than ${maximumAlternatives} alternatives`);
  }
  return alternatives;
}

function readGroup(reader: Reader): Token[][] {
  reader.depth++;
  const alternatives: Token[][] = [];
  for (;;) {
    alternatives.push(...readAlternatives(reader));
    const character = reader.pattern.charAt(reader.at++);
    if (character === '') throw new GlobSyntaxError('has a { without }');
    if (character === '}') break;
  }
  reader.depth--;
  return alternatives;
}

function readToken(character: string, reader: Reader): Token {
  if (character === '*') return anyRun;
  if (character === '?') return anyCharacter;
  if (character === '[') return readSet(reader);
  if (character === '\\') return readEscaped(reader);
  if (character === '}' || character === ']') throw new GlobSyntaxError(`has a ${character} that nothing opened; write \\${character}`);
  return character;
}

function readEscaped(reader: Reader): string {
  if (reader.at >= reader.pattern.length) throw new GlobSyntaxError('ends with a \\ that escapes nothing');
  return reader.pattern.charAt(reader.at++);
}

function readSet(reader: Reader): CharacterSet {
  const negated = reader.pattern.charAt(reader.at) === '!';
  if (negated) reader.at++;
  // In other dialects this negates; here it would silently match the opposite.
  if (reader.pattern.charAt(reader.at) === '^') throw new GlobSyntaxError('negates a set with ^; write [!…]');
  const ranges: (readonly [string, string])[] = [];
  while (reader.pattern.charAt(reader.at) !== ']') ranges.push(readRange(reader));
  reader.at++;
  if (ranges.length === 0) throw new GlobSyntaxError('has an empty set []');
  return { negated, ranges };
}

function readRange(reader: Reader): readonly [string, string] {
  const first = readSetCharacter(reader);
  const isRange = reader.pattern.charAt(reader.at) === '-' && reader.pattern.charAt(reader.at + 1) !== ']';
  if (!isRange) return [first, first];
  reader.at++;
  const last = readSetCharacter(reader);
  if (last < first) throw new GlobSyntaxError(`has the range ${first}-${last}, which is the wrong way round`);
  return [first, last];
}

function readSetCharacter(reader: Reader): string {
  const character = reader.pattern.charAt(reader.at++);
  if (character === '') throw new GlobSyntaxError('has a [ without ]');
  return character === '\\' ? readEscaped(reader) : character;
}

/** Two pointers and one point to come back to: the last `*`. An earlier one never needs to grow again. */
function matchesTokens(tokens: readonly Token[], text: string): boolean {
  let token = 0;
  let at = 0;
  let starToken = -1;
  let starAt = 0;
  while (at < text.length) {
    const expected = tokens[token];
    if (expected === anyRun) {
      starToken = token++;
      starAt = at;
    } else if (expected !== undefined && matchesCharacter(expected, text.charAt(at))) {
      token++;
      at++;
    } else if (starToken >= 0) {
      token = starToken + 1;
      at = ++starAt;
    } else return false;
  }
  while (tokens[token] === anyRun) token++;
  return token === tokens.length;
}

function matchesCharacter(expected: Exclude<Token, typeof anyRun>, character: string): boolean {
  if (typeof expected === 'string') return expected === character;
  if (expected === anyCharacter) return true;
  return expected.ranges.some(([first, last]) => character >= first && character <= last) !== expected.negated;
}
