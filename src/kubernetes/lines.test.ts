import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLineSplitter } from './lines.ts';

function split(chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const push = createLineSplitter((line) => lines.push(line));
  for (const chunk of chunks) push(Buffer.from(chunk));
  return lines;
}

const euro = Buffer.from('€');
const table = [
  // title, chunks, lines
  ['one chunk, two lines', ['a\nb\n'], ['a', 'b']],
  ['a line in three chunks', ['a', 'b', 'c\n'], ['abc']],
  ['what follows the last newline waits', ['a\nb'], ['a']],
  ['empty lines are skipped', ['\n\na\n\n'], ['a']],
  ['a newline on its own', ['a', '\n'], ['a']],
  ['a character in two chunks', [euro.subarray(0, 1), euro.subarray(1), '\n'], ['€']],
] as const;

describe('kubernetes/lines', () => {
  for (const [title, chunks, lines] of table) it(title, () => assert.deepEqual(split(chunks), lines));

  it('gives the same lines however the bytes are cut', () => {
    const pieces = fc.tuple(fc.array(fc.string({ unit: 'grapheme', minLength: 1 })), fc.integer({ min: 1, max: 7 }));
    fc.assert(
      fc.property(pieces, ([texts, width]) => {
        const lines = texts.map((text) => text.replaceAll('\n', ' '));
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / width) }, (_, at) => bytes.subarray(at * width, (at + 1) * width));
        assert.deepEqual(split(chunks), lines);
      }),
    );
  });

  it('refuses a line without end', () => {
    const push = createLineSplitter(() => undefined);
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    assert.throws(() => {
      for (let index = 0; index < 40; index++) push(chunk);
    }, /a line of more than/);
  });
});
