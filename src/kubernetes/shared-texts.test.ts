import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SharedTexts } from './shared-texts.ts';

describe('kubernetes/shared-texts', () => {
  it('gives equal texts back, also when it had to start again', () => {
    const texts = new SharedTexts(2);
    assert.deepEqual(
      ['a', 'b', 'a', 'c', 'a'].map((text) => texts.share(text)),
      ['a', 'b', 'a', 'c', 'a'],
    );
  });
});
