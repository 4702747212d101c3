import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isCommitHash, isHashSegment } from './commit-hash.ts';

const table = [
  // text, hash, hash as a segment
  ['abc1234', true, true],
  ['0a1b2c3', true, true],
  ['a1'.repeat(20), true, true],
  [`${'a1'.repeat(20)}0`, false, false],
  ['abc123', false, false],
  ['1234567', false, false],
  ['abcdefa', false, false],
  ['ABC1234', false, false],
  ['gabc1234', false, true],
  ['g1234567', false, true],
  ['g123456', false, false],
  ['abc123z', false, false],
] as const;

describe('core/commit-hash', () => {
  for (const [text, hash, segment] of table) {
    it(`${text} is ${hash ? 'a hash' : segment ? 'a hash after git describe' : 'no hash'}`, () => {
      assert.deepEqual([isCommitHash(text), isHashSegment(text)], [hash, segment]);
    });
  }
});
