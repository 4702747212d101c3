import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import type { PolicyVerdict } from '../core/choose.ts';
import { formatResults } from './simulation-output.ts';
import { printable } from './text-table.ts';

const verdict: PolicyVerdict = { outcome: 'hold', tag: null, reason: 'UpToDate', message: 'nothing: new', considered: [] };
const results = [
  { name: null, current: '', verdict },
  { name: 'a\nb', current: `1.2.3@sha256:${'a'.repeat(64)}`, verdict },
];

describe('cli/simulation-output', () => {
  it('aligns a table and keeps each case on one line', async () => {
    assert.deepEqual((await formatResults(results, 'table')).split('\n'), [
      'NAME   CURRENT                      OUTCOME   TAG   REASON     MESSAGE',
      '-      -                            hold      -     UpToDate   nothing: new',
      'a?b    1.2.3@sha256:aaaaaaaaaaaa…   hold      -     UpToDate   nothing: new',
      '',
    ]);
  });

  it('prints an empty list as such', async () => {
    assert.equal(await formatResults([], 'json'), '[]\n');
    assert.equal(await formatResults([], 'yaml'), '[]\n');
    assert.equal((await formatResults([], 'table')).trim(), 'NAME   CURRENT   OUTCOME   TAG   REASON   MESSAGE');
  });

  it('prints the same data as JSON and YAML', async () => {
    assert.deepEqual(load(await formatResults(results, 'yaml')), JSON.parse(await formatResults(results, 'json')));
  });

  it('replaces every control character', () => assert.equal(printable('a\u0000b\u001bc\u007fd\u0085e\tf'), 'a?b?c?d?e?f'));
});
