/** What must not stand in a log line, by the name of the member and by the look of the text. */

const censored = '[redacted]';
const secretNames =
  /^(authorization|proxy-?authorization|cookie|set-cookie|password|passwd|(access_?|refresh_?|identity_?|registry_?|id_?)?token|(client_?)?secret|api_?key|\.?dockerconfigjson|\.?dockercfg)$/i;
// Texts are other people's: no pattern may look at one stretch again from every place in it.
const patterns: readonly [RegExp, string | ((match: string) => string)][] = [
  [/:\/\/[^/\s@"']+@/g, `://${censored}@`],
  [/\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${censored}`],
  [/([?&](?:[a-z0-9_.-]*(?:token|signature|secret|password|credential|apikey)|sig|key|code)=)[^&\s"']+/gi, `$1${censored}`],
  // Without its dots it is no token, but taken as a whole all the same.
  [/\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*)?/g, (match) => (match.includes('.') ? censored : match)],
];
const maximumDepth = 6;
const maximumText = 8 * 1024;
const maximumItems = 200;

/** The text without credentials in URLs, `Authorization` values and tokens, and cut to 8 KiB. */
export function redactText(text: string): string {
  let result = text.length > maximumText ? `${text.slice(0, maximumText)}…` : text;
  for (const [pattern, replacement] of patterns) {
    result = typeof replacement === 'string' ? result.replace(pattern, replacement) : result.replace(pattern, replacement);
  }
  return result;
}

/** A copy fit for a log line: members with secret names are censored, texts redacted, errors made plain, depth and length bounded. */
export function redactFields(fields: object): Record<string, unknown> {
  return members(fields, 0);
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maximumDepth) return '[…]';
  if (value instanceof Error) return plainError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return members(Object.fromEntries(value), depth);
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, maximumItems).map((item) => plain(item, depth + 1));
  return members(value, depth);
}

function members(value: object, depth: number): Record<string, unknown> {
  const entries = Object.entries(value)
    .slice(0, maximumItems)
    .map(([name, member]) => [name, secretNames.test(name) && member !== undefined ? censored : plain(member, depth + 1)]);
  return Object.fromEntries(entries);
}

/** The stack only of what is a bug; expected failures (those with a `retry`) are told by their code and message. */
function plainError(error: Error, depth: number): Record<string, unknown> {
  const isExpected = 'retry' in error;
  return {
    name: error.name,
    ...('code' in error ? { code: plain(error.code, depth + 1) } : {}),
    message: redactText(error.message),
    ...(isExpected || error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) }),
  };
}
