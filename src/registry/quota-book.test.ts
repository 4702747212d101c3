import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createQuotaBook } from './quota-book.ts';

const quota = (remaining: number, more: object = {}) => ({ remaining, limit: 100, countsPulls: true, ...more });

const table = [
  // what was said, how long ago, is it scarce
  [quota(9), 0, true],
  [quota(10), 0, false],
  [quota(0), 0, true],
  [{ remaining: 0, countsPulls: true }, 0, false],
  [quota(9), 6 * 3_600_000, false],
  [quota(9, { windowMs: 60_000 }), 59_999, true],
  [quota(9, { windowMs: 60_000 }), 60_000, false],
  [quota(9, { resetMs: 1_000, windowMs: 60_000 }), 1_000, false],
  [quota(9, { windowMs: 1e15 }), 6 * 3_600_000, false],
  [quota(9), -7 * 3_600_000, false],
] as const;

describe('registry/quota-book', () => {
  for (const [said, agoMs, isScarce] of table) {
    it(`${JSON.stringify(said)} ${agoMs} ms ago is ${isScarce ? 'scarce' : 'enough, or forgotten'}`, () => {
      const book = createQuotaBook();
      book.record('me', said, 1e12);
      assert.equal(book.scarce('me', 1e12 + agoMs) !== undefined, isScarce);
      assert.equal(book.scarce('somebody else', 1e12 + agoMs), undefined);
    });
  }

  it('shows who has the least left', () => {
    const book = createQuotaBook();
    assert.equal(book.lowest(0), undefined);
    for (const [asker, remaining] of [
      ['a', 50],
      ['b', 7],
      ['c', 60],
    ] as const)
      book.record(asker, quota(remaining), 0);
    assert.equal(book.lowest(0)?.remaining, 7);
    book.record('b', quota(90), 0);
    assert.equal(book.lowest(0)?.remaining, 50);
  });

  it('remembers a bounded number of askers', () => {
    const book = createQuotaBook();
    for (let asker = 0; asker < 1_000; asker++) book.record(String(asker), quota(asker), 0);
    assert.equal(book.lowest(0)?.remaining, 800);
  });
});
