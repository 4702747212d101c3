import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultAutorolloutSettings } from './autorollout-settings.ts';
import { formatSchedule, nextRun, parseCron, type Schedule } from './schedule.ts';

// 2026-01-15 is a Thursday.
const now = Date.parse('2026-01-15T10:00:07.500Z');

function aCron(expression: string, timeZone = 'UTC'): Schedule {
  const result = parseCron(expression, timeZone);
  return 'schedule' in result ? result.schedule : assert.fail(result.invalid);
}

const matches: readonly [what: string, expression: string, next: string, timeZone?: string][] = [
  ['every 45th second', '*/45 * * * * *', '2026-01-15T10:00:45Z'],
  ['six fields', '30 15 10 * * *', '2026-01-15T10:15:30Z'],
  ['seven fields: with a year', '0 0 0 1 1 * 2028', '2028-01-01T00:00:00Z'],
  ['a range of years', '0 0 0 1 1 * 2027-2029', '2027-01-01T00:00:00Z'],
  ['five fields: minute first', '*/5 * * * *', '2026-01-15T10:05:00Z'],
  ['white space around and between', '  0   0 * * *  ', '2026-01-16T00:00:00Z'],
  ['@yearly', '@yearly', '2027-01-01T00:00:00Z'],
  ['@annually', '@annually', '2027-01-01T00:00:00Z'],
  ['@monthly', '@monthly', '2026-02-01T00:00:00Z'],
  ['@weekly', '@weekly', '2026-01-18T00:00:00Z'],
  ['@daily', '@daily', '2026-01-16T00:00:00Z'],
  ['@hourly', '@hourly', '2026-01-15T11:00:00Z'],
  ['L: the last day of the month', '0 0 0 L * *', '2026-01-31T00:00:00Z'],
  ['L in February', '0 0 0 L 2 *', '2026-02-28T00:00:00Z'],
  ['L after a weekday: the last Friday', '0 0 0 * * 5L', '2026-01-30T00:00:00Z'],
  ['#L: the last Friday', '0 0 0 * * FRI#L', '2026-01-30T00:00:00Z'],
  ['W: the working day nearest to the 15th of a Sunday', '0 0 0 15W 2 *', '2026-02-16T00:00:00Z'],
  ['LW: the last working day', '0 0 0 LW * *', '2026-01-30T00:00:00Z'],
  ['#: the second Friday', '0 0 0 * * FRI#2', '2026-02-13T00:00:00Z'],
  ['names of months', '0 0 0 1 mar,JUN *', '2026-03-01T00:00:00Z'],
  ['names of days', '0 0 0 * * mon-wed', '2026-01-19T00:00:00Z'],
  ['? as the day', '0 0 0 ? * MON', '2026-01-19T00:00:00Z'],
  ['? as the weekday', '0 0 0 20 * ?', '2026-01-20T00:00:00Z'],
  ['? with five fields', '0 0 ? * MON', '2026-01-19T00:00:00Z'],
  ['7 is Sunday', '0 0 0 * * 7', '2026-01-18T00:00:00Z'],
  ['0 is Sunday', '0 0 0 * * 0', '2026-01-18T00:00:00Z'],
  ['13th and Friday: both must match', '0 0 12 13 * FRI', '2026-02-13T12:00:00Z'],
  ['+ before a weekday: both must match too', '0 0 12 13 * +FRI', '2026-02-13T12:00:00Z'],
  ['a range with steps', '10-50/20 * * * * *', '2026-01-15T10:00:10Z'],
  ['29 February', '0 0 0 29 2 *', '2028-02-29T00:00:00Z'],
  ['a time zone', '0 30 2 * * *', '2026-01-16T01:30:00Z', 'Europe/Berlin'],
  ['a day that is another one there', '0 0 0 16 * *', '2026-01-15T11:00:00Z', 'Pacific/Auckland'],
  ['a match at this very moment is over', '7 0 10 15 1 *', '2027-01-15T10:00:07Z'],
];

