import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSuffix } from './tag-suffix.ts';

const table = [
  // rest of the tag, prerelease, revision, hash, variant
  ['', undefined, undefined, '', ''],
  ['-rc1', 'rc,1', undefined, '', ''],
  ['-rc-1-alpine', 'rc,1', undefined, '', '-alpine'],
  ['-1-ubi8', undefined, 'n 1', '', '-ubi8'],
  ['-debian-12-r5', undefined, 'r 5', '', '-debian-12'],
  ['-build7', undefined, 'build 7', '', ''],
  ['-p1', undefined, 'p 1', '', ''],
  ['-rev2', undefined, 'rev 2', '', ''],
  ['-5-g1a2b3c4', undefined, 'n 5', '-g1a2b3c4', ''],
  ['_a1b2c3d_slim-x', undefined, undefined, '_a1b2c3d', '_slim-x'],
  // The last segment is looked at before hashes are taken out.
  ['-r5-0a1b2c3', undefined, undefined, '-0a1b2c3', '-r5'],
  ['.Final-2', undefined, undefined, '', '.Final-2'],
  ['-a-1', undefined, undefined, '', '-a-1'],
  ['-', undefined, undefined, '', '-'],
] as const;

describe('core/tag-suffix', () => {
  for (const [rest, pre, revision, hash, variant] of table) {
    it(`reads "${rest}" as variant "${variant}"`, () => {
      const suffix = readSuffix(rest, {});
      const found = suffix.revision && `${suffix.revision.style} ${suffix.revision.value}`;
      assert.deepEqual([suffix.pre?.identifiers.join(), found, suffix.hash, suffix.variant], [pre, revision, hash, variant]);
    });
  }

  it('leaves what was found before the suffix alone', () => {
    const glued = { pre: { rank: 2, identifiers: ['b', 4n] }, revision: { style: 'letter', value: 'w' } };
    assert.deepEqual(readSuffix('-rc1-2', glued), { ...glued, hash: '', variant: '-rc1-2' });
  });
});
