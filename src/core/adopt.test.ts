import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adoptMatching, adoptVersion } from './adopt.ts';
import { parseTag } from './tag.ts';
import { versionOrder } from './tag-orders.ts';

const table = [
  ['1.9.0 2.0.0 2.1.0-rc1 2', '2.0.0'],
  ['1 2', '2'],
  ['1.9 2', '1.9'],
  ['1.9 1.2.3.4 1.9.9', '1.2.3.4'],
  // Versions before calendar versions, and dates or build numbers never.
  ['2024.1.15 1.0', '1.0'],
  ['2024.1.15 2024.2', '2024.1.15'],
  ['20240115 12345', undefined],
  ['1.0.0-alpine 1.0.0-r1 1.0.0-abc1234 release-1.0.0 main', undefined],
  ['v1.0.0 V1.0.0', 'V1.0.0'],
  ['v1.0.0 1.0.0', '1.0.0'],
  ['', undefined],
] as const;

describe('core/adopt', () => {
  for (const [tags, expected] of table) {
    it(`takes ${expected} from ${tags || 'nothing'}`, () => {
      const candidates = tags.split(' ').filter(Boolean);
      const contest = adoptVersion(candidates, parseTag, () => true);
      assert.equal(contest.run(candidates).winner, expected);
      for (const text of candidates) assert.equal(contest.judge(text) === 'Adoptable', isPeer(text, expected));
    });
  }

  it('names two tags that match and cannot be compared', () => {
    const contest = adoptMatching(['main', '1.0', '1.1', '2.0.0'], versionOrder(parseTag), () => undefined);
    assert.deepEqual(contest, { ambiguous: ['1.0', '2.0.0'] });
  });
});

function isPeer(text: string, winner: string | undefined): boolean {
  const tag = parseTag(text);
  return winner !== undefined && tag?.pre === undefined && tag?.family === parseTag(winner)?.family;
}
