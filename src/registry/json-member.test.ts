import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseJsonMember } from './json-member.ts';

/** Makes a text long without a change of what it says. */
const padding = ' '.repeat(70_000);

const rows = [
  // text, value of `tags`
  ['{"tags":["a","b"]}', ['a', 'b']],
  [' { "name" : "x" , "tags" : [ "a" ] } ', ['a']],
  ['{"tags":null}', null],
  ['{"tags":["]","}",","]}', [']', '}', ',']],
  ['{"tags":["a\\"]"],"x":1}', ['a"]']],
  ['{"x":"\\\\","tags":["a"]}', ['a']],
  ['{"manifest":{"tags":["evil"]},"tags":["a"]}', ['a']],
  ['{"manifest":{"tags":["evil"]}}', undefined],
  ['{"__proto__":{"tags":["evil"]}}', undefined],
  ['{"x":"\\"tags\\":[1]"}', undefined],
  ['{"tags":["a"],"tags":["b"]}', ['b']],
  ['{"tags":{"a":1}}', { a: 1 }],
  ['{"tags":5}', 5],
  ['{"tags":["a"', undefined],
  ['{"tags":["a"]', undefined],
  ['{"tags":["a"]}}', undefined],
  ['{"tags":["a"]} x', undefined],
  ['{"tags":[a]}', undefined],
  ['{"tags":}', undefined],
  ['{"tags" "x"}', undefined],
  ['{tags:[]}', undefined],
  ['{"tags', undefined],
  ['{}', undefined],
  ['["tags"]', undefined],
  ['<html>', undefined],
  ['', undefined],
] as const;

describe('registry/json-member', () => {
  for (const [text, value] of rows) {
    it(`of ${text || 'nothing'} it is ${JSON.stringify(value)}, however long the text`, () => {
      assert.deepEqual(parseJsonMember(Buffer.from(text), 'tags')?.value, value);
      assert.deepEqual(parseJsonMember(Buffer.from(text + padding), 'tags')?.value, value);
      assert.deepEqual(parseJsonMember(Buffer.from(padding + text), 'tags')?.value, value);
    });
  }

  it('is what a parser of the whole would find', () => {
    const objects = fc.dictionary(fc.oneof(fc.constant('tags'), fc.string()), fc.jsonValue({ maxDepth: 4 }));
    const property = fc.property(objects, fc.boolean(), (object, isPretty) => {
      const text = JSON.stringify(object, undefined, isPretty ? 2 : 0);
      const whole: Record<string, unknown> = JSON.parse(text);
      assert.deepEqual(
        parseJsonMember(Buffer.from(text + padding), 'tags'),
        Object.hasOwn(whole, 'tags') ? { value: whole['tags'] } : undefined,
      );
    });
    fc.assert(property, { interruptAfterTimeLimit: 3_000, markInterruptAsFailure: false });
  });

  it('answers for every text', () => {
    const text = fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', 'tags', '"tags"', ' ', '1'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (bytes) => void parseJsonMember(Buffer.from(padding + bytes), 'tags')),
      { interruptAfterTimeLimit: 2_000 },
    );
  });

  it('refuses what is built to hurt', () => {
    for (const text of [`{"tags":${'['.repeat(1_000_000)}`, `{"tags":[${'{},'.repeat(600_000)}{}]}`]) {
      assert.equal(parseJsonMember(Buffer.from(text), 'tags'), undefined);
    }
  });
});
