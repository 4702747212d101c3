import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KeyIndex } from './key-index.ts';

describe('kubernetes/key-index', () => {
  it('follows keys from word to word', () => {
    const index = new KeyIndex();
    index.move('a', [], ['nginx', 'redis']);
    index.move('b', [], ['nginx']);
    index.move('a', ['nginx', 'redis'], ['redis']);
    assert.deepEqual(index.keysOf('nginx'), ['b']);
    assert.deepEqual(index.keysOf('redis'), ['a']);
    index.move('a', ['redis'], []);
    assert.deepEqual(index.keysOf('redis'), []);
  });

  it('a reader keeps what it was given while keys move', () => {
    const index = new KeyIndex();
    index.move('a', [], ['nginx']);
    const seen: string[] = [];
    for (const key of index.keysOf('nginx')) {
      seen.push(key);
      index.move(key, ['nginx'], ['nginx']);
    }
    assert.deepEqual(seen, ['a']);
  });
});
