const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
/** What is shorter cannot hurt. */
export const harmlessBytes = 64 * 1024;
/** Far more than any registry answers; a parser would need many times the text's size for what lies beyond. */
const limits = { depth: 64, containers: 500_000, values: 1_100_000 };

/** A JSON object from the outside; undefined when the bytes are none, or when they are built to hurt (depth, number of values). */
export function parseJsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  if (!isModest(body)) return undefined;
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    // The parser's message quotes the text, which may hold a token.
    return undefined;
  }
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Is this no text that is built to hurt? Counts brackets and commas outside strings. */
export function isModest(body: Buffer): boolean {
  if (body.length <= harmlessBytes) return true;
  let [depth, containers, values] = [0, 0, 0];
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) at = endOfString(body, at);
    else if (byte === comma) {
      if (++values > limits.values) return false;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limits.depth || ++containers > limits.containers) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}

/** The closing quote of the string that begins there; the length of the text where there is none. */
export function endOfString(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === backslash) at++;
    else if (body[at] === quote) return at;
  }
  return body.length;
}
