import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PolicyName } from './update-request-schema.ts';
import { choose } from './choose.ts';
import { parsePolicy } from './policy.ts';

const table = [
  // current, pushed, taken by `all` although it has no order
  ['latest', 'main', true],
  ['latest', '1.0.0', true],
  ['1.0.0', 'latest', true],
  ['2024-01-01', '1.0.0', true],
  ['1.0.0', '2024.1.1', true],
  ['1.0.0', '20240101', true],
  ['1.0.0+a', '1.0.0+b', true],
  ['1.0.0', '1.0.0+b', true],
  ['1.0.0-abc1234', '1.0.0-def5678', true],
  ['1.0.0', 'v1.0.0', false],
  ['1.0.0+a', 'v1.0.0+b', false],
  ['1.0.0-a1', '1.0.0-alpha1', false],
  ['1.0.0', '1.0', false],
  ['1.0.0', '2.0.0-alpine', false],
  ['1.0.0', '0.9.0', false],
  ['1.0.0', '1.0.0', false],
  ['20240102', '20240101', false],
  ['2024-01-02', '20240103', false],
] as const;

describe('core/unordered-push', () => {
  for (const [current, event, taken] of table) {
    it(`all ${taken ? 'takes' : 'refuses'} a push of ${event} onto ${current}`, () => {
      const verdict = choose({ policy: aPolicy('all'), current, tags: [], event });
      assert.equal(verdict.reason === 'UnorderedTag', taken, verdict.reason);
      assert.equal(verdict.tag, taken ? event : null);
      // Found in the list without having been pushed, it is never taken.
      assert.equal(choose({ policy: aPolicy('all'), current, tags: [event] }).outcome, 'hold');
    });
  }

  for (const name of ['patch', 'minor', 'major'] as const) {
    it(`${name} takes no push without order`, () => {
      assert.equal(choose({ policy: aPolicy(name), current: '1.0.0', tags: [], event: 'latest' }).outcome, 'hold');
    });
  }
});

function aPolicy(name: PolicyName) {
  const policy = parsePolicy(name);
  return 'invalid' in policy ? assert.fail(policy.invalid) : policy;
}
