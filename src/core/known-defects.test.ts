import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, type PolicyInput } from './choose.ts';
import { parsePolicy } from './policy.ts';

type Row = readonly [defect: string, policy: string, current: string, tags: string, expected: string, options?: Partial<PolicyInput>];

// How software of this kind chooses wrongly. Each row would be another tag if we did the same.
const table: readonly Row[] = [
  ['a version inside the range but lower than the running one', 'semver:>=1.0.0', '1.5.0', '1.4.0 1.2.0', 'hold'],
  ['a version inside the range but lower than the running one', 'semver:^1.0.0', '2.0.0', '1.9.0', 'hold'],
  ['one odd tag fails the whole numeric ordering', 'regex:^build-(?P<number>\\w+)$', 'build-9', 'build-10 build-x build-11', 'build-11'],
  ['one odd tag fails the whole numeric ordering', 'minor', '1.9.0', 'latest 1.10.0 1.x abc1234 1.11.0', '1.11.0'],
  ['glob order is string order', 'glob:1.*', '1.9', '1.10 1.8', '1.10'],
  ['glob order is string order', 'glob:1.*', '1.10', '1.9 1.8', 'hold'],
  ['glob order is string order', 'glob:build-*', 'build-10', 'build-9', 'hold'],
  ['glob order is string order', 'glob:main-*', 'main-abc1234-10', 'main-fff9999-9', 'hold'],
  ['a regular expression downgrades', 'regex:^1\\.', '1.5.0', '1.4.0', 'hold'],
  ['a regular expression downgrades', 'regex:^(?P<version>.*)-prod$', '1.5.0-prod', '1.4.0-prod', 'hold'],
  ['a regular expression downgrades', 'regex:-(?P<number>\\d+)$', 'b-10', 'b-9', 'hold'],
  ['versions of equal precedence take turns', 'minor', '1.20', '1.20.0 v1.20', 'hold'],
  ['versions of equal precedence take turns', 'minor', '1.20.0', '1.20 v1.20.0 1.20.00', 'hold'],
  ['versions of equal precedence take turns', 'semver:1.20.x', '1.20.0', 'v1.20.0 1.20.0+b', 'hold', { strictSemver: true }],
  ['versions of equal precedence take turns', 'minor', '1.20.0+a', '1.20.0+b', 'hold', { chart: true }],
  ['prereleases count as upgrades', 'major', '1.2.3', '1.3.0-rc.1 2.0.0-beta 1.2.4-SNAPSHOT', 'hold'],
  ['a prerelease counts as newer than its release', 'all', '1.3.0', '1.3.0-rc.1', 'hold'],
  ['variants count as upgrades', 'major', '1.2.3', '1.2.4-alpine 2.0.0-windowsservercore 1.3.0-debug', 'hold'],
  ['a variant is lost', 'minor', '1.2.3-alpine', '1.3.0', 'hold'],
  ['two numbers are no version', 'minor', '14.5', '14.6', '14.6'],
  ['a date counts as a version', 'major', '1.2.3', '20240115 2024-01-15 2024.1.15', 'hold'],
  ['a build number counts as a version', 'major', '17', '1606234201 100000', 'hold'],
  ['dates are no order', 'all', '2024-01-15', '2024-01-16', '2024-01-16'],
  ['build metadata is compared', 'patch', '1.2.3+1', '1.2.3+2', 'hold'],
  ['all downgrades', 'all', '2.0.0', '1.9.9 latest', 'hold'],
  ['the last entry of the list wins', 'minor', '1.2.3', '1.5.0 1.4.0 1.3.0', '1.5.0'],
  ['a glob knows one star', 'glob:*-*-prod', 'app-1.0.0-prod', 'app-1.1.0-prod app-1.2.0-dev', 'app-1.1.0-prod'],
  ['a precision is lost', 'minor', '1.25', '1.25.4 1.26.0', 'hold'],
  ['large numbers are rounded', 'patch', '1.0.9007199254740993', '1.0.9007199254740992', 'hold'],
  ['signatures are images', 'all', 'latest', `sha256-${'a'.repeat(64)}.sig 1.0.0.att`, 'hold'],
];

describe('core/known-defects', () => {
  for (const [defect, text, current, tags, expected, options] of table) {
    it(`T-07 not: ${defect} (${text} from ${current})`, () => {
      const policy = parsePolicy(text);
      assert.ok(!('invalid' in policy));
      const verdict = choose({ policy, current, tags: tags.split(' '), ...options });
      assert.equal(verdict.tag ?? verdict.outcome, expected, verdict.message);
    });
  }
});
