import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseStrictSemver } from './strict-semver.ts';

const table = [
  // text, candidate under strictSemver, version of a chart
  ['1.2.3', true, true],
  ['v1.2.3', true, true],
  ['1.2.3-0abc', true, true],
  ['1.2.3-0', true, true],
  ['1.2.3-x-y-z.--', true, true],
  ['1.2.3+build.007', true, true],
  ['1.2.3-rc.1+b', true, true],
  ['18446744073709551615.0.0', true, true],
  ['1.2.3-99999999999999999999999', true, true],
  ['01.1.1', true, false],
  ['2024.01.15', true, false],
  ['18446744073709551616.0.0', false, false],
  ['1.0', false, false],
  ['1', false, false],
  ['v1.2-beta.5', false, false],
  ['1234567', false, false],
  ['1.2.3.4', false, false],
  ['1.0.0-alpha..1', false, false],
  ['1.2.3-beta.01', false, false],
  ['1.2.3-00', false, false],
  ['V1.2.3', false, false],
  ['vv1.2.3', false, false],
  ['1.2.3-', false, false],
  ['1.2.3+', false, false],
  ['1.2.3+a+b', false, false],
  ['1.2.3-a_b', false, false],
  ['1.2.3p', false, false],
  ['1.2.3 ', false, false],
  ['1.2.x', false, false],
  ['', false, false],
] as const;

describe('core/strict-semver', () => {
  for (const [text, candidate, chart] of table) {
    it(`"${text}" is ${candidate ? 'a' : 'no'} strict version and ${chart ? 'a' : 'no'} version of a chart`, () => {
      assert.equal(parseStrictSemver(text, { leadingZeros: true }) !== undefined, candidate);
      assert.equal(parseStrictSemver(text, { leadingZeros: false }) !== undefined, chart);
    });
  }

  it('keeps the text and reads the parts', () => {
    const tag = parseStrictSemver('v1.2.3-rc.1+b', { leadingZeros: false })!;
    assert.deepEqual([tag.text, tag.v, tag.core, tag.pre?.identifiers, tag.build], ['v1.2.3-rc.1+b', 'v', [1n, 2n, 3n], ['rc', 1n], 'b']);
  });
});
