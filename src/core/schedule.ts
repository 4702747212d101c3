import { Cron } from 'croner';

/** When checks are due: at the matches of a cron expression in a time zone, or every so often. */
export type Schedule =
  | { readonly kind: 'cron'; readonly expression: string; readonly timeZone: string }
  | { readonly kind: 'interval'; readonly everyMs: number };

/** What {@link parseCron} accepts, for error messages. */
export const cronForm =
  'six fields "second minute hour day month weekday", seven with a year, five without seconds, or @hourly, @daily, @weekly, @monthly, @yearly';

const utc = 'UTC';
const nickname = /^@(yearly|annually|monthly|weekly|daily|hourly)$/i;
const dayFields = new Set([3, 5]);

const parsed = new WeakMap<Schedule, Cron>();

/**
 * A cron expression with five, six or seven fields, or a nickname → schedule, or the sentence that says what is wrong. Day of month and
 * day of week must both match.
 */
export function parseCron(text: string, timeZone: string): { readonly schedule: Schedule } | { readonly invalid: string } {
  const expression = text.trim().split(/\s+/).join(' ');
  if (!isTimeZone(timeZone)) return { invalid: `"${timeZone}" is no time zone; write an IANA name such as Europe/Berlin, or UTC` };
  const wrong = wrongForm(expression);
  if (wrong !== undefined) return { invalid: wrong };
  const schedule: Schedule = { kind: 'cron', expression, timeZone };
  try {
    // Before the first year of a seventh field nothing may be missed: any time long ago finds a match if there is one.
    const isEver = cronOf(schedule, expression, timeZone).nextRun(new Date(0)) !== null;
    return isEver ? { schedule } : { invalid: `"${expression}" never matches any day` };
  } catch (error) {
    return { invalid: `"${expression}": ${reasonOf(error)}; write ${cronForm}` };
  }
}

/** Is it the name of a time zone that this system knows? */
export function isTimeZone(name: string): boolean {
  if (name === utc) return true;
  try {
    return name !== '' && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/**
 * The first time after `now` (milliseconds since the epoch) at which a check is due; those that were missed are dropped. An interval counts
 * from `startedAt`. `Infinity` when an expression with a year will never match again.
 */
export function nextRun(schedule: Schedule, now: number, startedAt: number = now): number {
  if (schedule.kind === 'interval') {
    const turns = Math.floor(Math.max(0, now - startedAt) / schedule.everyMs) + 1;
    return startedAt + turns * schedule.everyMs;
  }
  const cron = parsed.get(schedule) ?? cronOf(schedule, schedule.expression, schedule.timeZone);
  return cron.nextRun(new Date(now))?.getTime() ?? Number.POSITIVE_INFINITY;
}

/** `0 0 * * * * (UTC)`, `every 45 s`: for people. */
export function formatSchedule(schedule: Schedule): string {
  return schedule.kind === 'interval' ? `every ${schedule.everyMs / 1000} s` : `${schedule.expression} (${schedule.timeZone})`;
}

function cronOf(schedule: Schedule, expression: string, timeZone: string): Cron {
  // UTC needs no table of time zones, which costs 5 MiB of memory. Paused and without a function: it computes, it never starts a timer.
  const zone = timeZone === utc ? { utcOffset: 0 } : { timezone: timeZone };
  const cron = new Cron(expression, { ...zone, paused: true, domAndDow: true });
  parsed.set(schedule, cron);
  return cron;
}

function wrongForm(expression: string): string | undefined {
  if (expression.startsWith('@')) return nickname.test(expression) ? undefined : `"${expression}" is no nickname; write ${cronForm}`;
  const fields = expression.split(' ');
  if (fields.length < 5 || fields.length > 7 || expression === '') {
    return `"${expression}" has ${expression === '' ? 0 : fields.length} ${fields.length === 1 && expression !== '' ? 'field' : 'fields'}; write ${cronForm}`;
  }
  const shift = fields.length === 5 ? 1 : 0;
  const questionable = fields.findIndex((field, index) => field.includes('?') && !dayFields.has(index + shift));
  return questionable === -1 ? undefined : `"${expression}": "?" stands for any day, in the fields day and weekday only`;
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/^Cron(Pattern|Date): /, '').replace(/\.$/, '');
}
