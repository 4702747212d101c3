import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareSkeletons, readSkeleton } from './skeleton.ts';

const table = [
  ['main-abc1234-100', 'main-@-#', '100'],
  ['main-gabc1234', 'main-@', ''],
  ['build-x', 'build-x', ''],
  ['web_x12.3y4', 'web_x#.#y#', '12 3 4'],
  ['a-9007199254740993', 'a-#', '9007199254740993'],
  ['007', '#', '7'],
  ['a0.00', 'a#.#', '0 0'],
  ['é1-ß', 'é#-ß', '1'],
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

  const orders = [
    ['a9', 'a10', -1],
    ['a10', 'a9', 1],
    ['a1.2', 'a1.10', -1],
    ['a2.1', 'a1.10', 1],
    ['a07', 'a7', 0],
    ['a0', 'a1', -1],
    ['x9007199254740993', 'x9007199254740992', 1],
  ] as const;
  for (const [a, b, sign] of orders) {
    it(`${a} against ${b} is ${sign}`, () => assert.equal(Math.sign(compareSkeletons(readSkeleton(a), readSkeleton(b))), sign));
  }
});
