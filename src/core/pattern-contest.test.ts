import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { choose, type PolicyInput } from './choose.ts';
import { parsePolicy } from './policy.ts';

type Row = readonly [policy: string, current: string, tags: string, expected: string, options?: Partial<PolicyInput>];
const created = new Map([
  ['focal', 100],
  ['jammy', 300],
  ['noble', 200],
  ['zesty', 300],
  ['1.0.0', 100],
  ['1.1.0-rc1', 400],
  ['2.0', 200],
]);

const table: readonly Row[] = [
  // T-07: no plain string order, no downgrade by a pattern.
  ['glob:*', '1.9.0', '1.10.0 1.8.0', '1.10.0'],
  ['glob:build-*', 'build-9', 'build-10 build-2', 'build-10'],
  ['regex:^\\d', '2.0.0', '1.9.0 1.0.0', 'NoEligibleTag'],
  // The running tag need not match a glob, if it is a version.
  ['glob:2.*', '1.9.0', '2.1.0 3.0.0', '2.1.0'],
  ['glob:*', '20240115', '20240120 2024-02-01', '20240120'],
  ['glob:*', '1606234201', '1606364286', '1606364286'],
  ['regex:^1\\.', '1.2.3', '1.9.0 2.0.0', '1.9.0'],
  // Prereleases
  ['glob:*', '1.3.0-rc1', '1.3.0-rc2 1.4.0-rc1', '1.3.0-rc2'],
  ['glob:*', '1.3.0', '1.4.0-rc1', 'NoEligibleTag'],
  ['regex:^(?P<version>.*)-x$', '1.3.0-x', '1.4.0-rc1-x', 'NoEligibleTag'],
  ['regex:^(?P<version>.*)-x$', '1.3.0-x', '1.4.0-rc1-x', '1.4.0-rc1-x', { allowPrerelease: true }],
  // Shapes
  ['glob:main-*', 'main-abc1234-100', 'main-def5678-101 main-x-102 dev-def5678-103', 'main-def5678-101'],
  ['glob:*', 'web.x9', 'web.x10 web.y99 web-x99', 'web.x10'],
  ['glob:*', 'x_9007199254740992', 'x_9007199254740993', 'x_9007199254740993'],
  // Groups that order
  ['regex:(?P<number>\\d+)$', 'main-x-9', 'main-x-10 dev-x-100', 'dev-x-100'],
  ['regex:^main-\\w+-(?P<number>\\d+)$', 'main-abc1234-9', 'main-def5678-10 dev-x-100', 'main-def5678-10'],
  ['regex:^(?P<number>\\w+)$', '9', '10 x11', '10'],
  ['regex:^(?P<number>\\d+)$', '9007199254740992', '9007199254740993', '9007199254740993'],
  ['regex:^v(?P<version>.*)$', 'v1.2.3', 'v1.3.0 v1.4.0-alpine v2', 'v1.3.0'],
  ['regex:^(?P<version>[^-]+)-', '1.2.3-x', '1.3.0-y 1.3.0-x', '1.3.0-x'],
  ['regex:^d-(?P<date>.*)$', 'd-2024-01-15', 'd-2024-01-15T10 d-2024-01-14', 'd-2024-01-15T10'],
  ['regex:^d-(?P<date>.*)$', 'd-2024', 'd-x d-2023-12-31', 'NoEligibleTag'],
  ['regex:^d-(?P<date>.*)$', 'd-20240115102030', 'd-20240115102030123', 'd-20240115102030123'],
  ['regex:^c-(?P<compare>.*)$', 'c-a1.b2', 'c-a1.b10 c-x1.b99', 'c-a1.b10'],
  ['regex:^c-(?P<compare>.*)$', 'd-1', 'c-2', 'PatternMismatch'],
  ['regex:^(?P<version>.*)-(?P<env>\\w+)$', '1.0-a', '2.0-b 1.5-a', '1.5-a'],
  // Groups that must be equal; a group that takes no part is a value of its own.
  ['regex:^[\\d.]+(?:-(?P<env>\\w+))?$', '1.0', '1.1-a 1.2', '1.2'],
  ['regex:^[\\d.]+(?:-(?P<env>\\w+))?$', '1.0-a', '1.1-a 1.2', '1.1-a'],
  ['regex:^(?P<team>\\w+)-x(?P<env>\\w)\\d+$', 'web-xa1', 'web-xa2 web-xb3 api-xa9', 'web-xa2'],
  // Leaving a tag without order
  ['glob:prod-*', 'latest', 'prod-2 prod-10 prod-11-rc1 dev-12', 'prod-10', { adopt: true }],
  ['glob:*', 'latest', '1.0.0', 'NoEligibleTag', { adopt: true }],
  ['glob:?.*', 'latest', '1.0.0 2.0.0-rc1 x.y', '1.0.0', { adopt: true }],
  ['glob:?.*', 'latest', 'x.y', 'NoEligibleTag', { adopt: true }],
  ['glob:20*', 'latest', '20240115 20240116', '20240116', { adopt: true }],
  ['regex:^(?P<date>\\d+)$', 'latest', '20240115 2025', '2025', { adopt: true }],
  ['regex:^r(?P<version>.*)$', 'latest', 'r1.0 r1.1-rc1', 'r1.0', { adopt: true }],
  ['regex:^r(?P<version>.*)$', 'latest', 'r1.0 r1.1-rc1', 'r1.1-rc1', { adopt: true, allowPrerelease: true }],
  ['regex:^r(?P<version>.*)$', 'latest', 'r1.0 r1.1.1', 'AmbiguousFamily', { adopt: true }],
  ['regex:^(?P<env>\\w)-(?:\\d)$', 'latest', 'a-1 a-2', 'a-2', { adopt: true }],
  ['regex:^(?P<env>\\w)-(?:\\d)$', 'latest', 'a-1 b-2', 'AmbiguousFamily', { adopt: true }],
  // On the user's word
  ['glob:*', 'focal', 'jammy bionic noble', 'noble', { order: 'alphabetical' }],
  ['glob:*', '1.9', '1.10 1.8', 'NoEligibleTag', { order: 'alphabetical' }],
  ['glob:[j-n]*', 'focal', 'jammy noble zesty', 'noble', { order: 'alphabetical' }],
  ['glob:*', 'focal', 'jammy', 'CreatedUnknown', { order: 'created' }],
  ['glob:*', 'unknown', 'jammy', 'CreatedUnknown', { order: 'created', created }],
  ['glob:*', 'focal', 'noble zesty jammy undated', 'jammy', { order: 'created', created }],
  ['glob:*', 'jammy', 'zesty focal', 'NoEligibleTag', { order: 'created', created }],
  ['glob:*', '1.0.0', '1.1.0-rc1 2.0', '2.0', { order: 'created', created }],
  ['glob:*', '1.0.0', '1.1.0-rc1 2.0', '1.1.0-rc1', { order: 'created', created, allowPrerelease: true }],
  ['regex:^(?P<env>\\w)\\.(?P<version>\\d)', 'a.1', 'a.2 b.9', 'a.2', { order: 'alphabetical' }],
  ['regex:^(?P<env>\\w)\\.', 'x', 'a.2 b.9', 'PatternMismatch', { order: 'alphabetical' }],
  // Versions under strict SemVer, in the pattern's part or the whole
  ['glob:*', '1.2.3', '1.10.0-alpine 1.9.0 1.10', '1.9.0', { strictSemver: true }],
  ['regex:^app-(?P<version>.*)$', 'app-1.2.3', 'app-1.3 app-1.2.10', 'app-1.2.10', { strictSemver: true }],
  // Charts have one order
  ['glob:*', '1.9.0', '1.10.0', '1.10.0', { chart: true, order: 'alphabetical' }],
  ['regex:^(?P<number>\\d)\\.', '1.9.0', '1.10.0 2.0.0', '2.0.0', { chart: true }],
];

describe('core/pattern-contest', () => {
  for (const [text, current, tags, expected, options] of table) {
    const { created: _created, ...shown } = options ?? {};
    it(`${text} from ${current} among ${tags}${options ? ` ${JSON.stringify(shown)}` : ''} is ${expected}`, () => {
      const policy = parsePolicy(text);
      assert.ok(!('invalid' in policy));
      const verdict = choose({ policy, current, tags: tags.split(' '), ...options });
      assert.equal(verdict.tag ?? verdict.reason, expected, verdict.message);
    });
  }
});
