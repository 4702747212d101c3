import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { warningsAsNotes } from './warnings-as-notes.ts';

const table: readonly (readonly [fields: object, message: string, note: string | undefined])[] = [
  [{ problem: 'file x: "auth" is not base64' }, 'a configured registry credential is not as it should be', 'file x: "auth" is not base64'],
  [{ registry: 'r', source: 'AWS', detail: 'no role' }, 'a credential could not be had', 'AWS could not be had: no role'],
  [{ entry: 'Secret a/b, key c' }, 'the key ends inside a name', 'the key ends inside a name: Secret a/b, key c'],
  [{ registry: 'r', warning: 'old' }, 'registry warns', 'registry warns: old'],
  [{ registry: 'r' }, 'registry tells no digest by HEAD', 'registry tells no digest by HEAD'],
  [{ registry: 'r', source: 'x', why: 'login' }, 'registry refused a credential', undefined],
  [{ registry: 'r', host: 'h', afterMs: 1 }, 'registry asked to be left alone', undefined],
];

describe('compose/warnings-as-notes', () => {
  for (const [fields, message, note] of table) {
    it(`${message}: ${note ?? 'nothing'}`, () => {
      const { log, notes } = warningsAsNotes();
      log.warn(fields, message);
      log.warn(fields, message);
      log.info(fields, message);
      assert.deepEqual(notes(), note === undefined ? [] : [note]);
    });
  }
});
