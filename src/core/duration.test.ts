import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatTime, parseDuration, parseTime } from './duration.ts';

describe('core/duration', () => {
  const durations: readonly (readonly [string, number | undefined])[] = [
    ['300', 300_000],
    ['0', 0],
    ['90s', 90_000],
    ['5m', 300_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    [' 60 ', 60_000],
    ['007', 7000],
    ['36500d', 3_153_600_000_000],
    ['9999999999d', 3_153_600_000_000],
    ['', undefined],
    [' ', undefined],
    ['-5', undefined],
    ['+5', undefined],
    ['1.5h', undefined],
    ['1h30m', undefined],
    ['5 m', undefined],
    ['5M', undefined],
    ['5min', undefined],
    ['1w', undefined],
    ['soon', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['Infinity', undefined],
    ['12345678901', undefined],
    ['٣', undefined],
  ];
  for (const [text, ms] of durations) {
    it(`${JSON.stringify(text)} is ${ms === undefined ? 'no duration' : `${ms} ms`}`, () => assert.equal(parseDuration(text), ms));
  }

  const texts: readonly (readonly [number, string])[] = [
    [0, '0 s'],
    [-5, '0 s'],
    [1, '1 s'],
    [90_000, '90 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [300_000, '5 min'],
    [7_200_000, '2 h'],
    [9_000_000, '2 h 30 min'],
  ];
  for (const [ms, text] of texts) it(`${ms} ms reads ${text}`, () => assert.equal(formatDuration(ms), text));

  for (const ms of [8.64e15 + 1, 1e18, Infinity]) {
    it(`the time ${ms} is written as the last one that there is`, () => assert.equal(formatTime(ms), '9999-12-31T23:59:59Z'));
  }

  const times: readonly (readonly [string, string | undefined])[] = [
    ['2026-01-15T10:00:00Z', '2026-01-15T10:00:00Z'],
    ['2026-01-15T10:00:00.123456Z', '2026-01-15T10:00:00Z'],
    ['2026-01-15t10:00:00z', '2026-01-15T10:00:00Z'],
    ['2026-01-15 10:00:00Z', '2026-01-15T10:00:00Z'],
    ['2026-01-15T11:00:00+01:00', '2026-01-15T10:00:00Z'],
    ['2026-01-15T04:30:00-05:30', '2026-01-15T10:00:00Z'],
    ['2026-01-15T10:00:00', undefined],
    ['2026-01-15', undefined],
    ['2026-13-15T10:00:00Z', undefined],
    ['2026-01-15T25:00:00Z', undefined],
    ['1768471200', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ];
  for (const [text, same] of times) {
    it(`${JSON.stringify(text)} is ${same ?? 'no time'}`, () => {
      const ms = parseTime(text);
      assert.equal(ms === undefined ? undefined : formatTime(ms), same);
    });
  }

  it('a time that was written reads as the same second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
        assert.equal(parseTime(formatTime(seconds * 1000 + 999)), seconds * 1000);
      }),
    );
  });
});
