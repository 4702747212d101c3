import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from './policy.ts';
import { patternOf, type TagPattern, through } from './tag-pattern.ts';
import { numberOrder } from './tag-orders.ts';

const table = [
  // policy, tag, ordered part or why not, groups that must be equal
  ['glob:a*', 'ab', 'ab', ''],
  ['glob:a*', 'b', 'NoPatternMatch', undefined],
  ['regex:^a', 'ab', 'ab', ''],
  ['regex:^a', 'b', 'NoPatternMatch', undefined],
  ['regex:^(?P<number>\\d+)-(?P<env>\\w+)$', '1-a', '1', '["a"]'],
  ['regex:^(?P<number>\\d+)?-(?P<env>\\w+)$', '-a', 'NoPatternMatch', undefined],
  ['regex:^(?P<x>\\w)?(?P<y>-)$', '-', '-', '[null,"-"]'],
] as const;

describe('core/tag-pattern', () => {
  for (const [policy, tag, part, equal] of table) {
    it(`${policy} finds ${part} in ${tag}`, () => {
      const found = aPattern(policy).find(tag);
      assert.deepEqual(found, equal === undefined ? part : { part, equal });
    });
  }

  it('leaves the ordering group aside where whole tags are ordered, and keeps those that must be equal', () => {
    const pattern = aPattern('regex:^(?P<number>\\d+)-(?P<env>\\w+)$', true);
    assert.equal(pattern.ordering, undefined);
    assert.deepEqual(pattern.find('1-a'), { part: '1-a', equal: '["a"]' });
  });

  it('has no pattern for a glob without one', () => assert.equal(patternOf(aPolicy('glob'), { wholeTags: false }), undefined));

  it('orders what it finds, within equal groups', () => {
    const order = through(numberOrder(), aPattern('regex:^(?P<number>\\d+)-(?P<env>\\w+)$'));
    const [one, two, other] = ['1-a', '2-a', '2-b'].map((tag) => order.read(tag));
    assert.ok(typeof one === 'object' && typeof two === 'object' && typeof other === 'object');
    assert.deepEqual([order.apart(one, two), order.apart(one, other)], [undefined, 'OtherGroup']);
    assert.ok(order.compare(one, two) < 0);
    assert.equal(order.read('x'), 'NoPatternMatch');
  });
});

function aPolicy(text: string) {
  const policy = parsePolicy(text);
  return !('invalid' in policy) && (policy.name === 'glob' || policy.name === 'regex') ? policy : assert.fail(text);
}

function aPattern(text: string, wholeTags = false): TagPattern {
  return patternOf(aPolicy(text), { wholeTags }) ?? assert.fail(text);
}
