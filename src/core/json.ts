/** JSON from outside: bounded depth and number of values, no keys that reach a prototype. */

const maximumDepth = 64;
/** Far more than any sender has to say; parsing a flood of tiny values would hold up everything else for seconds. */
const maximumValues = 200_000;

/** Parses a JSON text. Total: an unusable text gives the sentence that says why. Members named `__proto__` are dropped. */
export function parseJson(text: string): { readonly value: unknown } | { readonly invalid: string } {
  const { depth, values } = measure(text);
  if (depth > maximumDepth) return { invalid: `the JSON is nested deeper than ${maximumDepth} levels` };
  if (values > maximumValues) return { invalid: `the JSON has more than ${maximumValues} values` };
  try {
    // The reviver costs time; a text without the name, escaped or not, does not need it.
    const value: unknown = /__proto__|\\u/i.test(text) ? JSON.parse(text, dropPrototype) : JSON.parse(text);
    return { value };
  } catch {
    return { invalid: 'the body is not JSON' };
  }
}

/** Is it a JSON object (not an array, not null)? */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of an object; undefined where there is no object, or it has no such member of its own. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** The member when it is a text that is not empty. */
export function textMember(value: unknown, name: string): string | undefined {
  const text = member(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function dropPrototype(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/** Deepest nesting of `{` and `[`, and the number of values as its commas tell it, outside of texts; counted before anything is built. */
function measure(text: string): { depth: number; values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  let inText = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inText) {
      if (code === backslash) index += 1;
      else if (code === quote) inText = false;
    } else if (code === quote) inText = true;
    else if (code === comma) values += 1;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
  return { depth: deepest, values };
}
