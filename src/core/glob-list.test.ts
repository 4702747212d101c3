import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileGlobs } from './glob-list.ts';

const good = [
  ['', []],
  [' , ,', []],
  ['a', ['a']],
  [' *-rc*, ,nightly ', ['*-rc*', 'nightly']],
  ['*-{rc,beta}*,x', ['*-{rc,beta}*', 'x']],
  ['{a,{b,c}},d', ['{a,{b,c}}', 'd']],
  ['[,]x,y', ['[,]x', 'y']],
  ['[{],y', ['[{]', 'y']],
  ['a\\,b,c', ['a\\,b', 'c']],
  ['\\{,b', ['\\{', 'b']],
  [Array.from({ length: 50 }, (_, index) => `x${index}`).join(), Array.from({ length: 50 }, (_, index) => `x${index}`)],
] as const;

const bad = [
  ['a,[', /has a \[ without \]/],
  ['a,{b,c', /the glob "\{b,c" has a \{ without \}/],
  ['a},b', /has a \} that nothing opened/],
  ['a\\', /ends with a \\ that escapes nothing/],
  [Array.from({ length: 51 }, (_, index) => `x${index}`).join(), /^it has more than 50 patterns/],
  ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', /^it has more than 50 patterns, those in braces counted singly$/],
] as const;

describe('core/glob-list', () => {
  for (const [text, globs] of good) {
    it(`reads ${JSON.stringify(text.slice(0, 40))} as ${globs.length} globs`, () => {
      const read = compileGlobs(text);
      assert.ok('globs' in read, 'invalid' in read ? read.invalid : '');
      assert.deepEqual(
        read.globs.map((glob) => glob.text),
        globs,
      );
    });
  }
  for (const [text, message] of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      const read = compileGlobs(text);
      assert.match('invalid' in read ? read.invalid : 'accepted', message);
    });
  }
});
