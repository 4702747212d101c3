import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from './policy.ts';
import { policyNames } from './update-request-schema.ts';

const good = [
  // text, pattern, name, text kept
  ...policyNames.filter((name) => !['glob', 'regex', 'semver'].includes(name)).map((name) => [name, undefined, name, name] as const),
  ['Minor', undefined, 'minor', 'minor'],
  [' PATCH ', undefined, 'patch', 'patch'],
  ['glob', undefined, 'glob', 'glob'],
  ['glob', '', 'glob', 'glob'],
  ['glob', 'v1.*', 'glob', 'glob:v1.*'],
  ['GLOB:V1.*', undefined, 'glob', 'GLOB:V1.*'],
  ['glob:v1.*', 'v1.*', 'glob', 'glob:v1.*'],
  ['glob:', 'v1.*', 'glob', 'glob:v1.*'],
  ['glob:a:b', undefined, 'glob', 'glob:a:b'],
  ['regex:^1$', undefined, 'regex', 'regex:^1$'],
  ['regexp:^1$', undefined, 'regex', 'regexp:^1$'],
  ['RegEx:^(?i:A)$', undefined, 'regex', 'RegEx:^(?i:A)$'],
  ['semver:^1.2', undefined, 'semver', 'semver:^1.2'],
  ['semver: >=1.0 <2.0', undefined, 'semver', 'semver: >=1.0 <2.0'],
  // A pattern beside a policy that has no use for it is another setting's business.
  ['minor', 'v1.*', 'minor', 'minor'],
] as const;

const bad = [
  ['', undefined, /unknown policy ""/],
  ['newest', undefined, /unknown policy "newest"; known are none, patch/],
  ['minor:1', undefined, /minor takes nothing after a colon/],
  ['regex', undefined, /regular expression is empty/],
  ['regex:', undefined, /regular expression is empty/],
  ['regex:(', undefined, /is not valid/],
  ['semver', undefined, /range is empty/],
  ['semver:foo', undefined, /"foo", which is no version/],
  ['glob:[', undefined, /\[ without \]/],
  ['glob', '[', /\[ without \]/],
  ['glob:a*', 'b*', /two different patterns/],
  ['constructor', undefined, /unknown policy/],
] as const;

describe('core/policy', () => {
  for (const [text, pattern, name, kept] of good) {
    it(`reads "${text}"${pattern === undefined ? '' : ` with "${pattern}"`} as ${name}`, () => {
      const policy = parsePolicy(text, pattern);
      assert.ok(!('invalid' in policy), 'invalid' in policy ? policy.invalid : '');
      assert.deepEqual([policy.name, policy.text], [name, kept]);
    });
  }
  for (const [text, pattern, message] of bad) {
    it(`refuses "${text}"${pattern === undefined ? '' : ` with "${pattern}"`}`, () => {
      const policy = parsePolicy(text, pattern);
      assert.ok('invalid' in policy);
      assert.match(policy.invalid, message);
    });
  }
  it('warns of what is valid but rarely meant', () => {
    const warnings = (text: string): readonly string[] => {
      const policy = parsePolicy(text);
      return 'invalid' in policy ? assert.fail(policy.invalid) : policy.warnings;
    };
    assert.equal(warnings('regex:1').length, 1);
    assert.equal(warnings('semver:!=*').length, 1);
    assert.deepEqual(warnings('minor'), []);
  });
});