const refused: readonly [what: string, expression: string, says: RegExp, timeZone?: string][] = [
  ['nothing', '', /"" has 0 fields; write six fields/],
  ['four fields', '* * * *', /has 4 fields/],
  ['eight fields', '* * * * * * * *', /has 8 fields/],
  ['a second that does not exist', '60 * * * * *', /Invalid value for second: 60; write six fields/],
  ['a step without a range', '5/10 * * * * *', /stepping/],
  ['an unknown name', '0 0 0 * * FRY', /"0 0 0 \* \* FRY"/],
  ['@reboot', '@reboot', /"@reboot" is no nickname/],
  ['a moment instead of an expression', '2026-01-16T00:00:00', /has 1 field;/],
  ['? outside of the days', '? * * * * *', /"\?" stands for any day/],
  ['? as the minute of five fields', '? * * * *', /"\?" stands for any day/],
  ['30 February', '0 0 0 30 2 *', /never matches/],
  ['an unknown zone', '@daily', /"Mars\/Phobos" is no time zone/, 'Mars/Phobos'],
  ['an empty zone', '@daily', /"" is no time zone/, ''],
];

describe('core/schedule', () => {
  for (const [what, expression, next, timeZone] of matches) {
    it(`${what}: ${JSON.stringify(expression)} is next at ${next}`, () => {
      assert.equal(new Date(nextRun(aCron(expression, timeZone), now)).toISOString(), new Date(next).toISOString());
    });
  }

  for (const [what, expression, says, timeZone = 'UTC'] of refused) {
    it(`refuses ${what}: ${JSON.stringify(expression)}`, () => {
      const result = parseCron(expression, timeZone);
      assert.match('invalid' in result ? result.invalid : 'was accepted', says);
    });
  }

  it('*/45 in the field of seconds runs at 0 and 45, 120 times an hour', () => {
    const { schedule } = defaultAutorolloutSettings;
    const times = [];
    for (let time = Date.parse('2026-01-15T09:59:59.999Z'); times.length < 120; ) times.push((time = nextRun(schedule, time)));
    assert.deepEqual([...new Set(times.map((time) => new Date(time).getUTCSeconds()))], [0, 45]);
    assert.equal(times.at(-1), Date.parse('2026-01-15T10:59:45Z'));
  });

  it('ticks that were missed are dropped: only the next one counts', () => {
    const hourly = aCron('@hourly');
    const due = nextRun(hourly, now);
    assert.equal(new Date(nextRun(hourly, due + 5 * 3_600_000 + 1)).toISOString(), '2026-01-15T17:00:00.000Z');
  });

  it('a year that is over never comes again', () => assert.equal(nextRun(aCron('0 0 0 1 1 * 2020'), now), Number.POSITIVE_INFINITY));

  it('an interval counts from the start, and drops what was missed', () => {
    const every45: Schedule = { kind: 'interval', everyMs: 45_000 };
    assert.equal(nextRun(every45, now), now + 45_000);
    assert.equal(nextRun(every45, now + 44_999, now), now + 45_000);
    assert.equal(nextRun(every45, now + 45_000, now), now + 90_000);
    assert.equal(nextRun(every45, now + 1_000_000, now), now + 1_035_000);
  });

  it('in the hour that is skipped in spring, a fixed time runs right after it', () => {
    const spring = Date.parse('2026-03-29T00:00:00Z');
    assert.equal(new Date(nextRun(aCron('0 30 2 * * *', 'Europe/Berlin'), spring)).toISOString(), '2026-03-29T01:00:00.000Z');
  });

  it('in the hour that comes twice in autumn, a fixed time runs once', () => {
    const schedule = aCron('0 30 2 * * *', 'Europe/Berlin');
    const first = nextRun(schedule, Date.parse('2026-10-24T22:00:00Z'));
    assert.equal(new Date(first).toISOString(), '2026-10-25T00:30:00.000Z');
    assert.equal(new Date(nextRun(schedule, first)).toISOString(), '2026-10-26T01:30:00.000Z');
  });

  it('is told in words', () => {
    assert.equal(formatSchedule(aCron('@daily')), '@daily (UTC)');
    assert.equal(formatSchedule({ kind: 'interval', everyMs: 45_000 }), 'every 45 s');
  });
});
