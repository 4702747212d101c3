import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, type PolicyInput } from './choose.ts';
import { compileGlob } from './glob.ts';
import { parsePolicy } from './policy.ts';

const ignored = compileGlob('x*');
assert.ok(!('invalid' in ignored));
const hex = 'a'.repeat(64);

const table: readonly (readonly [policy: string, current: string, input: Partial<PolicyInput>, message: string])[] = [
  ['patch', '1.0.0', { tags: ['1.0.1'] }, '1.0.1 is the highest patch update of 1.0.0'],
  ['all', '1.0.0', { tags: ['1.0.1'] }, '1.0.1 is the highest update of 1.0.0'],
  ['semver: ^1 ', '1.0.0', { tags: ['1.0.1'] }, '1.0.1 is the highest update of 1.0.0 within ^1'],
  ['glob:1.*', '1.0.0', { tags: ['1.0.1'] }, '1.0.1 is the highest tag above 1.0.0 that matches glob:1.*'],
  ['minor', 'latest', { tags: ['1.0.1'], adopt: true }, '1.0.1 is the highest tag to adopt, since latest has no order'],
  ['force', '1.0.0', { event: '0.9' }, '0.9 was pushed, and force takes what is pushed'],
  ['force', '1.0.0', { event: '0.9', matchTag: true }, '0.9 was pushed, but only pushes of 1.0.0 count'],
  ['force', '1.0.0', { event: 'xyz', ignore: [ignored] }, 'xyz was pushed, but it is on the list of ignored tags'],
  ['force', '1.0.0', { event: 'a b' }, 'a b was pushed, but it is no legal tag'],
  ['force', '1.0.0', { event: `sha256-${hex}` }, `sha256-${hex} was pushed, but it is a signature or attestation and no image to run`],
  ['force', '1.0.0', { digestChanged: true }, 'the digest behind 1.0.0 has changed'],
  ['force', '1.0.0', {}, 'the digest behind 1.0.0 has not changed'],
  ['all', '1.0.0', { event: 'main' }, 'main was pushed and cannot be ordered against 1.0.0'],
  ['minor', '1.0.0', {}, 'there is no other tag than 1.0.0'],
  [
    'minor',
    '1.0.0',
    { tags: ['0.9.0', '1.0.0-x', '2.0.0', 'y'] },
    'no tag may follow 1.0.0 under minor; the others are larger steps, lower, of another family, not versions',
  ],
  ['minor', '1.0.0', { tags: ['a b'] }, 'no tag may follow 1.0.0 under minor; the others are not valid'],
  ['minor', 'latest', { tags: ['1.0.0'] }, 'latest is not a version; with adopt it may be left for one'],
  [
    'glob:*',
    'latest',
    { tags: ['1.0.0'], adopt: true },
    'no tag may follow latest under glob:*; the others are of another shape; latest matches the pattern itself, and adopt leaves only tags that do not',
  ],
  ['glob:*', 'latest', { tags: ['1.0.0'] }, 'no tag may follow latest under glob:*; the others are of another shape'],
  ['none', '1.0.0', {}, 'the policy is none'],
];

describe('core/verdict-message', () => {
  for (const [text, current, input, message] of table) {
    it(message.slice(0, 120), () => {
      const policy = parsePolicy(text);
      assert.ok(!('invalid' in policy));
      assert.equal(choose({ policy, current, tags: [], ...input }).message, message);
    });
  }
});
