import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { caseReader } from './simulation-case.ts';

const table = [
  // value, scalars are text, the fields that are wrong
  [{ policy: 'minor', current: '1' }, false, []],
  [{ policy: 'minor', current: '' }, false, []],
  [{ policy: 'minor', current: '1', adopt: true }, false, []],
  [{ policy: 'minor', current: '1', adopt: 'true' }, true, []],
  [{ policy: 'minor', current: '1', adopt: 'true' }, false, ['adopt']],
  [{ policy: 'minor', current: '1', adopt: 'True' }, true, ['adopt']],
  [{ policy: 1, current: 1 }, false, ['policy', 'current']],
  [{}, false, ['policy', 'current']],
  [{ policy: 'glob', pattern: '[', current: '1' }, false, ['pattern']],
  [{ policy: 'glob:a', pattern: 'b', current: '1' }, false, ['pattern']],
  [
    { policy: 'semver:x y z', current: ' ', order: 'x', ignore: ['['], nonsense: 1 },
    false,
    ['nonsense', 'policy', 'current', 'order', 'ignore'],
  ],
  ['text', false, ['case']],
  [[], false, ['case']],
  [null, false, ['case']],
] as const;

describe('cli/simulation-case', () => {
  for (const [value, scalarsAreText, fields] of table) {
    it(`${JSON.stringify(value)}${scalarsAreText ? ' from YAML' : ''} has ${fields.length === 0 ? 'no mistake' : `mistakes in ${fields.join(', ')}`}`, () => {
      const read = caseReader({ scalarsAreText }).read(value);
      if ('input' in read) assert.deepEqual(fields, []);
      else
        assert.deepEqual(
          read.map(({ field }) => field),
          fields,
        );
    });
  }

  it('parses a policy once for all cases that have it', () => {
    const reader = caseReader({ scalarsAreText: false });
    const [one, two] = ['1', '2'].map((current) => reader.read({ policy: 'regex:^x', current }));
    assert.ok(one && two && 'input' in one && 'input' in two);
    assert.equal(one.input.policy, two.input.policy);
  });
});
