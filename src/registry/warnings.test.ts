import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWarnings } from './warnings.ts';

const table: readonly (readonly [string | undefined, readonly string[]])[] = [
  [undefined, []],
  ['', []],
  ['299 - "This image is deprecated"', ['This image is deprecated']],
  ['299 registry.example.com "a \\"quoted\\" word"', ['a "quoted" word']],
  ['299 - "one", 299 - "two" "Sat, 21 Nov 2026 14:00:00 GMT", 299 - "one"', ['one', 'two']],
  ['110 - "Response is Stale"', []],
  ['299 - "line\u0085break \u202e evil"', ['line break   evil']],
  ['299 - "never closed', []],
];

function setUp() {
  const told: unknown[] = [];
  return { warnings: createWarnings({ warn: (fields: object) => void told.push('warning' in fields && fields.warning) }), told };
}

describe('registry/warnings', () => {
  for (const [header, expected] of table) {
    it(JSON.stringify(header) ?? 'no header', () => {
      const { warnings, told } = setUp();
      warnings.read('ghcr.io', header);
      warnings.read('ghcr.io', header);
      assert.deepEqual(told, expected);
    });
  }

  it('a flood of warnings is cut short, and each sentence too', () => {
    const { warnings, told } = setUp();
    for (let index = 0; index < 100; index++) warnings.read('ghcr.io', `299 - "${index} ${'x'.repeat(5_000)}"`);
    assert.deepEqual(told, []);
    for (let index = 0; index < 100; index++) warnings.read('ghcr.io', `299 - "${index} ${'x'.repeat(2_000)}"`);
    assert.ok(told.length === 20 && told.every((text) => String(text).length === 300));
    warnings.read('quay.io', '299 - "hello"');
    assert.equal(told.at(-1), 'hello');
  });
});
