import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest } from '../../test/builders.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { FakeUpdateRequests } from '../../test/fakes/update-requests.ts';
import type { UpdateRequest, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { ApiError } from '../errors.ts';
import type { AuditEntry } from '../ports.ts';
import { approveRequest, type Caller, deleteRequest, rejectRequest, waitUntilApplied } from './decide-request.ts';

const now = '2026-01-15T11:00:00Z';
const ref = { namespace: 'shop', name: 'web-web-1-26-0a1b2c3d' };
const caller: Caller = { username: 'alice', verified: false, source: 'api', auth_mode: 'none' };
const { signal } = new AbortController();
const digest = `sha256:${'b'.repeat(64)}`;
const applied = (status: 'True' | 'False', reason: string): UpdateRequestStatus['conditions'] => [
  { type: 'Applied', status, reason, message: 'a sentence', lastTransitionTime: now },
];

function aWorld(request: UpdateRequest | undefined = anUpdateRequest()) {
  const requests = new FakeUpdateRequests(request ? [request] : []);
  const audits: AuditEntry[] = [];
  const announcer = { events: new RecordingEvents(), metrics: new RecordingMetrics(), log: new RecordingLog() };
  const audit = (entry: AuditEntry): void => void audits.push(entry);
  const deps = { requests, changes: requests.changes, clock: { now: () => Date.parse(now) }, audit, announcer };
  return { requests, audits, deps, announcer, stored: () => requests.get(ref.namespace, ref.name) };
}

const approvals: readonly [title: string, status: UpdateRequestStatus, options: { digest?: string; force?: boolean }, outcome: string][] = [
  ['a Pending request', { phase: 'Pending' }, {}, 'ok'],
  ['a request without status', {}, {}, 'ok'],
  ['with the digest that was shown', { phase: 'Pending' }, { digest }, 'ok'],
  ['with an old digest', { phase: 'Pending' }, { digest: `sha256:${'a'.repeat(64)}` }, 'DigestChanged'],
  ['one that is Approved', { phase: 'Approved', approvedAt: now }, {}, 'WrongPhase'],
  ['one that is Completed', { phase: 'Completed', approvedAt: now, conditions: applied('True', 'UpdateApplied') }, {}, 'WrongPhase'],
  ['one that is Rejected', { phase: 'Rejected', rejectedAt: now }, {}, 'WrongPhase'],
];

const rejections: readonly [title: string, status: UpdateRequestStatus, outcome: string][] = [
  ['a Pending request', { phase: 'Pending' }, 'ok'],
  ['an Approved request that was not applied yet', { phase: 'Approved', approvedAt: now }, 'ok'],
  ['an Approved request that waits', { phase: 'Approved', approvedAt: now, conditions: applied('False', 'TooSoon') }, 'ok'],
  [
    'an Approved request whose rollout is watched',
    { phase: 'Approved', approvedAt: now, conditions: applied('True', 'Progressing') },
    'WrongPhase',
  ],
  ['one that is Rejected', { phase: 'Rejected', rejectedAt: now }, 'WrongPhase'],
  ['one that Failed', { phase: 'Failed', conditions: applied('False', 'PatchRefused') }, 'WrongPhase'],
];

describe('operator/decide-request', () => {
  for (const [title, status, options, outcome] of approvals) {
    it(`approve ${title}: ${outcome}`, async () => {
      const world = aWorld(anUpdateRequest({ status }));
      const verdict = await approveRequest(world.deps, caller, ref, options, signal);
      assert.equal(verdict.ok ? 'ok' : verdict.reason, outcome);
      assert.equal(world.requests.writes.length, outcome === 'ok' ? 1 : 0);
      assert.deepEqual([world.audits.length, world.audits[0]?.result], [1, outcome === 'ok' ? 'success' : 'failed']);
    });
  }

  for (const [title, status, outcome] of rejections) {
    it(`reject ${title}: ${outcome}`, async () => {
      const world = aWorld(anUpdateRequest({ status }));
      const verdict = await rejectRequest(world.deps, caller, ref, {}, signal);
      assert.equal(verdict.ok ? 'ok' : verdict.reason, outcome);
      assert.equal(world.requests.writes.length, outcome === 'ok' ? 1 : 0);
    });
  }

  it('writes who approved and when, and audits the change with its images', async () => {
    const world = aWorld();
    await approveRequest(world.deps, caller, ref, { force: true }, signal);
    assert.deepEqual(world.stored()?.status, { phase: 'Approved', approvedBy: 'alice', approvedAt: now, lastUpdated: now, force: true });
    assert.deepEqual(world.audits, [
      {
        ...caller,
        ...ref,
        action: 'approve',
        force: true,
        resource_type: 'UpdateRequest',
        target_kind: 'Deployment',
        target_name: 'web',
        from_image: 'nginx:1.25',
        to_image: 'nginx:1.26',
        digest,
        result: 'success',
      },
    ]);
  });

  it('writes who rejected, when and why', async () => {
    const world = aWorld();
    await rejectRequest(world.deps, caller, ref, { reason: ' not on a Friday ' }, signal);
    assert.deepEqual(world.stored()?.status, {
      phase: 'Rejected',
      rejectedBy: 'alice',
      rejectedAt: now,
      message: 'not on a Friday',
      rejectionReason: 'not on a Friday',
      lastUpdated: now,
    });
    assert.equal(world.audits[0]?.reason, 'not on a Friday');
  });

  it('counts and announces what was decided, and nothing that was refused', async () => {
    const approved = aWorld();
    await approveRequest(approved.deps, caller, ref, {}, signal);
    await approveRequest(approved.deps, caller, ref, {}, signal);
    assert.deepEqual(approved.announcer.events.emitted, [
      `UpdateRequest shop/${ref.name} UpdateApproved`,
      'Deployment shop/web UpdateApproved',
    ]);
    assert.equal(approved.announcer.metrics.value('updates_approved_total'), 1);
    const rejected = aWorld();
    await rejectRequest(rejected.deps, caller, ref, {}, signal);
    assert.equal(rejected.announcer.metrics.value('updates_rejected_total'), 1);
  });

  it('a rejection without words says so', async () => {
    const world = aWorld();
    await rejectRequest(world.deps, caller, ref, { reason: ' ' }, signal);
    assert.equal(world.stored()?.status.message, 'Rejected by user');
  });

  it('two approvals at once: one wins, the other sees Approved', async () => {
    const world = aWorld();
    const verdicts = await Promise.all([1, 2].map(() => approveRequest(world.deps, caller, ref, {}, signal)));
    assert.deepEqual(verdicts.map((verdict) => (verdict.ok ? 'ok' : verdict.reason)).sort(), ['WrongPhase', 'ok']);
    assert.equal(world.requests.writes.filter((entry) => entry.includes('Approved')).length, 1);
  });

  it('a lost race is read and judged again', async () => {
    const world = aWorld();
    world.requests.beforeWrite = () => world.requests.put(anUpdateRequest({ status: { phase: 'Pending', message: 'verified' } }));
    const verdict = await approveRequest(world.deps, caller, ref, {}, signal);
    assert.equal(verdict.ok, true);
    assert.equal(world.stored()?.status.message, 'verified');
  });

  it('waits for the cache before it judges again after a lost race', async () => {
    const world = aWorld();
    const conflict = new ApiError(409, 'Conflict', 'modified');
    world.requests.failure = conflict;
    const deciding = approveRequest(world.deps, caller, ref, {}, signal);
    setImmediate(() => world.requests.put(anUpdateRequest({ status: { phase: 'Rejected', rejectedAt: now } })));
    const verdict = await deciding;
    assert.equal(verdict.ok ? '' : verdict.reason, 'WrongPhase');
  });

  it('gives up when it loses every race', async () => {
    const world = aWorld();
    const lose = (): void => {
      world.requests.put(anUpdateRequest());
      world.requests.beforeWrite = lose;
    };
    world.requests.beforeWrite = lose;
    const verdict = await approveRequest(world.deps, caller, ref, {}, signal);
    assert.equal(verdict.ok ? '' : verdict.reason, 'LostRace');
  });

  it('a missing request is NotFound, also when only the cache still knows it', async () => {
    const missing = aWorld(undefined);
    missing.requests.remove(ref.namespace, ref.name);
    assert.deepEqual(await approveRequest(missing.deps, caller, ref, {}, signal), { ok: false, reason: 'NotFound' });
    const gone = aWorld();
    gone.requests.beforeWrite = () => gone.requests.remove(ref.namespace, ref.name);
    assert.deepEqual(await rejectRequest(gone.deps, caller, ref, {}, signal), { ok: false, reason: 'NotFound' });
    assert.equal(gone.audits[0]?.reason, 'NotFound');
  });

  it('a failure of the API server is audited and thrown', async () => {
    const world = aWorld();
    world.requests.failure = new ApiError(0, '', 'connection refused');
    await assert.rejects(approveRequest(world.deps, caller, ref, {}, signal), { code: 'Unreachable' });
    assert.deepEqual([world.audits[0]?.result, world.audits[0]?.reason], ['failed', 'Unreachable']);
  });

  it('deletes a request of any phase', async () => {
    const world = aWorld(anUpdateRequest({ status: { phase: 'Rejected', rejectedAt: now } }));
    assert.equal((await deleteRequest(world.deps, caller, ref, signal)).ok, true);
    assert.equal(world.stored(), undefined);
    assert.equal((await deleteRequest(world.deps, caller, ref, signal)).ok, false);
    assert.deepEqual(
      world.audits.map(({ action, result }) => [action, result]),
      [
        ['delete', 'success'],
        ['delete', 'failed'],
      ],
    );
  });

  it('waits until the request is applied', async () => {
    const world = aWorld(anUpdateRequest({ status: { phase: 'Approved', approvedAt: now } }));
    const waiting = waitUntilApplied(world.deps, ref, 60_000, signal);
    world.requests.put(anUpdateRequest({ status: { phase: 'Approved', approvedAt: now, message: 'still' } }));
    world.requests.put(anUpdateRequest({ status: { phase: 'Completed', approvedAt: now, conditions: applied('True', 'UpdateApplied') } }));
    assert.equal((await waiting)?.status.phase, 'Completed');
  });

  it('waits no longer than told, nor beyond the signal, and ends when the request is deleted', async () => {
    const world = aWorld(anUpdateRequest({ status: { phase: 'Approved', approvedAt: now } }));
    assert.equal((await waitUntilApplied(world.deps, ref, 0, signal))?.status.phase, 'Approved');
    assert.equal((await waitUntilApplied(world.deps, ref, 5, signal))?.status.phase, 'Approved');
    assert.equal((await waitUntilApplied(world.deps, ref, 60_000, AbortSignal.abort()))?.status.phase, 'Approved');
    const waiting = waitUntilApplied(world.deps, ref, 60_000, signal);
    world.requests.remove(ref.namespace, ref.name);
    assert.equal(await waiting, undefined);
  });
});
