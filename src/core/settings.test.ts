import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnnotationKey, annotationTable } from './annotation-table.ts';
import { parseImageReference } from './image-reference.ts';
import { type ContainerSettings, readSettings, type Settings } from './settings.ts';

/** The settings of container `web` in a form that compares: globs and policies by their text. */
function read(annotations: Record<string, string>, container = 'web'): Record<string, unknown> {
  const full = Object.fromEntries(Object.entries({ policy: 'minor', ...annotations }).map(([key, value]) => [`headwind.sh/${key}`, value]));
  const settings = readSettings(full, ['web', 'api']);
  const own = settings.container(container);
  const { autoRollback, rollbackTimeoutMs, healthCheckRetries, dryRun } = settings;
  const workload = {
    'auto-rollback': autoRollback,
    'rollback-timeout': rollbackTimeoutMs,
    'health-check-retries': healthCheckRetries,
    'dry-run': dryRun,
  };
  if ('held' in own) return { ...workload, held: own.held };
  return { ...workload, ...describeContainer(own), images: selected(settings) };
}

function describeContainer(own: ContainerSettings): Record<string, unknown> {
  return {
    policy: own.policy.text,
    pattern: own.policy.name === 'glob' ? own.policy.glob?.text : undefined,
    'require-approval': own.requireApproval,
    'min-update-interval': own.minUpdateIntervalMs,
    'event-source': own.eventSource,
    'polling-interval': own.pollingIntervalMs,
    'digest-mode': own.digestMode,
    'allow-prerelease': own.allowPrerelease,
    adopt: own.adopt,
    'match-tag': own.matchTag,
    'strict-semver': own.strictSemver,
    'track-digest': own.trackDigest,
    'ignore-tags': own.ignore.map(({ text }) => text),
    order: own.order,
  };
}

function selected(settings: Settings): string[] {
  const reference = parseImageReference('nginx:1.25');
  if ('invalid' in reference) throw new Error(reference.invalid);
  return ['web', 'api'].filter((container) => settings.selects(container, reference));
}

const held = Symbol('held');
const ok = 'fine';
const invalid = 'InvalidAnnotation';
type Row = readonly [key: AnnotationKey, value: string | undefined, expected: unknown, problem: typeof ok | typeof invalid];

const booleans = ['allow-prerelease', 'adopt', 'match-tag', 'strict-semver', 'track-digest'] as const;

