import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRetryAfter } from './retry-after.ts';

const now = Date.parse('2026-01-15T10:00:00Z');
const table = [
  // header, wait
  [undefined, undefined],
  ['', undefined],
  ['0', undefined],
  ['5', 5_000],
  [' 120 ', 120_000],
  ['999999', 999_999_000],
  ['999999999999999', 365 * 24 * 3_600_000],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['Thu, 15 Jan 2026 10:00:30 GMT', 30_000],
  ['Thu, 15 Jan 2026 09:00:00 GMT', undefined],
  ['Thu, 99 Jan 2026', undefined],
] as const;

describe('registry/retry-after', () => {
  for (const [header, waitMs] of table) {
    it(`${header ?? 'no header'} means ${waitMs ?? 'nothing'}`, () => assert.equal(parseRetryAfter(header, now), waitMs));
  }
});
