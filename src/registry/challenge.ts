/** One challenge of a `WWW-Authenticate` header. Scheme and parameter names are in lower case, values as sent. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly token68?: string;
}

/** What a registry asks for, reduced to what this client can do. */
export type AskedScheme =
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
      readonly error: string | undefined;
    }
  | { readonly kind: 'basic' }
  | { readonly kind: 'none' };

/** Why a header could not be read. Never quotes the header: it may hold a token. */
export interface InvalidChallenge {
  readonly invalid: string;
}

const maximumChallenges = 32;
const tokenPattern = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
// Ends where the challenge ends, otherwise it is the name of a parameter.
const token68Pattern = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const equalsPattern = /[ \t]*=[ \t]*/y;
const separatorPattern = /[ \t,]*/y;
const endPattern = /[ \t]*(?:,|$)/y;
const spacePattern = /[ \t]+/y;
const quotedPattern = /"((?:[^"\\]|\\.)*)"/y;
// Wider than the grammar: some servers send URLs without quotes.
const bareValuePattern = /[^\s",]*/y;

/** Reads all challenges of one or several headers (RFC 9110, 11.6.1). Total: every text gives challenges or the reason why not. */
export function parseChallenges(headers: string | readonly string[]): readonly Challenge[] | InvalidChallenge {
  const challenges: Challenge[] = [];
  for (const header of typeof headers === 'string' ? [headers] : headers) {
    const found = parseHeader(header);
    if ('invalid' in found) return found;
    challenges.push(...found);
  }
  return challenges;
}

/** Bearer where it names a realm, else Basic. A Bearer without realm leaves only Basic; Negotiate and the like are passed over. */
export function chooseScheme(challenges: readonly Challenge[]): AskedScheme {
  const bearers = challenges.filter(({ scheme }) => scheme === 'bearer');
  for (const { parameters } of bearers) {
    const realm = parameters.get('realm');
    if (realm) {
      return { kind: 'bearer', realm, service: parameters.get('service'), scope: parameters.get('scope'), error: parameters.get('error') };
    }
  }
  const basic = bearers.length > 0 || challenges.some(({ scheme }) => scheme === 'basic');
  return { kind: basic ? 'basic' : 'none' };
}

function parseHeader(header: string): Challenge[] | InvalidChallenge {
  const cursor = { text: header, at: 0 };
  const challenges: Challenge[] = [];
  take(cursor, separatorPattern);
  while (cursor.at < header.length) {
    const scheme = take(cursor, tokenPattern);
    if (scheme === undefined) return invalid(cursor, 'has no scheme where one is expected');
    if (challenges.length >= maximumChallenges) return invalid(cursor, 'has too many challenges');
    const challenge = parseChallenge(cursor, scheme.toLowerCase());
    if ('invalid' in challenge) return challenge;
    challenges.push(challenge);
    take(cursor, separatorPattern);
  }
  return challenges;
}

function parseChallenge(cursor: Cursor, scheme: string): Challenge | InvalidChallenge {
  const parameters = new Map<string, string>();
  if (take(cursor, spacePattern) === undefined) {
    return atEnd(cursor) ? { scheme, parameters } : invalid(cursor, 'has an unexpected character after a scheme');
  }
  const token68 = take(cursor, token68Pattern);
  // `Negotiate Basic realm=…` cannot occur: a scheme is separated from the next one by a comma.
  if (token68 !== undefined) return { scheme, parameters, token68 };
  for (;;) {
    const start = cursor.at;
    take(cursor, separatorPattern);
    const name = take(cursor, tokenPattern);
    if (name === undefined || take(cursor, equalsPattern) === undefined) {
      // A token without `=` is the next scheme; anything else is for the caller to refuse.
      cursor.at = start;
      if (name === undefined && !atEnd(cursor)) return invalid(cursor, 'has an unexpected character');
      return { scheme, parameters };
    }
    const value = takeValue(cursor);
    if (value === undefined) return invalid(cursor, 'has an unterminated quote');
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    if (!atEnd(cursor)) return invalid(cursor, 'has an unexpected character after a value');
  }
}

interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (!match || match[0] === '') return undefined;
  cursor.at = pattern.lastIndex;
  return match[0];
}

function takeValue(cursor: Cursor): string | undefined {
  if (cursor.text[cursor.at] !== '"') return take(cursor, bareValuePattern) ?? '';
  const quoted = take(cursor, quotedPattern);
  return quoted?.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}

/** Is the cursor at the end of a list element? */
function atEnd(cursor: Cursor): boolean {
  endPattern.lastIndex = cursor.at;
  return endPattern.test(cursor.text);
}

function invalid(cursor: Cursor, what: string): InvalidChallenge {
  return { invalid: `the WWW-Authenticate header ${what} (character ${cursor.at + 1} of ${cursor.text.length})` };
}
