import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload, type UpdateRequestOverrides } from '../../test/builders.ts';
import { judgeRequest, type RegistryAnswer, type Step } from './judge-request.ts';
import { readSettings } from './settings.ts';
import type { Condition, UpdateRequest, UpdateRequestStatus } from './update-request-schema.ts';
import type { Workload } from './workload.ts';

const now = Date.parse('2026-01-15T12:00:00Z');
const at = '2026-01-15T10:00:00Z';
const digest = `sha256:${'b'.repeat(64)}`;
const other = `sha256:${'c'.repeat(64)}`;

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: '', lastTransitionTime: at };
}

const verified = condition('Verified', 'True', 'UpdateAvailable');
const unverified = condition('Verified', 'Unknown', 'RegistryUnavailable');

const pending: UpdateRequestStatus = { phase: 'Pending', createdAt: at, conditions: [verified] };
const approved: UpdateRequestStatus = { phase: 'Approved', createdAt: at, approvedBy: 'alice', approvedAt: at, conditions: [verified] };
const byPolicy: UpdateRequestStatus = { ...approved, approvedBy: 'webhook' };

const confirmed: RegistryAnswer = { kind: 'confirmed', digest };
const moved: RegistryAnswer = { kind: 'confirmed', digest: other };
const missing: RegistryAnswer = { kind: 'missing', message: 'no such tag' };
const unavailable: RegistryAnswer = { kind: 'unavailable', message: 'no answer' };

interface Situation extends UpdateRequestOverrides {
  readonly workload?: Partial<Workload> | 'gone';
  readonly annotations?: Readonly<Record<string, string>>;
  readonly registry?: RegistryAnswer;
  readonly siblings?: readonly UpdateRequest[];
  readonly unsettledSince?: number;
}

function judge({ workload: change, annotations, registry, siblings, unsettledSince, ...overrides }: Situation): Step {
  const request = anUpdateRequest({ status: pending, ...overrides });
  const prefixed = Object.fromEntries(Object.entries(annotations ?? {}).map(([key, value]) => [`headwind.sh/${key}`, value]));
  const given = change === 'gone' ? {} : change;
  const workload = change === 'gone' ? undefined : aWorkload({ annotations: { 'headwind.sh/policy': 'minor', ...prefixed }, ...given });
  const settings =
    workload &&
    readSettings(
      workload.annotations,
      workload.slots.map(({ container }) => container),
    );
  return judgeRequest({ request, siblings: [request, ...(siblings ?? [])], workload, settings, registry, now, unsettledSince });
}

/** `wait TooSoon`, `fail UpdateFailed`, `supersede`, `apply`: the step in one line. */
function read(step: Step): string {
  return 'reason' in step && step.reason !== undefined ? `${step.kind} ${step.reason}` : step.kind;
}

const direct = { requireApproval: false } as const;
const byHand = { trigger: 'manual' } as const;
const rollout = { settled: false, healthy: false, message: '1 of 2 pods are updated' } as const;
const slot = (image: string, container = 'web') => ({ container, init: false, image });
const history = (entry: object) => ({
  'update-history': JSON.stringify([{ container: 'web', image: 'nginx:1.26', timestamp: at, ...entry }]),
});
const cameFrom20 = history({ image: 'nginx:1.25', fromImage: 'nginx:1.20' });
const ours = history({ updateRequestName: 'web-web-1-26-0a1b2c3d' });

