import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareTags, differingLevel } from './order.ts';
import { parseStrictSemver } from './strict-semver.ts';
import { parseTag, type Tag } from './tag.ts';

const table = [
  // lower or equal, relation, higher or equal
  ['1.2.3', '<', '1.2.4'],
  ['1.9.9', '<', '1.10.0'],
  ['1.2.3', '=', 'v1.2.3'],
  ['1.2.3', '=', '1.02.3'],
  ['1.2.3', '=', '1.2.3+b'],
  ['1.2.3-abc1234', '=', '1.2.3-def5678'],
  ['1.2.3-rc1', '<', '1.2.3'],
  ['1.2.3-rc1', '<', '1.2.3-rc2'],
  ['1.2.3-rc9', '<', '1.2.3-rc10'],
  ['1.2.3-beta9', '<', '1.2.3-rc1'],
  ['1.2.3-a1', '=', '1.2.3-alpha1'],
  ['3.0.0-M2', '<', '3.0.0-RC1'],
  ['1.2.3-r4', '<', '1.2.3-r5'],
  ['1.2.3-r9', '<', '1.2.3-r10'],
  ['1.2.3-rc1-r9', '<', '1.2.3-r1'],
  ['1.1.1v', '<', '1.1.1w'],
  ['1.1.1z', '<', '1.1.2a'],
  ['9.8p1', '<', '9.8p2'],
  ['2024-01-31', '<', '2024-02-01'],
  ['1606234201', '<', '1606364286'],
  ['9007199254740992.0.0', '<', '9007199254740993.0.0'],
  ['1.2.3.4', '<', '1.2.4.0'],
] as const;

describe('core/order', () => {
  for (const [a, relation, b] of table) {
    it(`${a} ${relation} ${b}`, () => {
      const [left, right] = [aTag(a), aTag(b)];
      assert.equal(left.family, right.family);
      const expected = relation === '<' ? -1 : 0;
      assert.equal(Math.sign(compareTags(left, right)), expected);
      assert.equal(Math.sign(compareTags(right, left)), expected === 0 ? 0 : 1);
    });
  }

  const strict = [
    ['4.2.0-beta', '<', '4.2.0-beta.2'],
    ['4.2.0-beta.2', '<', '4.2.0'],
    ['1.2.0+bar', '=', '1.2.0+baz'],
    ['1.0.0-beta.4', '<', '1.0.0-beta.-2'],
    ['1.0.0-rc.1', '<', '1.0.0-wip'],
  ] as const;
  for (const [a, relation, b] of strict) {
    it(`${a} ${relation} ${b} under strict SemVer`, () => {
      const [left, right] = [parseStrictSemver(a, { leadingZeros: true })!, parseStrictSemver(b, { leadingZeros: true })!];
      assert.equal(Math.sign(compareTags(left, right)), relation === '<' ? -1 : 0);
    });
  }

  const levels = [
    ['1.2.3', '2.2.3', 0],
    ['1.2.3', '1.3.3', 1],
    ['1.2.3', '1.2.4', 2],
    ['1.2.3.4', '1.2.3.5', 3],
    ['1.2.3', '1.2.3-rc1', undefined],
    ['1.2', '1.2.0', undefined],
    ['1.2', '1.2.1', 2],
  ] as const;
  for (const [a, b, level] of levels) {
    it(`${a} and ${b} differ first at ${level}`, () => assert.equal(differingLevel(aTag(a).core, aTag(b).core), level));
  }
});

function aTag(text: string): Tag {
  const tag = parseTag(text);
  assert.ok(tag);
  return tag;
}
