import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSkeleton } from './skeleton.ts';

const table = [
  ['main-abc1234-100', 'main-@-#', '100'],
  ['main-gabc1234', 'main-@', ''],
  ['build-x', 'build-x', ''],
  ['web_x12.3y4', 'web_x#.#y#', '12 3 4'],
  ['a-9007199254740993', 'a-#', '9007199254740993'],
  ['007', '#', '7'],
  ['1234567', '#', '1234567'],
  ['', '', ''],
  ['--', '--', ''],
] as const;

describe('core/skeleton', () => {
  for (const [text, shape, numbers] of table) {
    it(`sees "${text}" as ${shape} with ${numbers || 'no numbers'}`, () => {
      const skeleton = readSkeleton(text);
      assert.deepEqual([skeleton.shape, skeleton.numbers.join(' ')], [shape, numbers]);
    });
  }
});
