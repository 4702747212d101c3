import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { member, parseJson, textMember } from './json.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

const table: readonly [title: string, text: string, result: unknown][] = [
  ['an object', '{"a":1}', { a: 1 }],
  ['a number as float', '{"pushed_at":1.417566161e+09}', { pushed_at: 1_417_566_161 }],
  ['64 levels', nested(64), JSON.parse(nested(64))],
  ['65 levels', nested(65), 'the JSON is nested deeper than 64 levels'],
  ['brackets in a text', JSON.stringify({ a: '['.repeat(100), b: '\\"[' }), { a: '['.repeat(100), b: '\\"[' }],
  ['200 000 values', `[${'0,'.repeat(199_999)}0]`, Array.from({ length: 200_000 }, () => 0)],
  ['too many values', `{"events":[${'{},'.repeat(200_000)}{}]}`, 'the JSON has more than 200000 values'],
  ['commas in a text', JSON.stringify({ a: ','.repeat(300_000) }), { a: ','.repeat(300_000) }],
  ['no JSON', '{"a":', 'the body is not JSON'],
  ['nothing', '', 'the body is not JSON'],
  ['__proto__', '{"__proto__":{"a":1},"b":{"__proto__":2,"c":3}}', { b: { c: 3 } }],
  ['__proto__ in escapes', '{"\\u005f_proto__":{"a":1},"b":1}', { b: 1 }],
];

describe('core/json', () => {
  for (const [title, text, expected] of table) {
    it(title, () => {
      const result = parseJson(text);
      assert.deepEqual('value' in result ? result.value : result.invalid, expected);
      assert.equal(Object.hasOwn(Object('value' in result ? result.value : {}), '__proto__'), false);
    });
  }

  it('agrees with JSON.parse on everything that is not too deep', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const result = parseJson(text);
        assert.deepEqual(
          'value' in result ? JSON.stringify(result.value) : undefined,
          JSON.stringify(JSON.parse(text, (key, value) => (key === '__proto__' ? undefined : value))),
        );
      }),
    );
  });

  it('deeply nested input takes no stack', () => assert.ok('invalid' in parseJson('['.repeat(1_000_000))));

  it('reads only members of its own', () => {
    assert.equal(member({}, 'constructor'), undefined);
    assert.equal(member([1], 'length'), undefined);
    assert.equal(member(null, 'a'), undefined);
    assert.equal(textMember({ a: '' }, 'a'), undefined);
    assert.equal(textMember({ a: 1 }, 'a'), undefined);
  });
});