const table: readonly (readonly [string, Situation, string])[] = [
  // set by hand
  ['a finished phase on a Pending request', { status: { ...pending, phase: 'Completed' } }, 'put-back'],
  ['Pending on an approved request', { status: { ...approved, phase: 'Pending' } }, 'put-back'],
  ['Approved on a rejected request', { status: { ...pending, phase: 'Approved', rejectedAt: at } }, 'put-back'],
  ['an illegal phase is put back although the target is gone', { status: { ...pending, phase: 'Failed' }, workload: 'gone' }, 'put-back'],
  ['Approved without a time', { status: { ...pending, phase: 'Approved' } }, 'accept-approval'],
  ['Rejected without a time', { status: { ...pending, phase: 'Rejected' } }, 'accept-rejection'],
  ['a rejection counts although the target is gone', { status: { ...pending, phase: 'Rejected' }, workload: 'gone' }, 'accept-rejection'],
  [
    'an approval is accepted before anything else is looked at',
    { status: { ...pending, phase: 'Approved' }, workload: { paused: true } },
    'accept-approval',
  ],
  // finished
  ['rejected', { status: { ...pending, phase: 'Rejected', rejectedAt: at } }, 'nothing'],
  [
    'rejected, but our patch was faster',
    { status: { ...pending, phase: 'Rejected', rejectedAt: at }, annotations: ours, workload: { slots: [slot('nginx:1.26')] } },
    'complete',
  ],
  ['rejected, and applied once long ago', { status: { ...pending, phase: 'Rejected', rejectedAt: at }, annotations: ours }, 'nothing'],
  ['completed', { status: { ...approved, phase: 'Completed', conditions: [condition('Applied', 'True', 'UpdateApplied')] } }, 'nothing'],
  [
    'superseded',
    { status: { ...pending, phase: 'Expired', conditions: [condition('Superseded', 'True', 'UpdateSuperseded')] } },
    'nothing',
  ],
  // the target
  ['another namespace', { spec: { targetRef: { namespace: 'kube-system' } } }, 'fail CrossNamespace'],
  ['another namespace, approved', { status: approved, spec: { targetRef: { namespace: 'kube-system' } } }, 'fail CrossNamespace'],
  ['an unknown kind', { spec: { targetRef: { kind: 'ReplicaSet' } } }, 'fail UpdateFailed'],
  ['the workload is gone', { workload: 'gone' }, 'supersede'],
  ['the workload is another object', { workload: { uid: 'another' } }, 'supersede'],
  ['by hand: no such workload', { spec: { ...byHand, targetRef: { uid: undefined } }, workload: 'gone' } as Situation, 'fail UpdateFailed'],
  ['the container is gone', { workload: { slots: [slot('nginx:1.25', 'api')] } }, 'supersede'],
  ['somebody set another image', { workload: { slots: [slot('nginx:1.27')] } }, 'supersede'],
  ['somebody set the new image', { workload: { slots: [slot('nginx:1.26')] } }, 'supersede'],
  [
    'we set the new image, and the answer was lost',
    { status: approved, workload: { slots: [slot('nginx:1.26')] }, annotations: ours },
    'complete',
  ],
  [
    'the same, while the registry is down',
    { status: approved, workload: { slots: [slot('nginx:1.26')] }, annotations: ours, registry: unavailable },
    'complete',
  ],
  ['by hand, first look: another image runs', { status: {}, spec: byHand, workload: { slots: [slot('nginx:1.27')] } }, 'fail UpdateFailed'],
  [
    'by hand, first look: it is there already',
    { status: {}, spec: byHand, workload: { slots: [slot('nginx:1.26')] } },
    'fail UpdateFailed',
  ],
  ['by hand, later: another image runs', { status: pending, spec: byHand, workload: { slots: [slot('nginx:1.27')] } }, 'supersede'],
  ['another repository', { spec: { newImage: 'apache:1.26' } }, 'fail InvalidReference'],
  ['another spelling of the repository', { spec: { newImage: 'docker.io/nginx:1.26' } }, 'fail InvalidReference'],
  // Pending
  ['new, needs approval', { status: {} }, 'open'],
  ['waits for approval', {}, 'nothing'],
  ['nobody decided in time', { spec: { expiresAt: '2026-01-15T12:00:00Z' } }, 'expire'],
  ['there is still a second', { spec: { expiresAt: '2026-01-15T12:00:01Z' } }, 'nothing'],
  ['an expiry that cannot be read never comes', { spec: { expiresAt: 'tomorrow' } }, 'nothing'],
  ['not verified: the registry is asked', { status: { ...pending, conditions: [unverified] } }, 'verify'],
  ['not verified: confirmed', { status: { ...pending, conditions: [unverified] }, registry: confirmed }, 'verified'],
  ['not verified: another digest', { status: { ...pending, conditions: [unverified] }, registry: moved }, 'supersede DigestChanged'],
  ['not verified: no such tag', { status: { ...pending, conditions: [unverified] }, registry: missing }, 'supersede'],
  ['not verified: by hand, no such tag', { status: { ...pending, conditions: [] }, spec: byHand, registry: missing }, 'fail UpdateFailed'],
  ['not verified: no answer', { status: { ...pending, conditions: [unverified] }, registry: unavailable }, 'unverified'],
  ['the policy allows it no longer', { annotations: { policy: 'patch' } }, 'supersede'],
  ['the policy is none', { annotations: { policy: 'none' } }, 'supersede'],
  ['the container is no longer meant', { annotations: { images: 'api' } }, 'supersede'],
  ['the tag is ignored now', { annotations: { 'ignore-tags': '1.26' } }, 'supersede'],
  [
    'by hand, first look: the policy does not allow it',
    { status: {}, spec: byHand, annotations: { policy: 'patch' } },
    'fail UpdateFailed',
  ],
  ['a bad annotation is no answer of the policy', { annotations: { policy: 'mnior' } }, 'nothing'],
  ['an image that is none', { status: {}, spec: { newImage: 'nginx:1 26' } }, 'fail InvalidReference'],
  [
    'another digest of the same tag is no step',
    { spec: { newImage: `nginx:1.25@${digest}` }, annotations: { policy: 'patch' } },
    'nothing',
  ],
  ['… but not under none', { spec: { newImage: `nginx:1.25@${digest}` }, annotations: { policy: 'none' } }, 'supersede'],
  [
    'latest and no tag are the same tag',
    { spec: { currentImage: 'nginx', newImage: 'nginx:latest' }, workload: { slots: [slot('nginx')] } },
    'nothing',
  ],
  // Approved: each hold, in their order
  ['approved', { status: approved, registry: confirmed }, 'apply'],
  ['approved: the registry is asked first', { status: approved }, 'verify'],
  ['direct, without status', { status: {}, spec: direct, registry: confirmed }, 'apply'],
  ['an approval does not expire', { status: approved, registry: confirmed, spec: { expiresAt: '2026-01-15T11:00:00Z' } }, 'apply'],
  ['held by a bad annotation', { status: approved, annotations: { policy: 'mnior' } }, 'wait InvalidAnnotation'],
  [
    'held by the bad annotation before the rest',
    { status: approved, annotations: { policy: 'mnior' }, workload: { paused: true, rollout } },
    'wait InvalidAnnotation',
  ],
  ['the policy changed after the approval', { status: approved, annotations: { policy: 'patch', 'dry-run': 'true' } }, 'supersede'],
  ['dry run', { status: byPolicy, spec: direct, annotations: { 'dry-run': 'true', 'event-source': 'none' } }, 'wait DryRun'],
  ['dry run, also for a person', { status: approved, annotations: { 'dry-run': 'true' } }, 'wait DryRun'],
  [
    'event source none',
    { status: byPolicy, spec: direct, annotations: { 'event-source': 'none' }, workload: { paused: true } },
    'wait EventSourceNone',
  ],
  ['event source none, approved by a person', { status: approved, annotations: { 'event-source': 'none' }, registry: confirmed }, 'apply'],
  [
    'event source none, made by hand',
    { status: {}, spec: { ...byHand, ...direct }, annotations: { 'event-source': 'none' }, registry: confirmed },
    'apply',
  ],
  ['paused', { status: approved, workload: { paused: true, rollout } }, 'wait Paused'],
  ['paused and forced', { status: { ...approved, force: true }, workload: { paused: true } }, 'wait Paused'],
  [
    'a rollout',
    { status: approved, workload: { rollout }, annotations: { 'last-update': '2026-01-15T11:59:00Z' } },
    'wait RolloutInProgress',
  ],
  [
    'a rollout since less than the timeout',
    { status: approved, workload: { rollout }, unsettledSince: now - 299_000 },
    'wait RolloutInProgress',
  ],
  ['a rollout since the timeout', { status: approved, workload: { rollout }, unsettledSince: now - 300_000, registry: confirmed }, 'apply'],
  ['too soon', { status: approved, annotations: { 'last-update': '2026-01-15T11:59:00Z' } }, 'wait TooSoon'],
  ['too soon by a second', { status: approved, annotations: { 'last-update': '2026-01-15T11:55:01Z' } }, 'wait TooSoon'],
  ['not too soon', { status: approved, annotations: { 'last-update': '2026-01-15T11:55:00Z' }, registry: confirmed }, 'apply'],
  [
    'not too soon, of a last update in the future and a request older than the interval',
    { status: approved, annotations: { 'last-update': '2026-01-15T13:00:00Z' }, registry: confirmed },
    'apply',
  ],
  [
    'too soon, but no interval',
    { status: approved, annotations: { 'last-update': '2026-01-15T11:59:59Z', 'min-update-interval': '0' }, registry: confirmed },
    'apply',
  ],
  [
    'too soon, but forced',
    { status: { ...approved, force: true }, annotations: { 'last-update': '2026-01-15T11:59:00Z' }, registry: confirmed },
    'apply',
  ],
  [
    'too soon, but by hand',
    { status: approved, spec: byHand, annotations: { 'last-update': '2026-01-15T11:59:00Z' }, registry: confirmed },
    'apply',
  ],
  ['the tag moved', { status: approved, registry: moved }, 'supersede DigestChanged'],
  ['the tag is gone', { status: approved, registry: missing }, 'wait TagNotFound'],
  ['the registry does not answer', { status: approved, registry: unavailable }, 'wait RegistryUnavailable'],
  [
    'direct and verified: the registry does not answer',
    { status: byPolicy, spec: direct, registry: unavailable },
    'wait RegistryUnavailable',
  ],
  ['direct and never verified: the registry does not answer', { status: {}, spec: direct, registry: unavailable }, 'unverified'],
  ['approved while it could not be verified', { status: { ...approved, conditions: [unverified] }, registry: unavailable }, 'apply'],
  [
    'approved while it could not be verified, and now it can',
    { status: { ...approved, conditions: [unverified] }, registry: confirmed },
    'apply',
  ],
  [
    'approved while it could not be verified, and it is something else',
    { status: { ...approved, conditions: [unverified] }, registry: moved },
    'supersede DigestChanged',
  ],
  [
    'approved while it could not be verified, and there is no such tag',
    { status: { ...approved, conditions: [unverified] }, registry: missing },
    'wait TagNotFound',
  ],
  ['by hand, direct: no such tag', { status: {}, spec: { ...byHand, ...direct }, registry: missing }, 'fail UpdateFailed'],
  ['by hand, direct: no answer', { status: {}, spec: { ...byHand, ...direct }, registry: unavailable }, 'unverified'],
  ['by hand, verified before: the tag is gone', { status: approved, spec: byHand, registry: missing }, 'wait TagNotFound'],
  [
    'by hand, without a digest: any digest will do',
    { status: approved, spec: { ...byHand, newDigest: undefined }, registry: moved } as Situation,
    'apply',
  ],
  // rollbacks to what was in place before skip policy, verification, event source, interval and a running rollout
  [
    'a rollback',
    {
      status: approved,
      spec: { trigger: 'rollback', newImage: 'nginx:1.20' },
      workload: { rollout },
      annotations: { ...cameFrom20, policy: 'none', 'event-source': 'none', 'last-update': '2026-01-15T11:59:59Z' },
    },
    'apply',
  ],
  [
    'an automatic rollback',
    { status: approved, spec: { trigger: 'auto-rollback', newImage: 'nginx:1.20' }, annotations: cameFrom20 },
    'apply',
  ],
  [
    'a rollback while paused',
    { status: approved, spec: { trigger: 'rollback', newImage: 'nginx:1.20' }, annotations: cameFrom20, workload: { paused: true } },
    'wait Paused',
  ],
  ['a rollback to what was never there', { status: approved, spec: { trigger: 'rollback', newImage: 'nginx:1.20' } }, 'supersede'],
  [
    'a rollback that no person decides',
    { status: {}, spec: { ...direct, trigger: 'rollback', newImage: 'nginx:1.20' }, annotations: cameFrom20 },
    'supersede',
  ],
];

