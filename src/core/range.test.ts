import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rangeVectors } from '../../test/vectors/range-vectors.ts';
import { parseRange, type Range, rangeAccepts } from './range.ts';
import { parseStrictSemver } from './strict-semver.ts';
import { parseTag } from './tag.ts';

const more: typeof rangeVectors = [
  { range: '=>1.2.3', accepts: ['1.2.3', '2.0.0'], refuses: ['1.2.2'] },
  { range: '=<1.2.3', accepts: ['1.2.3', '0.1.0'], refuses: ['1.2.4'] },
  { range: '~> 1.2', accepts: ['1.2.9'], refuses: ['1.3.0', '1.1.0'] },
  { range: '~1', accepts: ['1.0.0', '1.9.9'], refuses: ['2.0.0', '0.9.9'] },
  { range: '~*', accepts: ['0.0.0', '9.9.9'], refuses: [] },
  { range: '^*', accepts: ['0.0.0', '9.9.9'], refuses: [] },
  { range: '<=*', accepts: ['0.0.0', '9.9.9'], refuses: [] },
  { range: '>*', accepts: ['0.0.1'], refuses: ['0.0.0'] },
  { range: '!=*', accepts: ['0.0.1'], refuses: ['0.0.0'] },
  { range: '!=1', accepts: ['2.0.0', '0.1.0'], refuses: ['1.0.0', '1.5.0'] },
  { range: '!=1.2', accepts: ['1.3.0', '2.2.0'], refuses: ['1.2.0', '1.2.9'] },
  { range: '!=1.2-rc', accepts: ['1.2.0-beta', '1.2.0'], refuses: ['1.2.0-rc'] },
  { range: '!=1.2.3', accepts: ['1.2.4'], refuses: ['1.2.3'] },
  { range: '>1', accepts: ['2.0.0'], refuses: ['1.0.0', '1.9.9', '0.9.0'] },
  { range: '>1.2', accepts: ['1.3.0', '2.0.0'], refuses: ['1.2.0', '1.2.9', '0.3.0'] },
  { range: '<=2.1', accepts: ['2.1.9', '1.9.9'], refuses: ['2.2.0', '3.0.0'] },
  { range: '<=2', accepts: ['2.9.9'], refuses: ['3.0.0'] },
  { range: '<2', accepts: ['1.9.9'], refuses: ['2.0.0'] },
  { range: '^0', accepts: ['0.0.1', '0.9.9'], refuses: ['1.0.0'] },
  { range: '^0.2.3', accepts: ['0.2.3', '0.2.9'], refuses: ['0.2.2', '0.3.0', '1.2.3'] },
  { range: '^0.0.0', accepts: ['0.0.0'], refuses: ['0.0.1'] },
  { range: '^1', accepts: ['1.0.0', '1.9.9'], refuses: ['2.0.0'] },
  { range: '1.x.3', accepts: ['1.0.0', '1.9.9'], refuses: ['2.0.0'] },
  { range: 'X', accepts: ['1.0.0'], refuses: [] },
  { range: 'v1.2', accepts: ['1.2.9'], refuses: ['1.3.0'] },
  { range: '1.2.3', accepts: ['1.2.3', 'v1.2.3', '1.2.3+b'], refuses: ['1.2.4'] },
  { range: '01.2.03', accepts: ['1.2.3'], refuses: ['1.2.4'] },
  { range: '12.3.34 ~1.2.3', accepts: [], refuses: ['12.3.34', '1.2.3'] },
  { range: '1.x || >=3.0.0', accepts: ['1.9.0', '3.1.0'], refuses: ['2.5.0'] },
  { range: '1.1 - 2 !=1.5', accepts: ['1.4.9', '2.9.9'], refuses: ['1.5.1', '3.0.0', '1.0.9'] },
  { range: '1.1.0 - 2.0.0', accepts: ['1.1.0', '2.0.0'], refuses: ['2.0.1'] },
  { range: '>= 1.0, < 2.0', accepts: ['1.5.0'], refuses: ['2.0.0'] },
  { range: '2.x-0', accepts: ['2.1.0-rc.1', '2.0.0', '2.9.9'], refuses: ['3.0.0-rc.1', '1.9.9'] },
  { range: '>=1.0.0-0', accepts: ['1.5.0-rc.1', '9.0.0-a'], refuses: ['0.9.0'] },
  // The gate is that of the group, not of the core: npm would refuse the first.
  { range: '>1.0.0-0 <3', accepts: ['2.1.0-rc.1'], refuses: ['3.0.0'] },
  { range: '>=1.0.0-0 <2.0.0 || 3.x', accepts: ['1.5.0-a', '2.0.0-rc.1', '3.1.0'], refuses: ['3.1.0-a', '2.0.0'] },
  { range: '>=1.0.0-0 <2.0.0-0', accepts: ['1.5.0-a'], refuses: ['2.0.0-rc.1', '2.0.0'] },
  { range: '9007199254740993.0.0', accepts: ['9007199254740993.0.0'], refuses: ['9007199254740992.0.0'] },
];

