import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rise } from './contest.ts';
import { parseTag } from './tag.ts';
import { versionOrder } from './tag-orders.ts';

describe('core/contest', () => {
  const order = versionOrder(parseTag);
  const current = parseTag('1.2.3');
  assert.ok(current);
  const contest = rise(order, current, (tag) => (tag.core[0] === 2n ? 'Level' : undefined));

  it('lets only what is greater, comparable and within the limit win', () => {
    const { winner, rejections } = contest.run(['1.2.2', '1.4.0', '1.3.0', '2.0.0', 'v1.2.3', 'main', '1.5']);
    assert.equal(winner, '1.4.0');
    assert.deepEqual(rejections, new Set(['Lower', 'Level', 'Equal', 'NotAVersion', 'OtherFamily']));
  });

  it('judges one tag as it judges all', () => {
    const judged = ['1.2.2', '1.4.0', '2.0.0', 'v1.2.3', 'main', '1.5'].map((tag) => contest.judge(tag));
    assert.deepEqual(judged, ['Lower', 'Greater', 'Level', 'Equal', 'NotAVersion', 'OtherFamily']);
  });

  it('has no winner without candidates', () => assert.deepEqual(contest.run([]), { winner: undefined, rejections: new Set() }));

  it('does not look at the order of the candidates', () => {
    for (const candidates of [
      ['1.4.0', 'v1.4.0', '1.04.0'],
      ['v1.4.0', '1.04.0', '1.4.0'],
    ]) {
      assert.equal(contest.run(candidates).winner, '1.04.0');
    }
  });
});
