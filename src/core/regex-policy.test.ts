import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileTagRegex, type TagRegex } from './regex-policy.ts';

const bad = [
  ['', /is empty/],
  ['(', /is not valid: .*missing closing \)/],
  ['(?=x)', /is not valid/],
  ['(?<=x)y', /is not valid/],
  ['(a)\\1', /is not valid/],
  ['a{1001}', /is not valid: .*repeat/],
  ['(?P<a>x)(?P<a>y)', /is not valid: .*duplicate/],
  ['(?P<version>x)(?P<number>y)', /more than one ordering group: version, number/],
  [`${'('.repeat(17)}a${')'.repeat(17)}`, /more than 16 groups/],
  ['(?:a{100}){11}', /is not valid: .*repeat/],
  ['a{1000}'.repeat(12), /is too large once its repetitions are expanded/],
  ['a'.repeat(513), /longer than 512 bytes/],
  ['é'.repeat(257), /longer than 512 bytes/],
] as const;

describe('core/regex-policy', () => {
  for (const [pattern, message] of bad) {
    it(`refuses ${pattern.slice(0, 40) || 'an empty pattern'}`, () => {
      const regex = compileTagRegex(pattern);
      assert.ok('invalid' in regex);
      assert.match(regex.invalid, message);
    });
  }

  const groups = [
    ['^(?P<version>.*)$', 'version', []],
    ['^(?<number>\\d+)$', 'number', []],
    ['^(?P<date>.*)-(?P<env>.*)$', 'date', ['env']],
    ['^(?P<compare>.*)-(\\d)$', 'compare', []],
    ['^(?<a>.)(?<b>.)$', undefined, ['a', 'b']],
    ['^(.)$', undefined, []],
  ] as const;
  for (const [pattern, ordering, equal] of groups) {
    it(`${pattern} orders by ${ordering ?? 'nothing'} and compares ${equal.join(', ') || 'nothing'}`, () => {
      const regex = aRegex(pattern);
      assert.deepEqual([regex.ordering, regex.equal], [ordering, equal]);
    });
  }

  it('finds anywhere unless anchored, and warns of it', () => {
    assert.equal(aRegex('1.2').matches('x1.2y'), true);
    assert.equal(aRegex('^1.2$').matches('x1.2y'), false);
    assert.equal(aRegex('1.2').warnings.length, 1);
    assert.deepEqual(
      ['^a', '(?i)^a', '\\Aa'].flatMap((pattern) => aRegex(pattern).warnings),
      [],
    );
  });

  it('gives the groups of the first match, null for one that took no part', () => {
    assert.deepEqual({ ...aRegex('(?P<a>x)|(?P<b>y)').groups('zy') }, { a: null, b: 'y' });
    assert.equal(aRegex('(?P<a>x)').groups('z'), undefined);
  });

  it('allows exactly 16 groups and 512 bytes', () => {
    assert.ok(!('invalid' in compileTagRegex(`${'('.repeat(16)}a${')'.repeat(16)}`)));
    assert.ok(!('invalid' in compileTagRegex('a'.repeat(512))));
  });
});

function aRegex(pattern: string): TagRegex {
  const regex = compileTagRegex(pattern);
  assert.ok(!('invalid' in regex), 'invalid' in regex ? regex.invalid : '');
  return regex;
}