const rows: readonly Row[] = [
  ['policy', 'patch', 'patch', ok],
  ['policy', 'MAJOR', 'major', ok],
  ['policy', '  all ', 'all', ok],
  ['policy', 'none', 'none', ok],
  ['policy', 'force', 'force', ok],
  ['policy', 'digest', 'digest', ok],
  ['policy', 'glob', 'glob', ok],
  ['policy', 'glob:v1.*', 'glob:v1.*', ok],
  ['policy', 'regex:^v\\d+$', 'regex:^v\\d+$', ok],
  ['policy', 'semver:>=1.2 <2', 'semver:>=1.2 <2', ok],
  ['policy', 'mnior', held, invalid],
  ['policy', '', held, invalid],
  ['policy', 'minor:1.x', held, invalid],
  ['policy', 'regex:(', held, invalid],
  ['policy', 'regex:', held, invalid],
  ['policy', 'semver:>= bar', held, invalid],
  ['policy', 'glob:[', held, invalid],
  ['pattern', undefined, undefined, ok],
  ['require-approval', undefined, true, ok],
  ['require-approval', 'true', true, ok],
  ['require-approval', 'false', false, ok],
  ['require-approval', ' false ', false, ok],
  ['require-approval', 'False', true, invalid],
  ['require-approval', 'FALSE', true, invalid],
  ['require-approval', 'no', true, invalid],
  ['require-approval', '0', true, invalid],
  ['require-approval', '', true, invalid],
  ['min-update-interval', undefined, 300_000, ok],
  ['min-update-interval', '0', 0, ok],
  ['min-update-interval', '3600', 3_600_000, ok],
  ['min-update-interval', '7d', 604_800_000, ok],
  ['min-update-interval', '-1', held, invalid],
  ['min-update-interval', 'soon', held, invalid],
  ['min-update-interval', '', held, invalid],
  ['min-update-interval', '1.5h', held, invalid],
  ['images', undefined, ['web', 'api'], ok],
  ['images', '', ['web', 'api'], ok],
  ['images', 'web', ['web'], ok],
  ['images', 'nginx', ['web', 'api'], ok],
  ['images', 'redis', [], ok],
  ['event-source', undefined, 'webhook', ok],
  ['event-source', 'Polling', 'polling', ok],
  ['event-source', ' both ', 'both', ok],
  ['event-source', 'none', 'none', ok],
  ['event-source', 'webhooks', 'none', invalid],
  ['event-source', 'webhook,polling', 'none', invalid],
  ['event-source', '', 'none', invalid],
  ['polling-interval', undefined, undefined, ok],
  ['polling-interval', '1', 1000, ok],
  ['polling-interval', '90s', 90_000, ok],
  ['polling-interval', '0', undefined, invalid],
  ['polling-interval', '-60', undefined, invalid],
  ['polling-interval', 'often', undefined, invalid],
  ['auto-rollback', undefined, false, ok],
  ['auto-rollback', 'true', true, ok],
  ['auto-rollback', 'false', false, ok],
  ['auto-rollback', 'True', false, invalid],
  ['auto-rollback', 'yes', false, invalid],
  ['rollback-timeout', undefined, 300_000, ok],
  ['rollback-timeout', '10m', 600_000, ok],
  ['rollback-timeout', '0', 300_000, invalid],
  ['rollback-timeout', 'long', 300_000, invalid],
  ['health-check-retries', undefined, 3, ok],
  ['health-check-retries', '1', 1, ok],
  ['health-check-retries', '0', 3, invalid],
  ['health-check-retries', '2.5', 3, invalid],
  ['health-check-retries', 'many', 3, invalid],
  ['digest-mode', undefined, 'restart', ok],
  ['digest-mode', 'Pin', 'pin', ok],
  ['digest-mode', 'pinned', 'restart', invalid],
  ['ignore-tags', undefined, [], ok],
  ['ignore-tags', ' *-rc*, ,nightly ', ['*-rc*', 'nightly'], ok],
  ['ignore-tags', 'a,[', held, invalid],
  ['ignore-tags', '*-{rc,beta}*, [,]x, a\\,b', ['*-{rc,beta}*', '[,]x', 'a\\,b'], ok],
  ['ignore-tags', 'a,{b', held, invalid],
  ['ignore-tags', Array.from({ length: 51 }, (_, index) => index).join(), held, invalid],
  ['ignore-tags', '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b},{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}', held, invalid],
  ['order', undefined, undefined, ok],
  ['order', 'Alphabetical', 'alphabetical', ok],
  ['order', 'created', 'created', ok],
  ['order', 'newest', held, invalid],
  ['dry-run', undefined, false, ok],
  ['dry-run', 'TRUE', true, ok],
  ['dry-run', 'false', false, ok],
  // Whoever writes it wants nothing to happen.
  ['dry-run', 'yes', true, invalid],
  ['dry-run', '', true, invalid],
  ...booleans.flatMap((key): Row[] => [
    [key, undefined, false, ok],
    [key, 'True', true, ok],
    [key, 'false', false, ok],
    // Without it more tags would be taken.
    [key, 'yes', key === 'match-tag', invalid],
    [key, '1', key === 'match-tag', invalid],
    [key, '', key === 'match-tag', invalid],
  ]),
];

