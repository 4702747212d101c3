/** Stand-ins for `${NAME}` in a text that has yet to be parsed, so that what a variable holds can never change its structure. */
export interface Placeholders {
  /** The text to parse; it has the same lines. */
  readonly text: string;
  fill(piece: string): Filled;
}

/** A parsed piece of the text with the values put in. */
export interface Filled {
  readonly text: string;
  /** As it was written: for messages, which must not repeat what a variable holds. */
  readonly written: string;
  readonly substituted: boolean;
  /** Names that have no value. */
  readonly missing: readonly string[];
}

export type Variables = Readonly<Record<string, string | undefined>>;

// The name is taken verbatim: there is no form with a default, no escape, and values are not looked at again.
const placeholder = /\$\{([^}\r\n]+)\}/g;
const firstPrivate = 0xe000;
const lastPrivate = 0xf8ff;

/** Finds every `${NAME}`. With `variables` undefined nothing is replaced, and each placeholder counts as missing. */
export function findPlaceholders(source: string, variables: Variables | undefined): Placeholders {
  const mark = unusedCharacter(source);
  const names: string[] = [];
  const text = source.replace(placeholder, (_match, name: string) => `${mark}${names.push(name) - 1}${mark}`);
  const filler = new RegExp(`${mark}(\\d+)${mark}`, 'g');

  function fill(piece: string): Filled {
    if (!piece.includes(mark)) return { text: piece, written: piece, substituted: false, missing: [] };
    const missing: string[] = [];
    const filled = piece.replace(filler, (_match, index: string) => {
      const name = names[Number(index)] ?? '';
      const value = variables !== undefined && Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value === undefined) missing.push(name);
      return value ?? `\${${name}}`;
    });
    const written = piece.replace(filler, (_match, index: string) => `\${${names[Number(index)] ?? ''}}`);
    return { text: filled, written, substituted: true, missing };
  }

  return { text, fill };
}

/** A character for private use that YAML allows in a plain scalar and the source does not have. */
function unusedCharacter(source: string): string {
  for (let code = firstPrivate; code <= lastPrivate; code++) {
    const character = String.fromCharCode(code);
    if (!source.includes(character)) return character;
  }
  throw new RangeError('the text has every private character');
}
