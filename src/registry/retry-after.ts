const longestMs = 365 * 24 * 3_600_000;

/** Milliseconds that a `Retry-After` header asks for (seconds or HTTP date); undefined when it asks for nothing that lies ahead. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : /^[A-Za-z]{3}/.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return waitMs > 0 ? Math.min(waitMs, longestMs) : undefined;
}
