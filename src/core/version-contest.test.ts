import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, type PolicyInput } from './choose.ts';
import { parsePolicy } from './policy.ts';

type Row = readonly [policy: string, current: string, tags: string, expected: string, options?: Partial<PolicyInput>];

const table: readonly Row[] = [
  // Revisions and prereleases of the same version are the smallest steps.
  ['patch', '1.2.3-r1', '1.2.3-r2', '1.2.3-r2'],
  ['patch', '1.2-rc1', '1.2', '1.2'],
  ['patch', '1-rc1', '1', '1'],
  ['patch', '1.2.3.4', '1.2.3.5', '1.2.3.5'],
  ['minor', '2024.1.15', '2024.2.1 2025.1.1', '2024.2.1'],
  ['major', '2024.1.15', '2025.1.1', '2025.1.1'],
  ['all', '20240115', '20240116', '20240116'],
  // A prerelease goes on to its release, not to prereleases of others.
  ['minor', '5.3.0-rc.1', '5.3.0-rc.2 5.4.0-beta.1', '5.3.0-rc.2'],
  ['minor', '5.3.0-rc.1', '5.3.0 5.4.0-beta.1', '5.3.0'],
  ['minor', '5.3.0-rc.1', '5.4.0-beta.1', 'NoEligibleTag'],
  ['all', '5.3.0', '5.4.0-beta.1', '5.4.0-beta.1'],
  // The level counts for prereleases too.
  ['patch', '1.2.3', '1.3.0-rc1', 'NoEligibleTag', { allowPrerelease: true }],
  ['semver:^1', '1.2.3', '1.3.0-rc1', 'NoEligibleTag'],
  ['semver:^1', '1.2.3', '1.3.0-rc1', '1.3.0-rc1', { allowPrerelease: true }],
  // Ordinary tags: the family first, then the range; ranges compare words as text, the order by rank.
  ['semver:^1', '1.2.3-alpine', '1.9.0 1.4.0-alpine', '1.4.0-alpine'],
  ['semver:^1', '1.2', '1.3 1.2.9', '1.3'],
  ['semver:>=1.0.0-0', '1.3.0-rc1', '1.3.0-snapshot 1.3.0-rc2', '1.3.0-rc2'],
  ['semver:<1', '1.2.3', '0.9.0', 'NoEligibleTag'],
  // Numbers beyond what a double holds
  ['patch', '1.0.9007199254740992', '1.0.9007199254740993', '1.0.9007199254740993'],
  ['patch', '1.0.0-rc9007199254740992', '1.0.0-rc9007199254740993', '1.0.0-rc9007199254740993'],
  ['all', '99999999999999999998', '99999999999999999999', '99999999999999999999'],
  // Strict SemVer: a suffix is a prerelease, precision is three numbers.
  ['minor', '1.2.3', '1.3.0-alpine 1.4 1.2.9', '1.2.9', { strictSemver: true }],
  ['minor', '1.2.3-alpine', '1.2.3-debian 1.3.0-alpine', '1.2.3-debian', { strictSemver: true }],
  ['minor', '1.2.3-alpine', '1.2.3', '1.2.3', { strictSemver: true }],
  ['minor', '2024.01.15', '2024.02.01', '2024.02.01', { strictSemver: true }],
  ['minor', '1.2', '1.3.0', 'CurrentTagNotVersion', { strictSemver: true }],
  ['minor', '1.2', '1.3.0 1.4.0-rc', '1.3.0', { strictSemver: true, adopt: true }],
  ['all', '1.2.3', '1234567', 'NoEligibleTag', { strictSemver: true }],
  ['semver:>=1.2.3-alpha', '1.2.3-alpha', '1.2.3-beta', '1.2.3-beta', { strictSemver: true }],
];

describe('core/version-contest', () => {
  for (const [text, current, tags, expected, options] of table) {
    it(`${text} from ${current} among ${tags}${options ? ` ${JSON.stringify(options)}` : ''} is ${expected}`, () => {
      const policy = parsePolicy(text);
      assert.ok(!('invalid' in policy));
      const verdict = choose({ policy, current, tags: tags.split(' '), ...options });
      assert.equal(verdict.tag ?? verdict.reason, expected, verdict.message);
    });
  }
});
