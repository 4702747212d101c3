import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refuseTag } from './candidate.ts';
import { compileGlob } from './glob.ts';

const hex = 'a'.repeat(64);
const ignored = compileGlob('*-debug');
assert.ok(!('invalid' in ignored));

const table = [
  ['1.2.4', undefined],
  ['_x', undefined],
  ['1.2.3+b.1', undefined],
  ['a'.repeat(128), undefined],
  ['1.2.3', 'Current'],
  ['a'.repeat(129), 'Invalid'],
  ['', 'Invalid'],
  ['.x', 'Invalid'],
  ['-x', 'Invalid'],
  ['+x', 'Invalid'],
  ['a b', 'Invalid'],
  ['a/b', 'Invalid'],
  ['a:b', 'Invalid'],
  ['a\nb', 'Invalid'],
  ['a\n', 'Invalid'],
  ['ä', 'Invalid'],
  [`sha256-${hex}`, 'Generated'],
  [`sha256-${hex}.sig`, 'Generated'],
  [`sha256-${hex}.cosign`, 'Generated'],
  [`sha512-${hex}${hex.slice(0, 50)}`, 'Generated'],
  ['1.2.4.sig', 'Generated'],
  ['1.2.4.att', 'Generated'],
  ['x.sbom', 'Generated'],
  [`sha256-${hex.slice(1)}`, undefined],
  [`sha256-${hex.toUpperCase()}`, undefined],
  ['1.2.4.signed', undefined],
  ['sig', undefined],
  ['1.2.4-debug', 'Ignored'],
] as const;

describe('core/candidate', () => {
  for (const [text, expected] of table) {
    it(`${JSON.stringify(text.slice(0, 30))} of ${text.length} characters is ${expected ?? 'a candidate'}`, () => {
      assert.equal(refuseTag(text, '1.2.3', [ignored]), expected);
    });
  }
});
