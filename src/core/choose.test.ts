import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chartVectors } from '../../test/vectors/chart-vectors.ts';
import { pushVectors } from '../../test/vectors/push-vectors.ts';
import { type TagVector, tagVectors } from '../../test/vectors/tag-vectors.ts';
import { choose, type PolicyInput, type PolicyVerdict } from './choose.ts';
import { compileGlob, type Glob } from './glob.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { reasonTypes } from './reasons.ts';

const hex = 'a'.repeat(64);

describe('core/choose', () => {
  for (const vector of tagVectors) {
    it(`${vector.id} ${vector.policy} from ${vector.current.slice(0, 30)} is ${vector.expected}`, () => void check(vector));
  }
  for (const vector of pushVectors) {
    it(`${vector.id} ${vector.policy}: push of ${vector.event} onto ${vector.current} is ${vector.expected}`, () => void check(vector));
  }
  for (const vector of chartVectors) {
    it(`${vector.id}: chart, ${vector.policy} from ${vector.current} is ${vector.expected}`, () => {
      const verdict = check(vector, { chart: true });
      if (vector.reason) assert.equal(verdict.reason, vector.reason);
    });
  }

  const reasons: readonly (readonly [
    reason: string,
    answer: string | null,
    input: Partial<PolicyInput> & { policy: Policy; current: string },
  ])[] = [
    ['NewerTag', '1.3.0', { policy: aPolicy('minor'), current: '1.2.3', tags: ['1.3.0'] }],
    ['ForcedTag', 'main', { policy: aPolicy('force'), current: '1.2.3', event: 'main' }],
    ['UnorderedTag', 'latest', { policy: aPolicy('all'), current: '1.2.3', event: 'latest' }],
    ['UnorderedTag', '1.0.0', { policy: aPolicy('all'), current: '2024-01-01', event: '1.0.0' }],
    ['UnorderedTag', '1.2.3-g2222222', { policy: aPolicy('all'), current: '1.2.3-g1111111', event: '1.2.3-g2222222' }],
    ['AdoptedTag', '2.0.0', { policy: aPolicy('all'), current: 'latest', tags: ['2.0.0'], adopt: true }],
    // An adopted or ordered candidate wins over the pushed one that has no order.
    ['AdoptedTag', '2.0.0', { policy: aPolicy('all'), current: 'latest', tags: ['2.0.0'], event: 'main', adopt: true }],
    ['NewerTag', '1.3.0', { policy: aPolicy('all'), current: '1.2.3', tags: ['1.3.0'], event: 'latest' }],
    ['UnorderedTag', 'main', { policy: aPolicy('all'), current: 'latest', tags: ['nothing'], event: 'main', adopt: true }],
    ['DigestChanged', 'latest', { policy: aPolicy('all'), current: 'latest', tags: ['1.0.0'], digestChanged: true }],
    ['DigestChanged', '1.2.3', { policy: aPolicy('all'), current: '1.2.3', digestChanged: true }],
    ['DigestChanged', '1.2.3', { policy: aPolicy('glob:1.*'), current: '1.2.3', digestChanged: true }],
    ['NoEligibleTag', null, { policy: aPolicy('glob:2.*'), current: '1.2.3', tags: ['1.3.0'], digestChanged: true }],
    ['PatternMissing', null, { policy: aPolicy('glob'), current: '1.2.3', tags: ['1.3.0'], digestChanged: true }],
    ['UpToDate', null, { policy: aPolicy('patch'), current: '1.2.3', digestChanged: true }],
    ['UpToDate', null, { policy: aPolicy('regex:^1'), current: '1.2.3', digestChanged: true }],
    // A new digest does not keep a newer tag waiting, and a refused push does not hide a new digest.
    ['NewerTag', '1.2.4', { policy: aPolicy('all'), current: '1.2.3', tags: ['1.2.4'], digestChanged: true }],
    ['DigestChanged', '1.2.3', { policy: aPolicy('force'), current: '1.2.3', event: '2.0.0', matchTag: true, digestChanged: true }],
    ['DigestChanged', '1.2.3', { policy: aPolicy('force'), current: '1.2.3', event: 'a.sig', digestChanged: true }],
    ['DigestChanged', '1.2.3', { policy: aPolicy('force'), current: '1.2.3', tags: ['9.9.9'], digestChanged: true }],
    ['UpToDate', null, { policy: aPolicy('force'), current: '1.2.3', tags: ['9.9.9'] }],
    ['UpToDate', null, { policy: aPolicy('digest'), current: 'latest', tags: ['9.9.9'], event: '9.9.9' }],
    ['PolicyNone', null, { policy: aPolicy('none'), current: '', tags: ['9.9.9'], digestChanged: true }],
    ['NoTag', null, { policy: aPolicy('major'), current: '', tags: ['9.9.9'] }],
    ['NoTag', null, { policy: aPolicy('force'), current: `@sha256:${hex}`, event: '9.9.9' }],
    ['CurrentTagNotVersion', null, { policy: aPolicy('minor'), current: 'latest', tags: ['9.9.9'] }],
    ['CurrentTagNotVersion', null, { policy: aPolicy('all'), current: 'latest', tags: ['9.9.9'] }],
    ['CurrentTagNotVersion', null, { policy: aPolicy('glob:1.*'), current: 'latest', tags: ['1.0.0'] }],
    ['DateTag', null, { policy: aPolicy('patch'), current: '20240115', tags: ['20240116'] }],
    ['DateTag', null, { policy: aPolicy('major'), current: '1606234201', tags: ['1606234202'] }],
    ['DateTag', null, { policy: aPolicy('semver:*'), current: '2024-01-15', tags: ['2024-01-16'], adopt: true }],
    ['PatternMismatch', null, { policy: aPolicy('regex:^(?P<number>\\d+)$'), current: 'latest', tags: ['2'] }],
    ['PatternMismatch', null, { policy: aPolicy('regex:^(?P<number>\\d+)$'), current: '1.0', tags: ['2'], adopt: true }],
    ['PatternMismatch', null, { policy: aPolicy('regex:^[\\d.]+-(?P<env>\\w+)$'), current: '1.0', tags: ['2.0-x'] }],
    ['AmbiguousFamily', null, { policy: aPolicy('glob:?.*'), current: 'latest', tags: ['1.0', '1.0-alpine'], adopt: true }],
    [
      'AmbiguousFamily',
      null,
      { policy: aPolicy('regex:^(?P<number>\\d+)-(?P<env>\\w+)$'), current: 'latest', tags: ['1-a', '2-b'], adopt: true },
    ],
    ['CreatedUnknown', null, { policy: aPolicy('glob:*'), current: 'focal', tags: ['jammy'], order: 'created' }],
    ['TagMismatch', null, { policy: aPolicy('force'), current: '1.2.3', event: '1.2.4', matchTag: true }],
    ['TagRefused', null, { policy: aPolicy('force'), current: '1.2.3', event: `sha256-${hex}` }],
    ['TagRefused', null, { policy: aPolicy('force'), current: '1.2.3', event: '9.9.9', ignore: globs('9.*') }],
    ['TagRefused', null, { policy: aPolicy('force'), current: '1.2.3', event: 'no spaces' }],
    ['TagRefused', null, { policy: aPolicy('all'), current: '1.2.3', event: `sha256-${hex}.sig` }],
    ['NoEligibleTag', null, { policy: aPolicy('all'), current: '1.2.3', tags: ['1.0'], event: `sha256-${hex}.sig` }],
    ['NoEligibleTag', null, { policy: aPolicy('minor'), current: '1.2.3', tags: ['2.0.0'] }],
    ['NoEligibleTag', null, { policy: aPolicy('minor'), current: '1.2.3', tags: ['not legal'] }],
    ['UpToDate', null, { policy: aPolicy('minor'), current: '1.2.3', tags: ['1.2.3', `sha256-${hex}.sig`] }],
    ['UpToDate', null, { policy: aPolicy('minor'), current: '1.2.3', tags: ['1.3.0'], ignore: globs('0.*', '1.3.*') }],
  ];
  for (const [reason, answer, { policy, current, ...rest }] of reasons) {
    const { ignore, ...shown } = rest;
    it(`${reason}: ${policy.text} from "${current.slice(0, 20)}" ${JSON.stringify({ ...shown, ignore: ignore?.map(({ text }) => text) })}`, () => {
      const verdict = choose({ policy, current, tags: [], ...rest });
      assert.equal(verdict.reason, reason);
      assert.equal(verdict.tag, answer);
      assert.ok(verdict.reason in reasonTypes);
      assert.notEqual(verdict.message, '');
    });
  }

  const considered: readonly (readonly [
    policy: string,
    current: string,
    tags: string,
    expected: string,
    options?: Partial<PolicyInput>,
  ])[] = [
    ['minor', '1.2.3', '1.2.3 1.3.0 2.0.0 1.2.2 1.2 1.4.0-rc1', 'Current Greater Level Lower OtherFamily Prerelease'],
    ['minor', '1.2.3', 'v1.2.3 latest a.sig -bad 1.9.0', 'Equal NotAVersion Generated Invalid Ignored', { ignore: globs('1.9.*') }],
    ['semver:^1', '1.2.3', '1.9.0 2.0.0 1.9.1-rc1 2.0.0-rc1', 'Greater OutOfRange Prerelease OutOfRange'],
    ['glob:1.*', '1.2.3', '1.9.0 2.0.0', 'Greater NoPatternMatch'],
    ['glob:*', 'web_x1', 'web_x2 api_x3 web_x1', 'Greater OtherSkeleton Current'],
    ['regex:^(?P<version>[\\d.]+)-(?P<env>\\w+)$', '1.0-a', '1.1-a 1.1-b 1.1', 'Greater OtherGroup NoPatternMatch'],
    ['all', '1.2.3', '1.2.2 main', 'Lower NotAVersion'],
    ['none', '1.2.3', '1.2.3 1.2.4', 'Current NotConsulted'],
    ['digest', '1.2.3', '1.2.4', 'NotConsulted'],
    ['force', '1.2.3', '1.2.4', 'NotConsulted Pushed', { event: '1.0.0' }],
    ['force', '1.2.3', '1.2.4', 'NotConsulted Generated', { event: 'x.att' }],
    ['force', '1.2.3', '', 'Invalid', { event: 'latest', chart: true }],
    ['all', '1.2.3', '1.2.4 main', 'Greater NotAVersion Pushed', { event: 'latest' }],
    ['all', '1.2.3', '', 'Lower', { event: '1.2.2' }],
    ['all', '1.2.3', '', 'OtherFamily', { event: '1.2' }],
    ['minor', 'latest', '1.0 1.2.3 1.2.4-x 1.2.4-rc1', 'OtherFamily Adoptable OtherFamily Prerelease', { adopt: true }],
    ['semver:^1', 'latest', '2.0.0 1.2.3', 'OutOfRange Adoptable', { adopt: true }],
    ['minor', 'latest', '1.2.3', 'NotConsulted'],
  ];
  for (const [policy, current, tags, expected, options] of considered) {
    it(`${policy} says of ${tags} beside ${current}: ${expected}`, () => {
      const verdict = choose({ policy: aPolicy(policy), current, tags: tags.split(' ').filter(Boolean), ...options });
      assert.equal(verdict.considered.map(({ reason }) => reason).join(' '), expected);
      for (const { verdict: side, reason } of verdict.considered) {
        assert.equal(side, ['Greater', 'Pushed', 'Adoptable'].includes(reason) ? 'eligible' : 'rejected');
      }
    });
  }

  it('considers every distinct tag once, in the order of the list, and the pushed one last', () => {
    const verdict = choose({ policy: aPolicy('minor'), current: '1.0.0', tags: ['1.2.0', '1.1.0', '1.2.0'], event: '1.3.0' });
    assert.deepEqual(
      verdict.considered.map(({ tag }) => tag),
      ['1.2.0', '1.1.0', '1.3.0'],
    );
  });

  it('prefers among equal tags the style of the running one, then the smallest text', () => {
    const equal = ['v1.3.0', '1.3.0', 'V1.3.0', '1.03.0'];
    const from = (current: string): string | null => choose({ policy: aPolicy('minor'), current, tags: equal }).tag;
    assert.deepEqual([from('1.2.0'), from('v1.2.0'), from('V1.2.0')], ['1.03.0', 'v1.3.0', 'V1.3.0']);
  });

  it('says in words which update it is, and why there is none', () => {
    const say = (policy: string, tags: string[]): string => choose({ policy: aPolicy(policy), current: '1.4.2', tags }).message;
    assert.equal(say('minor', ['1.5.0', '2.0.0']), '1.5.0 is the highest minor update of 1.4.2');
    assert.equal(say('semver:^1', ['1.5.0']), '1.5.0 is the highest update of 1.4.2 within ^1');
    assert.equal(say('minor', ['1.4.1', '2.0.0']), 'no tag may follow 1.4.2 under minor; the others are larger steps, lower');
  });
});

function check({ id: _id, policy, pattern, expected, ...input }: TagVector, options: Partial<PolicyInput> = {}): PolicyVerdict {
  const verdict = choose({ tags: [], ...input, ...options, policy: aPolicy(policy, pattern) });
  assert.equal(verdict.outcome === 'update' ? verdict.tag : verdict.outcome, expected, verdict.message);
  if (expected === 'restart') assert.equal(verdict.tag, input.current.split('@')[0]);
  if (expected === 'hold') assert.equal(verdict.tag, null);
  return verdict;
}

function aPolicy(text: string, pattern?: string): Policy {
  const policy = parsePolicy(text, pattern);
  assert.ok(!('invalid' in policy), 'invalid' in policy ? policy.invalid : '');
  return policy;
}

function globs(...patterns: string[]): Glob[] {
  return patterns.map((pattern) => {
    const glob = compileGlob(pattern);
    assert.ok(!('invalid' in glob));
    return glob;
  });
}
