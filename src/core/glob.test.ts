import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileGlob } from './glob.ts';

const table = [
  // pattern, matches, does not match
  ['v1.*', 'v1.2.3 v1.', 'v1 v2.0 xv1.2'],
  ['*-beta', 'v1-beta -beta', 'v1.0 v1-beta.1'],
  ['v1.*.0', 'v1.99.0 v1..0', 'v1.2.1 v1.0'],
  ['v*-stable', 'v999-stable v-stable', '999-stable'],
  ['ab*b', 'abb abxb', 'ab'],
  ['*', 'a 1.2.3 .', ''],
  ['**', 'a ab', ''],
  ['?', 'a 1', 'ab'],
  ['build-?', 'build-1', 'build-10 build-'],
  ['[abc]', 'a b c', 'd ab'],
  ['[a-c1-3]x', 'ax 3x', 'dx 4x x'],
  ['[!a-c]', 'd 1', 'a b c'],
  ['[a-]', 'a -', 'b'],
  ['[-a]', 'a -', 'b'],
  ['[!-]', 'a', '-'],
  ['[[]', '[', ']'],
  ['[\\]]', ']', '['],
  ['[0-9]*-jdk', '17-jdk 1-jdk', 'v17-jdk -jdk'],
  ['{1,2}.*', '1.0 2.1', '3.0 12.0'],
  ['{a,b{c,d}}e', 'ae bce bde', 'be ce'],
  ['1.2{,-alpine}', '1.2 1.2-alpine', '1.2-'],
  ['{a}', 'a', '{a}'],
  ['a,b', 'a,b', 'a b'],
  ['{a\\,b,c}', 'a,b c', 'a b'],
  ['\\*', '*', 'a'],
  ['\\\\', '\\', 'a'],
  ['App', 'App', 'app APP'],
  ['a*b*c', 'abc aXbXc abcbc', 'acb ab'],
  ['.hidden*', '.hidden .hiddenx', 'hidden'],
  ['*a/b', 'xa/b', 'ab'],
] as const;

const bad = [
  ['', 'the glob is empty'],
  ['a[', 'the glob "a[" has a [ without ]'],
  ['[a', 'the glob "[a" has a [ without ]'],
  ['[a-', 'the glob "[a-" has a [ without ]'],
  ['[]', 'the glob "[]" has an empty set []'],
  ['[!]', 'the glob "[!]" has an empty set []'],
  ['[^a]', 'the glob "[^a]" negates a set with ^; write [!…]'],
  ['[z-a]', 'the glob "[z-a]" has the range z-a, which is the wrong way round'],
  ['{a,b', 'the glob "{a,b" has a { without }'],
  ['a}', 'the glob "a}" has a } that nothing opened; write \\}'],
  ['a]', 'the glob "a]" has a ] that nothing opened; write \\]'],
  ['a\\', 'the glob "a\\" ends with a \\ that escapes nothing'],
  ['[a\\', 'the glob "[a\\" ends with a \\ that escapes nothing'],
  ['{a,b}'.repeat(7), `the glob "${'{a,b}'.repeat(7)}" has more than 64 alternatives`],
  [`{${'a,'.repeat(64)}b}`, `the glob "{${'a,'.repeat(29)}a" has more than 64 alternatives`],
  ['a'.repeat(257), `the glob "${'a'.repeat(60)}" is longer than 256 bytes`],
  ['é'.repeat(129), `the glob "${'é'.repeat(60)}" is longer than 256 bytes`],
] as const;

describe('core/glob', () => {
  for (const [pattern, matching, other] of table) {
    it(`${pattern} matches ${matching}, not ${other || 'the empty text'}`, () => {
      const glob = compileGlob(pattern);
      assert.ok(!('invalid' in glob), 'invalid' in glob ? glob.invalid : '');
      for (const text of matching.split(' ')) assert.equal(glob.matches(text), true, text);
      for (const text of other.split(' ').filter(Boolean)) assert.equal(glob.matches(text), false, text);
    });
  }
  for (const [pattern, message] of bad) {
    it(`refuses ${pattern.slice(0, 40) || 'an empty pattern'}`, () => assert.deepEqual(compileGlob(pattern), { invalid: message }));
  }
  it('allows exactly 64 alternatives and 256 bytes', () => {
    assert.ok(!('invalid' in compileGlob('{a,b}'.repeat(6))));
    assert.ok(!('invalid' in compileGlob('a'.repeat(256))));
  });
});
