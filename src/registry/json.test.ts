import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonObject } from './json.ts';

const refused = [
  // title, text
  ['nothing', ''],
  ['a page', '<html></html>'],
  ['an array', '[]'],
  ['null', 'null'],
  ['text', '"x"'],
  ['an open string', '{"a":"'],
  ['a broken escape', '{"a":"\\'],
  ['depth 65 in a long text', `{"a":${'['.repeat(64)}${']'.repeat(64)},"b":"${'x'.repeat(70_000)}"}`],
  ['a depth bomb', '['.repeat(4_000_000)],
  ['a flood of numbers', `{"a":[${'1,'.repeat(2_000_000)}1]}`],
  ['a flood of objects', `{"a":[${'{},'.repeat(600_000)}{}]}`],
] as const;

describe('registry/json', () => {
  for (const [title, text] of refused) {
    it(`refuses ${title}`, () => assert.equal(parseJsonObject(Buffer.from(text)), undefined));
  }

  it('counts no brackets in strings', () => {
    const value = { a: `${'['.repeat(70_000)}"\\"{` };
    assert.deepEqual(parseJsonObject(Buffer.from(JSON.stringify(value))), value);
  });

  it('lets no member reach the prototype', () => {
    const value = parseJsonObject(Buffer.from('{"__proto__":{"tags":["x"]}}'));
    assert.equal(value?.['tags'], undefined);
  });

  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parseJsonObject(Buffer.from(text)), JSON.parse(text));
      }),
    );
  });
});
