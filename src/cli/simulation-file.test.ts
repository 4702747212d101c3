import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCases } from './simulation-file.ts';

const table = [
  ['[{"policy":"none","current":"1"}]', 1],
  ['policy: none\ncurrent: 1\n---\n- {policy: none, current: 2}\n', 2],
  ['\ufeffpolicy: none\ncurrent: 1', 1],
  ['  [ {policy: none, current: 1} ]', 1],
  ['- &a {policy: none, current: 1}\n- *a', 2],
] as const;

describe('cli/simulation-file', () => {
  for (const [text, count] of table) {
    it(`finds ${count} cases in ${JSON.stringify(text)}`, async () => {
      const read = await readCases(text, 'cases.yaml');
      assert.ok('cases' in read, JSON.stringify(read));
      assert.equal(read.cases.length, count);
    });
  }

  it('says where the syntax is wrong, in one line', async () => {
    const read = await readCases('a: 1\nb: [', 'cases.yaml');
    assert.ok('mistakes' in read);
    assert.match(read.mistakes.join('\n'), /^.*"cases\.yaml" \(2:\d+\)$/);
  });

  it('does not take a scalar of YAML for a number or a date', async () => {
    const read = await readCases('{policy: none, current: 1.10, tags: [2024-01-01, 0x1, 1_000, ~]}', 'cases.yaml');
    assert.ok('cases' in read);
    assert.deepEqual(read.cases[0]?.input.tags, ['2024-01-01', '0x1', '1_000', '~']);
  });
});
