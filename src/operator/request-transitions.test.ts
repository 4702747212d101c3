import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload, type UpdateRequestOverrides } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import type { Step } from '../core/judge-request.ts';
import type { Condition, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { carryOut } from './request-transitions.ts';

const signal = new AbortController().signal;
const at = '2026-01-15T10:00:00Z';
const now = '2026-01-15T11:00:00Z';

function condition(type: string, status: Condition['status'], reason: string, message = ''): Condition {
  return { type, status, reason, message, lastTransitionTime: at, observedGeneration: 1 };
}

const pending: UpdateRequestStatus = { phase: 'Pending', createdAt: at };
const approved: UpdateRequestStatus = { phase: 'Approved', createdAt: at, approvedBy: 'alice', approvedAt: at };
const unverified: UpdateRequestStatus = {
  phase: 'Pending',
  createdAt: at,
  conditions: [condition('Verified', 'Unknown', 'RegistryUnavailable')],
};
const waiting: UpdateRequestStatus = { ...approved, conditions: [condition('Applied', 'False', 'TooSoon', 'not before noon')] };
const direct = { requireApproval: false } as const;

/** One step of one request: what stands in its status afterwards, and who was told. */
async function take(step: Step, overrides: UpdateRequestOverrides) {
  const request = anUpdateRequest(overrides);
  const workload = aWorkload();
  const { deps, updateRequests, events, metrics, log } = anOperator({ workloads: [workload], requests: [request] });
  const stored = updateRequests.get('shop', request.metadata.name);
  assert.ok(stored);
  const changed = await carryOut(step, { request: stored, workload, deps, signal });
  const { conditions, ...status } = updateRequests.get('shop', request.metadata.name)?.status ?? {};
  return {
    changed,
    writes: updateRequests.writes.length,
    status,
    conditions: (conditions ?? []).map(({ type, status: word, reason }) => `${type} ${word} ${reason}`),
    events: events.emitted.map((line) =>
      line.replace(`UpdateRequest shop/${request.metadata.name}`, 'request').replace('Deployment shop/web', 'workload'),
    ),
    says: events.messages,
    audit: log.audits.map(({ action, username, result, source, reason }) =>
      [action, username, result, source, ...(reason === undefined ? [] : [reason])].join(' '),
    ),
    count: (name: Parameters<typeof metrics.value>[0], labels?: Parameters<typeof metrics.value>[1]) => metrics.value(name, labels),
  };
}

interface Row {
  readonly title: string;
  readonly step: Step;
  readonly request: UpdateRequestOverrides;
  readonly changed?: boolean;
  readonly status: Partial<UpdateRequestStatus>;
  readonly conditions?: readonly string[];
  readonly events?: readonly string[];
  readonly audit?: readonly string[];
}

const both = (reason: string, onRequest = reason) => [`request ${onRequest}`, `workload ${reason}`];

const rows: readonly Row[] = [
  {
    title: 'a new request is Pending',
    step: { kind: 'open' },
    request: { status: {} },
    status: { phase: 'Pending' },
    events: both('UpdateAvailable'),
  },
  {
    title: 'an approval by kubectl is completed',
    step: { kind: 'accept-approval' },
    request: { status: { phase: 'Approved' } },
    status: { phase: 'Approved', approvedBy: 'unknown', approvedAt: now },
    events: both('UpdateApproved'),
    audit: ['approve unknown success kubernetes'],
  },
  {
    title: 'a name that kubectl wrote is kept',
    step: { kind: 'accept-approval' },
    request: { status: { phase: 'Approved', approvedBy: 'bob' } },
    status: { phase: 'Approved', approvedBy: 'bob', approvedAt: now },
    events: both('UpdateApproved'),
    audit: ['approve bob success kubernetes'],
  },
  {
    title: 'a rejection by kubectl is completed',
    step: { kind: 'accept-rejection' },
    request: { status: { phase: 'Rejected', rejectedBy: 'bob', message: 'not now' } },
    status: { phase: 'Rejected', rejectedBy: 'bob', rejectedAt: now, message: 'not now', rejectionReason: 'not now' },
    events: both('UpdateRejected'),
    audit: ['reject bob success kubernetes'],
  },
  {
    title: 'an illegal phase is put back',
    step: { kind: 'put-back', message: 'the phase cannot go' },
    request: { status: { ...pending, phase: 'Completed' } },
    status: { phase: 'Pending' },
    events: both('InvalidTransition'),
  },
  {
    title: 'whoever set an illegal phase has not approved',
    step: { kind: 'put-back', message: 'the phase cannot go' },
    request: { status: { ...pending, phase: 'Completed', approvedBy: 'me', rejectedBy: 'me' } },
    status: { phase: 'Pending' },
    events: both('InvalidTransition'),
  },
  {
    title: 'a direct request that is put back stays approved by policy',
    step: { kind: 'put-back', message: 'the phase cannot go' },
    request: { spec: direct, status: { phase: 'Pending', createdAt: at } },
    status: { phase: 'Approved', approvedBy: 'webhook', approvedAt: now },
    events: both('InvalidTransition'),
  },
  {
    title: 'nobody decided',
    step: { kind: 'expire', message: 'nobody decided' },
    request: { status: pending },
    status: { phase: 'Expired', message: 'nobody decided' },
    conditions: ['Applied False UpdateExpired'],
    events: both('UpdateExpired'),
    audit: ['expire headwind success operator nobody decided'],
  },
  {
    title: 'superseded',
    step: { kind: 'supersede', message: '1.27 takes its place' },
    request: { status: waiting },
    status: { ...approved, phase: 'Expired', message: '1.27 takes its place' },
    conditions: ['Applied False TooSoon', 'Superseded True UpdateSuperseded'],
    events: both('UpdateSuperseded'),
    audit: ['supersede headwind success operator 1.27 takes its place'],
  },
  {
    title: 'superseded because the tag moved',
    step: { kind: 'supersede', reason: 'DigestChanged', message: 'moved' },
    request: { status: pending },
    status: { phase: 'Expired', message: 'moved' },
    conditions: ['Superseded True DigestChanged'],
    events: both('UpdateSuperseded'),
    audit: ['supersede headwind success operator moved'],
  },
  ...(['UpdateFailed', 'CrossNamespace', 'InvalidReference'] as const).map(
    (reason): Row => ({
      title: `impossible: ${reason}`,
      step: { kind: 'fail', reason, message: 'correct this' },
      request: { status: {} },
      status: { phase: 'Failed', message: 'correct this' },
      conditions: [`Applied False ${reason}`],
      events: both(reason),
      audit: [`apply webhook failed operator ${reason}`],
    }),
  ),
  {
    title: 'in place already: completed',
    step: { kind: 'complete', container: 'web' },
    request: { status: approved },
    status: { ...approved, phase: 'Completed', message: 'web: nginx:1.25 → nginx:1.26 applied' },
    conditions: ['Applied True UpdateApplied'],
    events: both('UpdateApplied', 'UpdateCompleted'),
    audit: ['apply alice success operator'],
  },
  {
    title: 'in place already, direct: approved by what made it known',
    step: { kind: 'complete', container: 'web' },
    request: { spec: { ...direct, trigger: 'polling' }, status: {} },
    status: { phase: 'Completed', approvedBy: 'polling', approvedAt: now, message: 'web: nginx:1.25 → nginx:1.26 applied' },
    conditions: ['Applied True UpdateApplied'],
    events: both('UpdateApplied', 'UpdateCompleted'),
    audit: ['apply polling success operator'],
  },
  {
    title: 'verified, a person decides',
    step: { kind: 'verified', digest: 'sha256:x' },
    request: { status: unverified },
    status: { phase: 'Pending' },
    conditions: ['Verified True UpdateAvailable'],
  },
  {
    title: 'verified, the policy decides',
    step: { kind: 'verified', digest: 'sha256:x' },
    request: { spec: direct, status: unverified },
    status: { phase: 'Approved', approvedBy: 'webhook', approvedAt: now },
    conditions: ['Verified True UpdateAvailable'],
  },
  {
    title: 'not verified: needs a person',
    step: { kind: 'unverified', message: 'no answer', wakeAtMs: 0 },
    request: { spec: direct, status: {} },
    status: { phase: 'Pending' },
    conditions: ['Verified Unknown RegistryUnavailable'],
    events: both('RegistryUnavailable'),
  },
  {
    title: 'not verified, an approval by the policy is taken back',
    step: { kind: 'unverified', message: 'no answer', wakeAtMs: 0 },
    request: { spec: direct, status: { ...approved, approvedBy: 'webhook' } },
    status: { phase: 'Pending' },
    conditions: ['Verified Unknown RegistryUnavailable'],
    events: both('RegistryUnavailable'),
  },
  {
    title: 'waits: the first status of a direct request says that it is verified',
    step: { kind: 'wait', reason: 'TooSoon', message: 'not before noon' },
    request: { spec: direct, status: {} },
    changed: false,
    status: { phase: 'Approved', approvedBy: 'webhook', approvedAt: now },
    conditions: ['Verified True UpdateAvailable', 'Applied False TooSoon'],
    events: both('TooSoon'),
  },
  {
    title: 'waits: one made by hand was not verified yet',
    step: { kind: 'wait', reason: 'Paused', message: 'paused' },
    request: { spec: { ...direct, trigger: 'manual' }, status: {} },
    changed: false,
    status: { phase: 'Approved', approvedBy: 'manual', approvedAt: now },
    conditions: ['Applied False Paused'],
    events: both('Paused'),
  },
  {
    title: 'waits for another reason',
    step: { kind: 'wait', reason: 'RolloutInProgress', message: '1 of 2' },
    request: { status: waiting },
    changed: false,
    status: approved,
    conditions: ['Applied False RolloutInProgress', 'Verified True UpdateAvailable'],
    events: both('RolloutInProgress'),
  },
  {
    title: 'waits for another time: written, not told',
    step: { kind: 'wait', reason: 'TooSoon', message: 'not before one' },
    request: { status: { ...waiting, conditions: [condition('Verified', 'True', 'UpdateAvailable'), ...(waiting.conditions ?? [])] } },
    changed: false,
    status: approved,
    conditions: ['Verified True UpdateAvailable', 'Applied False TooSoon'],
  },
];

describe('operator/request-transitions', () => {
  for (const { title, step, request, changed = true, status, conditions = [], events = [], audit = [] } of rows) {
    it(title, async () => {
      const found = await take(step, request);
      assert.deepEqual(
        {
          changed: found.changed,
          writes: found.writes,
          status: found.status,
          conditions: found.conditions,
          events: found.events,
          audit: found.audit,
        },
        { changed, writes: 1, status: { createdAt: at, ...status, lastUpdated: now }, conditions, events, audit },
      );
    });
  }

  const silent: readonly (readonly [string, Step, UpdateRequestOverrides])[] = [
    ['nothing', { kind: 'nothing' }, { status: pending }],
    ['verify', { kind: 'verify' }, { status: pending }],
    ['apply', { kind: 'apply', container: 'web', digest: undefined }, { status: approved }],
    ['still not verified', { kind: 'unverified', message: 'still no answer', wakeAtMs: 0 }, { status: unverified }],
    ['still too soon', { kind: 'wait', reason: 'TooSoon', message: 'not before noon' }, { status: waiting }],
    [
      'the sentence about a rollout changed',
      { kind: 'wait', reason: 'RolloutInProgress', message: '2 of 3 pods' },
      { status: { ...approved, conditions: [condition('Applied', 'False', 'RolloutInProgress', '1 of 3 pods')] } },
    ],
  ];
  for (const [title, step, request] of silent) {
    it(`${title}: no write and no word`, async () => {
      const { changed, writes, events, audit } = await take(step, request);
      assert.deepEqual({ changed, writes, events, audit }, { changed: false, writes: 0, events: [], audit: [] });
    });
  }

  it('counts what came of a change', async () => {
    const labels = (result: string) => ({ kind: 'Deployment', policy: 'minor', trigger: 'webhook', result });
    const completed = await take({ kind: 'complete', container: 'web' }, { status: approved });
    assert.deepEqual([completed.count('updates_applied_total'), completed.count('updates_total', labels('applied'))], [1, 1]);
    const failed = await take({ kind: 'fail', reason: 'UpdateFailed', message: '' }, { status: {} });
    assert.deepEqual([failed.count('updates_failed_total'), failed.count('updates_total', labels('failed'))], [1, 1]);
    const expired = await take({ kind: 'expire', message: '' }, { status: pending });
    assert.equal(expired.count('updates_total', labels('expired')), 1);
    const superseded = await take({ kind: 'supersede', message: '' }, { status: pending });
    assert.equal(superseded.count('updates_total', labels('superseded')), 1);
    const tooSoon = await take({ kind: 'wait', reason: 'TooSoon', message: '' }, { status: approved });
    assert.equal(tooSoon.count('updates_skipped_interval_total'), 1);
    const approval = await take({ kind: 'accept-approval' }, { status: { phase: 'Approved' } });
    assert.equal(approval.count('updates_approved_total'), 1);
    const rejection = await take({ kind: 'accept-rejection' }, { status: { phase: 'Rejected' } });
    assert.equal(rejection.count('updates_rejected_total'), 1);
  });

  it('says what changes from what to what', async () => {
    const { says } = await take({ kind: 'open' }, { status: {} });
    assert.equal(says[0], 'web: nginx:1.25 → nginx:1.26 waits for approval (UpdateRequest web-web-1-26-0a1b2c3d)');
  });

  it('names the request that was put back, and its phase', async () => {
    const { says } = await take({ kind: 'put-back', message: 'the phase cannot go' }, { status: { ...pending, phase: 'Completed' } });
    assert.equal(says[0], 'UpdateRequest web-web-1-26-0a1b2c3d: the phase cannot go; it is Pending again');
  });

  it('without the workload the Event still belongs to the object that the request names', async () => {
    const request = anUpdateRequest({ status: pending });
    const { deps, updateRequests, events } = anOperator({ requests: [request] });
    const stored = updateRequests.get('shop', request.metadata.name);
    assert.ok(stored);
    await carryOut({ kind: 'supersede', message: 'gone' }, { request: stored, workload: undefined, deps, signal });
    assert.deepEqual(events.emitted, [
      `UpdateRequest shop/${request.metadata.name} UpdateSuperseded`,
      'Deployment shop/web UpdateSuperseded',
    ]);
  });
});
