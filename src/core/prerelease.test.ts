import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { comparePrereleases, type Identifier, readPrerelease } from './prerelease.ts';

const words = [
  ['rc1', 'rc,1'],
  ['rc.1.2', 'rc,1,2'],
  ['RC', 'RC'],
  ['beta02', 'beta,2'],
  ['snapshot', 'snapshot'],
  ['a1', 'a,1'],
  ['m.3', 'm,3'],
  ['a', undefined],
  ['b', undefined],
  ['m', undefined],
  ['ea', 'ea'],
  ['rcx', undefined],
  ['rc1x', undefined],
  ['rc.', undefined],
  ['1', undefined],
  ['', undefined],
  ['final', undefined],
] as const;

// From the least to the greatest; texts on one line are equal.
const ladder = [
  ['dev', 'nightly', 'SNAPSHOT', 'insiders'],
  ['dev1', 'wip1', 'ci.1'],
  ['alpha'],
  ['alpha1', 'a1', 'ALPHA.1'],
  ['alpha.1.1'],
  ['a2'],
  ['a10'],
  ['beta'],
  ['b1', 'beta1'],
  ['m1', 'milestone1', 'ea1'],
  ['pre', 'preview', 'prerelease'],
  ['pre1'],
  ['rc', 'cr'],
  ['rc1', 'cr1'],
  ['rc9'],
  ['rc10'],
  ['rc9007199254740992'],
  ['rc9007199254740993'],
  ['(release)'],
];

describe('core/prerelease', () => {
  for (const [text, expected] of words) {
    it(`reads "${text}" as ${expected}`, () => assert.equal(readPrerelease(text)?.identifiers.join(), expected));
  }

  it('puts words in the order of how near they are to the release, then numbers', () => {
    for (const [i, left] of ladder.entries()) {
      for (const [j, right] of ladder.entries()) {
        for (const a of left) {
          for (const b of right) {
            assert.equal(Math.sign(comparePrereleases(readPrerelease(a), readPrerelease(b))), Math.sign(i - j), `${a} and ${b}`);
          }
        }
      }
    }
  });

  // SemVer 2.0 section 11, the example of the specification and the two that are often wrong.
  const strict: Identifier[][] = [
    [1n],
    [2n],
    ['-2'],
    ['4'],
    ['alpha'],
    ['alpha', 1n],
    ['alpha', 'beta'],
    ['beta'],
    ['beta', 2n],
    ['beta', 11n],
    ['rc', 1n],
  ];
  it('compares identifiers as SemVer does where words have no rank', () => {
    for (const [i, a] of strict.entries()) {
      for (const [j, b] of strict.entries()) {
        const step = comparePrereleases({ rank: undefined, identifiers: a }, { rank: undefined, identifiers: b });
        assert.equal(Math.sign(step), Math.sign(i - j), `${a.join('.')} and ${b.join('.')}`);
      }
    }
  });
});