describe('core/judge-request', () => {
  for (const [title, situation, expected] of table) {
    it(`${title}: ${expected}`, () => assert.equal(read(judge(situation)), expected));
  }

  const sentences: readonly (readonly [string, Situation, RegExp])[] = [
    ['a phase set by hand', { status: { ...pending, phase: 'Completed' } }, /^the phase cannot go from Pending to Completed$/],
    [
      'kinds',
      { spec: { targetRef: { kind: 'Job' } } },
      /kind is Job, which cannot be updated; use one of Deployment, StatefulSet, DaemonSet, CronJob$/,
    ],
    [
      'too soon',
      { status: approved, annotations: { 'last-update': '2026-01-15T11:59:00Z' } },
      /less than 5 min ago; not before 2026-01-15T12:04:00Z$/,
    ],
    ['a rollout', { status: approved, workload: { rollout } }, /1 of 2 pods are updated/],
    ['expiry', { spec: { expiresAt: '2026-01-15T11:00:00Z' } }, /^nobody decided before 2026-01-15T11:00:00Z$/],
    ['policy', { annotations: { policy: 'patch' } }, /^policy patch does not allow 1\.26: /],
    ['moved', { status: approved, registry: moved }, /^nginx:1\.26 is now sha256:c+, the request covers sha256:b+$/],
  ];
  for (const [title, situation, message] of sentences) {
    it(`says what people need to know: ${title}`, () => {
      const step = judge(situation);
      assert.match('message' in step ? step.message : '', message);
    });
  }

  const wakes: readonly (readonly [string, Situation, number | undefined])[] = [
    ['an open request wakes when it expires', { spec: { expiresAt: '2026-01-15T13:00:00Z' } }, Date.parse('2026-01-15T13:00:00Z')],
    ['one without expiry does not', { spec: { expiresAt: undefined } } as unknown as Situation, undefined],
    [
      'too soon wakes when the time is over',
      { status: approved, annotations: { 'last-update': '2026-01-15T11:59:00Z' } },
      Date.parse('2026-01-15T12:04:00Z'),
    ],
    ['a rollout wakes when it may be broken', { status: approved, workload: { rollout }, unsettledSince: now - 100_000 }, now + 200_000],
    ['paused is woken by the edit', { status: approved, workload: { paused: true } }, undefined],
    ['the registry is asked again', { status: approved, registry: unavailable }, now + 15_000],
  ];
  for (const [title, situation, wakeAtMs] of wakes) {
    it(title, () => {
      const step = judge(situation);
      assert.equal('wakeAtMs' in step ? step.wakeAtMs : undefined, wakeAtMs);
    });
  }

  describe('siblings', () => {
    const justNow: UpdateRequestStatus = { ...approved, approvedAt: '2026-01-15T11:59:59Z' };
    const sibling = (status: UpdateRequestStatus) => [
      anUpdateRequest({ metadata: { name: 'sibling' }, spec: { containerName: 'api' }, status }),
    ];

    it('an approval waits up to two seconds for a neighbour that is Pending', () => {
      const step = judge({ status: justNow, siblings: sibling(pending), registry: confirmed });
      assert.deepEqual(step, { kind: 'nothing', wakeAtMs: now + 1000 });
    });
    it('not longer', () => {
      assert.equal(
        judge({ status: { ...justNow, approvedAt: '2026-01-15T11:59:58Z' }, siblings: sibling(pending), registry: confirmed }).kind,
        'apply',
      );
    });
    it('not for one that is finished or approved', () => {
      for (const status of [approved, { ...pending, phase: 'Rejected', rejectedAt: at } as const]) {
        assert.equal(judge({ status: justNow, siblings: sibling(status), registry: confirmed }).kind, 'apply');
      }
    });
    it('a direct request does not wait', () => {
      const status = { ...justNow, approvedBy: 'webhook' };
      assert.equal(judge({ status, spec: direct, siblings: sibling(pending), registry: confirmed }).kind, 'apply');
    });
  });

  describe('without a container name', () => {
    const two = [slot('nginx:1.25'), slot('redis:7.0', 'cache')];
    const unnamed = { ...byHand, containerName: undefined } as unknown as NonNullable<Situation['spec']>;

    it('it is the one that has the image', () => {
      assert.deepEqual(judge({ status: approved, spec: unnamed, workload: { slots: two }, registry: confirmed }), {
        kind: 'apply',
        container: 'web',
        digest,
      });
    });
    it('two that have it: failed, with the remedy', () => {
      const step = judge({ status: approved, spec: unnamed, workload: { slots: [slot('nginx:1.25'), slot('nginx:1.25', 'api')] } });
      assert.deepEqual(step, {
        kind: 'fail',
        reason: 'UpdateFailed',
        message: '2 containers of Deployment shop/web have the image nginx:1.25; set spec.containerName',
      });
    });
    it('after our patch it is the one in the history', () => {
      const slots = [slot('nginx:1.26'), slot('redis:7.0', 'cache')];
      assert.deepEqual(judge({ status: approved, spec: unnamed, workload: { slots }, annotations: ours }), {
        kind: 'complete',
        container: 'web',
      });
    });
  });

  it('what was waived is not called confirmed', () => {
    const step = judge({ status: { ...approved, conditions: [unverified] }, registry: unavailable });
    assert.deepEqual(step, { kind: 'apply', container: 'web', digest: undefined });
  });
});
