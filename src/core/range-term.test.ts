import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptsTerm, type Operator } from './range-term.ts';
import { parseRange } from './range.ts';
import { parseStrictSemver } from './strict-semver.ts';

const versions = ['0.0.0', '0.0.3', '0.0.4', '0.2.0', '0.2.3', '0.3.0', '1.2.2', '1.2.3-a', '1.2.3-b', '1.2.3', '1.2.4', '1.3.0', '2.0.0'];

// One line per operator and first wildcard: 1 where the version above is accepted. Written by hand from the rules, not by the code.
const table: readonly (readonly [term: string, operator: Operator, accepted: string])[] = [
  ['1.2.3', '=', '0000000001000'],
  ['1.2', '=', '0000001111100'],
  ['1', '=', '0000001111110'],
  ['*', '=', '1111111111111'],
  ['1.2.3-b', '=', '0000000010000'],
  ['!=1.2.3', '!=', '1111111110111'],
  ['!=1.2', '!=', '1111110110011'],
  ['!=1', '!=', '1111110000001'],
  ['!=*', '!=', '0111111111111'],
  ['>1.2.3', '>', '0000000000111'],
  ['>1.2', '>', '0000000000011'],
  ['>1', '>', '0000000000001'],
  ['>*', '>', '0111111111111'],
  ['<1.2.3', '<', '1111111110000'],
  ['<1.2', '<', '1111110000000'],
  ['<1', '<', '1111110000000'],
  ['<*', '<', '0000000000000'],
  ['>=1.2.3', '>=', '0000000001111'],
  ['>=1.2', '>=', '0000001111111'],
  ['<=1.2.3', '<=', '1111111111000'],
  ['<=1.2', '<=', '1111111111100'],
  ['<=1', '<=', '1111111111110'],
  ['<=*', '<=', '1111111111111'],
  ['~1.2.3', '~', '0000000001100'],
  ['~1.2.3-b', '~', '0000000011100'],
  ['~1.2', '~', '0000001111100'],
  ['~1', '~', '0000001111110'],
  ['~0.0.0', '~', '1111111111111'],
  ['~0.0', '~', '1110000000000'],
  ['~0', '~', '1111110000000'],
  ['^1.2.3', '^', '0000000001110'],
  ['^1.2', '^', '0000001111110'],
  ['^0.2.3', '^', '0000100000000'],
  ['^0.2', '^', '0001100000000'],
  ['^0.0.3', '^', '0100000000000'],
  ['^0.0', '^', '1110000000000'],
  ['^0', '^', '1111110000000'],
  ['^*', '^', '1111111111111'],
];

describe('core/range-term', () => {
  for (const [text, operator, accepted] of table) {
    it(`${text} is ${accepted}`, () => {
      const range = parseRange(text);
      assert.ok(!('invalid' in range));
      const term = range.groups[0]?.[0];
      assert.ok(term);
      assert.equal(term.operator, operator);
      const found = versions.map((version) => {
        const tag = parseStrictSemver(version, { leadingZeros: false });
        assert.ok(tag);
        return acceptsTerm(term, { core: tag.core, pre: tag.pre?.identifiers ?? [] }) ? '1' : '0';
      });
      assert.equal(found.join(''), accepted);
    });
  }
});
