/** What a registry says of its limit in the headers of an answer. */
export interface Quota {
  /** Requests that are left, never below 0. */
  readonly remaining: number;
  readonly limit?: number | undefined;
  /** Length of the window that the limit is for. */
  readonly windowMs?: number | undefined;
  /** Until there are more. */
  readonly resetMs?: number | undefined;
  /** Manifests are what is counted, not requests (`docker-ratelimit-source`). */
  readonly countsPulls: boolean;
}

type Headers = Readonly<Record<string, string>>;

/**
 * Reads `RateLimit-Limit` and `RateLimit-Remaining` (with Docker Hub's `;w=21600`), `RateLimit` with `RateLimit-Policy` of the IETF drafts,
 * and `X-RateLimit-*`. Total: what cannot be read says nothing. Of several limits the one with the least left counts.
 */
export function readQuota(headers: Headers, nowMs: number): Quota | undefined {
  const found = bySeparateHeaders(headers, nowMs) ?? byOneHeader(headers, nowMs) ?? byOldHeaders(headers, nowMs);
  return found && { ...found, countsPulls: headers['docker-ratelimit-source'] !== undefined };
}

type Found = Omit<Quota, 'countsPulls'>;

function bySeparateHeaders(headers: Headers, nowMs: number): Found | undefined {
  const remaining = least(itemsOf(headers['ratelimit-remaining']), ({ value }) => count(value));
  if (!remaining) return undefined;
  const limits = itemsOf(headers['ratelimit-limit']);
  const window = remaining.item.parameters.get('w');
  const limit = limits.find(({ parameters }) => parameters.get('w') === window) ?? limits[0];
  return {
    remaining: remaining.number,
    limit: count(limit?.value),
    windowMs: inMs(count(window ?? limit?.parameters.get('w'))),
    resetMs: untilReset(headers['ratelimit-reset'], nowMs),
  };
}

/** `"default";r=50;t=30`, or in an older draft `limit=100, remaining=50, reset=5`. */
function byOneHeader(headers: Headers, nowMs: number): Found | undefined {
  const items = itemsOf(headers['ratelimit']);
  const current = least(items, ({ parameters }) => count(parameters.get('r')));
  if (current) {
    const policies = itemsOf(headers['ratelimit-policy']);
    const policy = policies.find(({ value }) => value === current.item.value)?.parameters;
    return {
      remaining: current.number,
      limit: count(policy?.get('q')),
      windowMs: inMs(count(policy?.get('w'))),
      resetMs: untilReset(current.item.parameters.get('t'), nowMs),
    };
  }
  const named = new Map(items.map(({ value }) => splitPair(value)));
  const remaining = count(named.get('remaining'));
  return remaining === undefined
    ? undefined
    : { remaining, limit: count(named.get('limit')), resetMs: untilReset(named.get('reset'), nowMs), windowMs: undefined };
}

function byOldHeaders(headers: Headers, nowMs: number): Found | undefined {
  const remaining = count(headers['x-ratelimit-remaining']);
  if (remaining === undefined) return undefined;
  const resetMs = untilReset(headers['x-ratelimit-reset'], nowMs);
  return { remaining, limit: count(headers['x-ratelimit-limit']), resetMs, windowMs: undefined };
}

const firstTimestamp = 1_000_000_000;

/** A number of seconds, or (GitHub, GitLab) a time in seconds since 1970. */
function untilReset(text: string | undefined, nowMs: number): number | undefined {
  const reset = count(text);
  return reset !== undefined && reset > firstTimestamp ? Math.max(0, reset * 1000 - nowMs) : inMs(reset);
}

interface Item {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const longestHeader = 1_000;

function itemsOf(header: string | undefined): readonly Item[] {
  return (header ?? '')
    .slice(0, longestHeader)
    .split(',')
    .map((text) => {
      const [value = '', ...parameters] = text.split(';').map((part) => part.trim());
      return { value, parameters: new Map(parameters.map(splitPair)) };
    });
}

function splitPair(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text.toLowerCase(), ''] : [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

function least(items: readonly Item[], numberOf: (item: Item) => number | undefined): { item: Item; number: number } | undefined {
  let found: { item: Item; number: number } | undefined;
  for (const item of items) {
    const number = numberOf(item);
    if (number !== undefined && (found === undefined || number < found.number)) found = { item, number };
  }
  return found;
}

function count(text: string | undefined): number | undefined {
  const digits = /^\s*(-?)(\d{1,12})(?:\.\d*)?\s*$/.exec(text ?? '');
  return digits ? (digits[1] === '-' ? 0 : Number(digits[2])) : undefined;
}

function inMs(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
