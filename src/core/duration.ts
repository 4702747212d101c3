const unitMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A hundred years: for ever. What is added to a time must still give a time. */
const longestMs = 36_500 * 86_400_000;
const lastTimeMs = Date.UTC(9999, 11, 31, 23, 59, 59);

/** What {@link parseDuration} accepts, for error messages. */
export const durationForm = 'a whole number of seconds, or a number with a unit: 90s, 5m, 6h, 7d';

/** `300`, `90s`, `5m`, `6h`, `7d` → milliseconds, at most a hundred years; undefined for anything else. Zero is accepted, negative numbers are not. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,10})([smhd]?)$/.exec(text.trim());
  if (!match) return undefined;
  const unit = unitMs[match[2] ?? ''];
  return unit === undefined ? undefined : Math.min(Number(match[1]) * unit, longestMs);
}

/** Milliseconds as a short text for people: `90 s`, `5 min`, `2 h 30 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Milliseconds since the epoch → RFC 3339 in UTC without fractions, the form of Kubernetes and of our annotations. */
export function formatTime(ms: number): string {
  return new Date(Math.min(ms, lastTimeMs)).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** RFC 3339 with any offset → milliseconds since the epoch; undefined when it is no such time. */
export function parseTime(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text)) return undefined;
  const ms = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms;
}