const bad = [
  ['', 'empty'],
  ['   ', 'empty'],
  ['foo', 'no version'],
  ['1.0.0p', 'no version'],
  ['>= bar', 'no version'],
  ['1.xp', 'no version'],
  ['x1', 'no version'],
  ['1.2.3.4', 'no version'],
  ['>1<2', 'no version'],
  ['1.2.3>1', 'no version'],
  ['>', 'no version'],
  ['> =1', 'no version'],
  ['==1', 'no version'],
  ['!1', 'no version'],
  ['V1', 'no version'],
  ['1.2 -', 'no version'],
  ['1 - 2 - 3', 'no version'],
  ['>1 - 2', '^the range ">1 - 2" has ">1 - 2", where one side of " - " is no version but a comparison$'],
  ['1 - <=2', 'has "1 - <=2", where'],
  ['1,', 'comma'],
  [',1', 'comma'],
  ['1,,2', 'comma'],
  ['1 ||', 'empty group'],
  ['|| 1', 'empty group'],
  ['1 || || 2', 'empty group'],
  ['1.2.3-01', 'leading zero'],
  ['1.2.3-a..b', 'no version'],
  ['1.2.3-', 'no version'],
  ['18446744073709551616', 'over 64 bits'],
  [Array(33).fill('1').join('||'), 'more than 32 groups'],
  [`>=${'1'.repeat(511)}`, 'longer than 512 bytes'],
] as const;

describe('core/range', () => {
  for (const { range: text, allowPrerelease = false, accepts, refuses } of [...rangeVectors, ...more]) {
    it(`${text}${allowPrerelease ? ' with prereleases' : ''} accepts ${accepts.join(' ')}, refuses ${refuses.join(' ')}`, () => {
      const range = aRange(text);
      for (const version of accepts) assert.equal(isInside(range, version, allowPrerelease), true, version);
      for (const version of refuses) assert.equal(isInside(range, version, allowPrerelease), false, version);
    });
  }

  for (const [text, message] of bad) {
    it(`refuses the range "${text.slice(0, 30)}"`, () => {
      const range = parseRange(text);
      assert.ok('invalid' in range);
      assert.match(range.invalid, new RegExp(message));
    });
  }

  it('allows exactly 32 groups', () => assert.ok(!('invalid' in parseRange(Array(32).fill('1').join('||')))));

  // The variant is the family's business; missing numbers are 0; a fourth is not looked at; words are compared as text.
  const tags = [
    ['~1.2', '1.2.9-alpine', true],
    ['>=1.25', '1.25', true],
    ['=1.2.3', '1.2.3.9', true],
    ['>1.2.3', '1.2.3.9', false],
    ['>=1.2.3-alpha', '1.2.3-rc1', true],
    ['>=1.2.3-alpha', '1.2.3-RC1', false],
    ['>=2024.1', '2024.01.15', true],
  ] as const;
  for (const [text, tag, expected] of tags) {
    it(`${text} ${expected ? 'accepts' : 'refuses'} the tag ${tag}`, () => {
      const { core, pre } = parseTag(tag)!;
      assert.equal(rangeAccepts(aRange(text), { core, pre: pre?.identifiers ?? [] }, { allowPrerelease: false }), expected);
    });
  }

  const warnings = [
    ['!=*', 1],
    ['>=1.0.0-0 <2.0.0', 1],
    ['>=1.0.0-0, <2', 1],
    ['>=1.0.0-0 <2.0.0-0', 0],
    ['>=1.0.0 <2.0.0', 0],
    ['^1', 0],
  ] as const;
  for (const [text, count] of warnings) {
    it(`warns ${count ? '' : 'not '}of ${text}`, () => assert.equal(aRange(text).warnings.length, count));
  }
});

function aRange(text: string): Range {
  const range = parseRange(text);
  assert.ok(!('invalid' in range), 'invalid' in range ? range.invalid : '');
  return range;
}

function isInside(range: Range, version: string, allowPrerelease: boolean): boolean {
  const tag = parseStrictSemver(version, { leadingZeros: true });
  assert.ok(tag, version);
  return rangeAccepts(range, { core: tag.core, pre: tag.pre?.identifiers ?? [] }, { allowPrerelease });
}
