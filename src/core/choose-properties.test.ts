import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { repository, tag, version } from '../../test/vectors/arbitrary-tags.ts';
import { isGenerated, isLegalTag } from './candidate.ts';
import { choose, type PolicyInput } from './choose.ts';
import { compareTags } from './order.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { parseTag, type Tag } from './tag.ts';

const policies = [
  'none patch minor major all force digest glob glob:* glob:1.* glob:main-* regex:^\\d semver:* semver:^1 semver:>=1.0.0-0 semver:~1.2||>2'.split(
    ' ',
  ),
  ['regex:^(?P<version>[^-]+)(?:-(?P<rest>.*))?$', 'regex:(?P<number>\\d+)$', 'regex:^(?P<compare>.*)$', 'regex:^(?P<date>2024.*)$'],
].flat();
const policy = fc.constantFrom(...policies.map(aPolicy));
const flag = fc.boolean();
const options = fc.record(
  {
    policy,
    digestChanged: flag,
    allowPrerelease: flag,
    adopt: flag,
    matchTag: flag,
    strictSemver: fc.constantFrom(false, false, false, false, false, true),
    chart: fc.constantFrom(false, false, false, false, false, true),
  },
  { requiredKeys: ['policy'] },
);
const input: fc.Arbitrary<PolicyInput> = fc
  .tuple(
    options,
    fc.oneof({ weight: 4, arbitrary: repository }, fc.record({ current: tag, tags: fc.array(tag, { maxLength: 6 }), event: tag })),
    flag,
  )
  .map(([given, { event, ...rest }, pushed]) => ({ ...given, ...rest, ...(pushed ? { event } : {}) }));
// Nearly the same versions, so that most pairs compare.
const near = fc.tuple(
  fc.constantFrom('1.', '1.2.', 'v1.2.'),
  fc.nat(3),
  fc.constantFrom('', '-rc1', '-rc2', '-a1', '-r1', '-r2', '-x', '+b', '-abc1234', '-def5678'),
);
const member = fc.oneof(
  version,
  near.map((parts) => parts.join('')),
);

describe('core/choose-properties', () => {
  it('an answer is a legal candidate or the running tag', () => {
    run(20_000, input, (given) => {
      const verdict = choose(given);
      const written = (text: string): string => (given.chart ? text.replaceAll('_', '+') : text);
      const candidates = [...given.tags, ...(given.event === undefined ? [] : [given.event])].map(written);
      const current = written(given.current);
      if (verdict.outcome === 'hold') assert.equal(verdict.tag, null);
      else if (verdict.outcome === 'restart')
        assert.ok(given.digestChanged && verdict.tag === current && verdict.reason === 'DigestChanged');
      else {
        assert.ok(verdict.tag !== null && verdict.tag !== current && candidates.includes(verdict.tag));
        assert.ok(isLegalTag(verdict.tag) && !isGenerated(verdict.tag));
        assert.equal(verdict.considered.find((one) => one.tag === verdict.tag)?.verdict, 'eligible');
      }
      assert.notEqual(verdict.message, '');
    });
  });

  it('never downgrades and never leaves the family, unless force, an unordered push or adopt decided', () => {
    run(20_000, input, (given) => {
      const verdict = choose(given);
      const { name } = given.policy;
      if (verdict.reason !== 'NewerTag' || name === 'regex' || given.strictSemver || given.chart) return;
      const [from, to] = [parseTag(given.current), parseTag(verdict.tag ?? '')];
      if (name === 'glob' && !from) return;
      assert.ok(from && to);
      assert.equal(to.family, from.family);
      assert.ok(compareTags(to, from) > 0, `${given.current} to ${verdict.tag}`);
    });
  });

  it('does not flap: with the answer running, the same tags give no further update', () => {
    run(20_000, input, (given) => {
      const { event, ...rest } = given;
      const tags = event === undefined ? given.tags : [...given.tags, event];
      const verdict = choose({ ...rest, tags });
      if (verdict.outcome !== 'update' || verdict.tag === null) return;
      const again = choose({ ...rest, tags, current: verdict.tag });
      // What was adopted is stable; where prereleases are wanted one may follow, once.
      if (verdict.reason === 'NewerTag') assert.notEqual(again.outcome, 'update');
      else if (again.tag !== null) assert.notEqual(choose({ ...rest, tags, current: again.tag }).outcome, 'update');
    });
  });

  it('does not look at the order of the list, nor at repeated tags', () => {
    const shuffled = input.chain((given) =>
      fc.tuple(fc.constant(given), fc.shuffledSubarray([...given.tags], { minLength: given.tags.length }), fc.subarray([...given.tags])),
    );
    run(10_000, shuffled, ([given, permuted, repeated]) => {
      const { considered: _a, ...expected } = choose(given);
      const { considered: _b, ...found } = choose({ ...given, tags: [...permuted, ...repeated] });
      assert.deepEqual(found, expected);
    });
  });

  it('a lower tag in the list changes nothing', () => {
    run(10_000, fc.tuple(input, tag), ([given, extra]) => {
      const more = choose({ ...given, tags: [...given.tags, extra] });
      if (more.considered.find((one) => one.tag === extra)?.reason !== 'Lower') return;
      const less = choose(given);
      assert.deepEqual([more.outcome, more.tag], [less.outcome, less.tag]);
    });
  });

  it('the order is antisymmetric and transitive inside a family', () => {
    run(20_000, fc.tuple(member, member, member), (texts) => {
      const tags = texts.map(parseTag).filter((one): one is Tag => one !== undefined);
      for (const a of tags) {
        assert.equal(compareTags(a, a), 0);
        for (const b of tags.filter(({ family }) => family === a.family)) {
          assert.equal(Math.sign(compareTags(a, b)) + Math.sign(compareTags(b, a)), 0);
          for (const c of tags.filter(({ family }) => family === a.family)) {
            if (compareTags(a, b) <= 0 && compareTags(b, c) <= 0) assert.ok(compareTags(a, c) <= 0, `${a.text} ${b.text} ${c.text}`);
          }
        }
      }
    });
  });

  it('any text can be read; what is read keeps its text', () => {
    const any = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.stringMatching(/^[a-z0-9.+_vV-]{0,40}$/), version);
    run(20_000, any, (text) => {
      const read = parseTag(text);
      if (read) assert.equal(read.text, text);
    });
  });
});

function run<T>(numRuns: number, arbitrary: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(fc.property(arbitrary, check), { seed: 20_260_115, numRuns });
}

function aPolicy(text: string): Policy {
  const parsed = parsePolicy(text);
  return 'invalid' in parsed ? assert.fail(parsed.invalid) : parsed;
}