describe('core/settings', () => {
  for (const [key, value, expected, problem] of rows) {
    it(`${key} ${value === undefined ? 'absent' : JSON.stringify(value)}: ${String(expected)}, ${problem}`, () => {
      const annotations: Record<string, string> = value === undefined ? {} : { [key]: value };
      const settings = read(annotations);
      if (expected === held) assert.match(String(settings['held']), new RegExp(`^headwind\\.sh/${key} is `));
      else assert.deepEqual(settings[key], expected);
      assert.deepEqual(
        problems(annotations).map((found) => [found.reason, found.key]),
        problem === ok ? [] : [['InvalidAnnotation', `headwind.sh/${key}`]],
      );
    });
  }

  it('has a row for every annotation that is read and acted upon', () => {
    const notActedUpon = ['ignore-pull-policy', 'delete-pods'];
    const wanted = Object.entries(annotationTable).flatMap(([key, { access }]) => (access === 'read' ? [key] : []));
    const tested = new Set<string>(rows.map(([key]) => key));
    assert.deepEqual(
      wanted.filter((key) => !tested.has(key)),
      notActedUpon,
    );
  });

  it('a problem names key, value and accepted form', () => {
    assert.deepEqual(
      problems({ 'event-source': 'webhooks', 'min-update-interval': 'soon' })
        .map(({ message }) => message)
        .sort(),
      [
        'headwind.sh/event-source is "webhooks": it must be `webhook`, `polling`, `both`, `none`',
        'headwind.sh/min-update-interval is "soon": it must be a whole number of seconds, or a number with a unit: 90s, 5m, 6h, 7d',
      ],
    );
  });

  it('a long value is cut in the message', () => {
    const [problem] = problems({ 'require-approval': 'x'.repeat(10_000) });
    assert.ok(problem && problem.message.length < 300, problem?.message);
  });

  it('a workload without a policy updates nothing', () => {
    const own = readSettings({}, ['web']).container('web');
    assert.ok(!('held' in own) && own.policy.name === 'none');
  });

  it('a container that does not exist is held', () => {
    assert.deepEqual(readSettings({ 'headwind.sh/policy': 'minor' }, ['web']).container('api'), { held: 'there is no container api' });
  });

  describe('per container', () => {
    const overrides: readonly (readonly [Record<string, string>, Record<string, unknown>, Record<string, unknown>])[] = [
      // annotations, of web, of api
      [{ 'policy.web': 'none' }, { policy: 'none' }, { policy: 'minor' }],
      [{ policy: 'glob', pattern: 'v1.*', 'pattern.api': 'v2.*' }, { pattern: 'v1.*' }, { pattern: 'v2.*' }],
      [{ 'require-approval': 'false', 'require-approval.api': 'true' }, { 'require-approval': false }, { 'require-approval': true }],
      [{ 'min-update-interval.web': '1h' }, { 'min-update-interval': 3_600_000 }, { 'min-update-interval': 300_000 }],
      [{ 'event-source.api': 'both' }, { 'event-source': 'webhook' }, { 'event-source': 'both' }],
      [{ 'polling-interval': '60', 'polling-interval.api': '600' }, { 'polling-interval': 60_000 }, { 'polling-interval': 600_000 }],
      [{ 'digest-mode.web': 'pin' }, { 'digest-mode': 'pin' }, { 'digest-mode': 'restart' }],
      [{ 'ignore-tags': 'a', 'ignore-tags.web': 'b' }, { 'ignore-tags': ['b'] }, { 'ignore-tags': ['a'] }],
      [{ 'allow-prerelease': 'true', 'allow-prerelease.api': 'false' }, { 'allow-prerelease': true }, { 'allow-prerelease': false }],
      [{ 'order.web': 'created' }, { order: 'created' }, { order: undefined }],
      // a bad override holds its container only, and is never replaced by the value for all
      [{ 'policy.web': 'mnior' }, { held: 'headwind.sh/policy.web' }, { policy: 'minor' }],
      [{ policy: 'mnior', 'policy.api': 'patch' }, { held: 'headwind.sh/policy' }, { policy: 'patch' }],
      [{ 'require-approval': 'false', 'require-approval.web': 'fasle' }, { 'require-approval': true }, { 'require-approval': false }],
      [{ 'event-source': 'both', 'event-source.web': '' }, { 'event-source': 'none' }, { 'event-source': 'both' }],
    ];
    for (const [annotations, web, api] of overrides) {
      it(JSON.stringify(annotations), () => {
        for (const [container, expected] of [
          ['web', web],
          ['api', api],
        ] as const) {
          const settings = read(annotations, container);
          for (const [key, value] of Object.entries(expected)) {
            if (key === 'held') assert.ok(String(settings[key]).startsWith(`${String(value)} is `), String(settings[key]));
            else assert.deepEqual(settings[key], value, `${container}: ${key}`);
          }
        }
      });
    }

    it('a bad pattern is told by its own name, whatever the policy', () => {
      for (const policy of ['glob', 'minor', 'digest']) {
        assert.deepEqual(
          problems({ policy, pattern: '[' }).map(({ message }) => message.slice(0, 30)),
          ['headwind.sh/pattern is "[": th'],
        );
      }
    });

    it('one bad value for all is told once, however many containers it holds', () => {
      assert.equal(problems({ policy: 'mnior' }).length, 1);
    });
  });

  describe('lists without end', () => {
    const endless = Array.from({ length: 3000 }, (_, index) => `x${index}*`).join(',');
    it('ignore-tags holds the container', () => {
      assert.match(
        String(read({ 'ignore-tags': endless })['held']),
        /^headwind\.sh\/ignore-tags is .*: it is longer than 4096 characters$/,
      );
    });

    it('images means no container', () => {
      const settings = readSettings({ 'headwind.sh/policy': 'minor', 'headwind.sh/images': `${endless},web` }, ['web']);
      const reference = parseImageReference('nginx:1.25');
      assert.ok(!('invalid' in reference) && !settings.selects('web', reference));
      assert.match(settings.problems[0]?.message ?? '', /images is .*: it is longer than 4096 characters$/);
    });
  });

  describe('unknown annotations', () => {
    const unknown: readonly (readonly [string, RegExp])[] = [
      ['polici', /^headwind\.sh\/polici is not known; did you mean headwind\.sh\/policy\?$/],
      ['min-age', /^headwind\.sh\/min-age is not known/],
      ['zzz', /^headwind\.sh\/zzz is not known$/],
      ['', /^headwind\.sh\/ is not known$/],
      ['policy.wbe', /names the container wbe, which does not exist; did you mean web\?$/],
      ['policy.', /names the container , which does not exist; did you mean web, api\?$/],
      ['policy.other-thing', /did you mean web, api\?$/],
      ['images.web', /headwind\.sh\/images holds for the whole workload, not for one container$/],
      ['dry-run.web', /holds for the whole workload/],
      ['auto-rollback.api', /holds for the whole workload/],
      ['last-update.web', /holds for the whole workload/],
      ['polici.web', /^headwind\.sh\/polici\.web is not known; did you mean headwind\.sh\/policy\?$/],
      ['constructor', /^headwind\.sh\/constructor is not known/],
    ];
    for (const [key, message] of unknown) {
      it(`${JSON.stringify(key)} is told and has no other effect`, () => {
        const [problem, other] = problems({ [key]: 'x' });
        assert.equal(other, undefined);
        assert.equal(problem?.reason, 'UnknownAnnotation');
        assert.equal(problem.key, `headwind.sh/${key}`);
        assert.match(problem.message, message);
        assert.deepEqual(read({ [key]: 'x' }), read({}));
      });
    }

    it('of thousands only some are told', () => {
      const annotations = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`min-updatx-interval${index}`, 'x']));
      const told = problems({ ...annotations, 'policy.wbe': 'x' });
      assert.equal(told.length, 21);
      assert.match(told.at(-1)?.message ?? '', /^there are more annotations below headwind\.sh\/ that are not known/);
    });

    it('what the operator writes is known, and annotations of others are none of ours', () => {
      const annotations = {
        'headwind.sh/last-update': 'x',
        'headwind.sh/update-history': 'x',
        'headwind.sh/digests': 'x',
        'example.com/polici': 'x',
      };
      assert.deepEqual(readSettings({ 'headwind.sh/policy': 'minor', ...annotations }, ['web']).problems, []);
    });
  });
});

function problems(annotations: Record<string, string>): Settings['problems'] {
  const full = Object.fromEntries(Object.entries({ policy: 'minor', ...annotations }).map(([key, value]) => [`headwind.sh/${key}`, value]));
  return readSettings(full, ['web', 'api']).problems;
}
