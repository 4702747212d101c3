const quote = 0x22;
const backslash = 0x5c;
/** Far more than any registry answers; a parser would need a hundred times the text's size for what lies beyond. */
const maximumDepth = 64;
const maximumContainers = 500_000;

/** A JSON object from the outside; undefined when the bytes are none, or when they are built to hurt (depth, number of objects). */
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

/** Counts brackets outside strings. */
function isModest(body: Buffer): boolean {
  let [depth, containers] = [0, 0];
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) at = endOfString(body, at);
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maximumDepth || ++containers > maximumContainers) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}

function endOfString(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === backslash) at++;
    else if (body[at] === quote) return at;
  }
  return body.length;
}
