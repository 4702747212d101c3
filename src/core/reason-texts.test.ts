import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { reasonTexts } from './reason-texts.ts';
import { reasonTypes } from './reasons.ts';

describe('core/reason-texts', () => {
  it('every reason has a text, and every text a reason', () => {
    assert.deepEqual(Object.keys(reasonTexts), Object.keys(reasonTypes));
  });

  for (const [reason, { meaning, remedy }] of Object.entries(reasonTexts)) {
    it(`${reason}: one line each, without a full stop`, () => {
      for (const line of [meaning, remedy]) assert.match(line, /^[^\n]{2,140}[^\n.]$/);
    });
  }
});
