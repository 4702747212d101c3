import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readNumbers } from './tag-numbers.ts';

const table = [
  // text, kind, numbers, precision, what is left
  ['1', 'ver', '1', 1, ''],
  ['1.2.3.4', 'ver', '1.2.3.4', 4, ''],
  ['1.2.3-rc1', 'ver', '1.2.3', 3, '-rc1'],
  ['1.2.', 'ver', '1.2', 2, '.'],
  ['1.2..3', 'ver', '1.2', 2, '..3'],
  ['1.x', 'ver', '1', 1, '.x'],
  ['010.02', 'ver', '10.2', 2, ''],
  ['9007199254740993', 'long', '9007199254740993', 1, ''],
  ['9999', 'ver', '9999', 1, ''],
  ['10000', 'long', '10000', 1, ''],
  ['10000.Final', 'long', '10000', 1, '.Final'],
  ['10000.1', 'ver', '10000.1', 2, ''],
  ['1899.1', 'ver', '1899.1', 2, ''],
  ['1900', 'cal', '1900', 1, ''],
  ['2199.12', 'cal', '2199.12', 2, ''],
  ['2200.1', 'ver', '2200.1', 2, ''],
  ['02024.1', 'ver', '2024.1', 2, ''],
  ['20240115', 'date', '20240115', '########', ''],
  ['2024-01-15T10-20-30Z-x', 'date', '20240115102030', '####-##-##T##-##-##Z', '-x'],
  ['2024-01-15.10.20', 'date', '202401151020', '####-##-##.##.##', ''],
  ['2024-01-15T1020-30', 'date', '202401151020', '####-##-##T####', '-30'],
  ['2024-13-15', 'cal', '2024', 1, '-13-15'],
  ['20240115102030', 'long', '20240115102030', 1, ''],
] as const;

describe('core/tag-numbers', () => {
  for (const [text, kind, core, precision, rest] of table) {
    it(`reads ${text} as ${kind} ${core}`, () => {
      const numbers = readNumbers(text);
      assert.ok(numbers);
      assert.deepEqual(
        [numbers.kind, numbers.core.join('.'), numbers.precision, text.slice(numbers.length)],
        [kind, core, precision, rest],
      );
    });
  }
  for (const text of ['', 'x', '.1', '-1', '1.2.3.4.5', '1.2.3.4.5-x']) {
    it(`finds none in "${text}"`, () => assert.equal(readNumbers(text), undefined));
  }
});
