import { endOfString, harmlessBytes, isModest, parseJsonObject } from './json.ts';

const [quote, colon, comma, open, close] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d];

/**
 * One member of a JSON object from the outside; undefined when the bytes are none. Of a long text only that member is built:
 * the list of tags of some registries stands beside ten times as much that nobody here reads.
 */
export function parseJsonMember(body: Buffer, name: string): { readonly value: unknown } | undefined {
  if (body.length <= harmlessBytes) {
    const object = parseJsonObject(body);
    return object && Object.hasOwn(object, name) ? { value: object[name] } : undefined;
  }
  const extent = isModest(body) ? extentOf(body, Buffer.from(JSON.stringify(name))) : undefined;
  if (!extent) return undefined;
  try {
    return { value: JSON.parse(body.toString('utf8', extent.start, extent.end)) };
  } catch {
    return undefined;
  }
}

interface Extent {
  readonly start: number;
  readonly end: number;
}

/** Where the value of that key stands; of several the last, as parsers have it. Undefined when this is not the outline of an object. */
function extentOf(body: Buffer, key: Buffer): Extent | undefined {
  let found: Extent | undefined;
  let at = afterSpace(body, 0);
  if (body[at] !== open) return undefined;
  do {
    const keyStart = afterSpace(body, at + 1);
    if (body[keyStart] !== quote) return undefined;
    const keyEnd = endOfString(body, keyStart) + 1;
    const separator = afterSpace(body, keyEnd);
    if (body[separator] !== colon) return undefined;
    const start = afterSpace(body, separator + 1);
    const end = endOfValue(body, start);
    if (body.subarray(keyStart, keyEnd).equals(key)) found = { start, end };
    at = afterSpace(body, end);
  } while (body[at] === comma);
  return body[at] === close && afterSpace(body, at + 1) === body.length ? found : undefined;
}

/** Behind the value that begins there; only brackets and strings are looked at. */
function endOfValue(body: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === quote) at = endOfString(body, at);
    else if (byte === open || byte === 0x5b) depth++;
    else if (byte === close || byte === 0x5d) {
      if (depth === 0) return at;
      depth--;
    } else if (byte === comma && depth === 0) return at;
  }
  return body.length;
}

function afterSpace(body: Buffer, start: number): number {
  let at = start;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return at;
}
