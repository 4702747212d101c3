import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { UpdateRequest } from '../../src/core/update-request-schema.ts';
import type { Workload } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import type { NewUpdateRequest, UpdateRequests } from '../../src/ports.ts';
import { anUpdateRequest } from '../builders.ts';

export interface UpdateRequestsWorld {
  readonly requests: UpdateRequests;
  /** Exists, in a namespace in which the suite may do as it likes. */
  readonly owner: Workload;
  /** Somebody else sets the phase; visible in `requests` when it resolves. */
  readonly setPhase: (request: UpdateRequest, phase: 'Approved' | 'Rejected') => Promise<void>;
  /** Somebody else deletes it; gone from `requests` when it resolves. */
  readonly remove: (request: UpdateRequest) => Promise<void>;
}

const signal = new AbortController().signal;

/** Every implementation of the port, the fake included, must pass this one suite. */
export function describeUpdateRequests(name: string, start: (t: TestContext) => Promise<UpdateRequestsWorld>): void {
  describe(`${name} keeps the contract of UpdateRequests`, () => {
    it('a created request is visible at once, by name, all, and by target, without a status', async (t) => {
      const { requests, owner } = await start(t);
      const created = await requests.create(aNewRequest(owner, 'created'), signal);
      assert.deepEqual(created.status, {});
      assert.equal(created.metadata.name, 'created');
      assert.equal(created.spec.newImage, 'nginx:1.26');
      assert.equal(created.spec.targetRef.uid, owner.uid);
      assert.deepEqual(requests.get(owner.namespace, 'created'), created);
      assert.deepEqual(requests.of(owner), [created]);
      assert.deepEqual(requests.of({ ...owner, name: 'another' }), []);
      assert.deepEqual(
        [...requests.all()].filter(({ metadata }) => metadata.namespace === owner.namespace),
        [created],
      );
    });

    it('a request counts in its own namespace only, whatever namespace it names', async (t) => {
      const { requests, owner } = await start(t);
      const { spec, ...rest } = aNewRequest(owner, 'foreign');
      const foreign = { ...rest, spec: { ...spec, targetRef: { ...spec.targetRef, namespace: 'somewhere-else' } } };
      const created = await requests.create(foreign, signal);
      assert.deepEqual(requests.of(owner), [created]);
      assert.deepEqual(requests.of({ ...owner, namespace: 'somewhere-else' }), []);
    });

    it('a name is taken once', async (t) => {
      const { requests, owner } = await start(t);
      await requests.create(aNewRequest(owner, 'twice'), signal);
      await assert.rejects(requests.create(aNewRequest(owner, 'twice'), signal), isApiError(409));
    });

    it('setStatus replaces the members that are given, removes those that are undefined, and leaves the rest', async (t) => {
      const { requests, owner } = await start(t);
      const created = await requests.create(aNewRequest(owner, 'status'), signal);
      const pending = await requests.setStatus(created, { phase: 'Pending', message: 'waits', createdAt: '2026-01-15T10:00:00Z' }, signal);
      assert.equal(requests.get(owner.namespace, 'status')?.status.phase, 'Pending');
      const conditions = [
        { type: 'Verified', status: 'True', reason: 'NewerTag', message: 'seen', lastTransitionTime: '2026-01-15T10:00:00Z' },
      ] as const;
      const next = await requests.setStatus(pending, { phase: 'Approved', message: undefined, conditions: [...conditions] }, signal);
      const { lastUpdated: _time, ...status } = next.status;
      assert.deepEqual(status, { phase: 'Approved', createdAt: '2026-01-15T10:00:00Z', conditions });
      assert.deepEqual(requests.get(owner.namespace, 'status'), next);
      assert.notEqual(next.metadata.resourceVersion, pending.metadata.resourceVersion);
      assert.deepEqual(next.spec, created.spec);
    });

    it('setNewDigest fills the digest and nothing else', async (t) => {
      const { requests, owner } = await start(t);
      const { newDigest: _digest, ...spec } = aNewRequest(owner, 'digest').spec;
      const created = await requests.create({ ...aNewRequest(owner, 'digest'), spec }, signal);
      const digest = `sha256:${'d'.repeat(64)}`;
      const filled = await requests.setNewDigest(created, digest, signal);
      assert.deepEqual(filled.spec, { ...created.spec, newDigest: digest });
      assert.deepEqual(requests.get(owner.namespace, 'digest'), filled);
      await assert.rejects(requests.setNewDigest(created, digest, signal), isApiError(409));
    });

    it('a status decided on an old version is a conflict and changes nothing', async (t) => {
      const { requests, owner, setPhase } = await start(t);
      const old = await requests.create(aNewRequest(owner, 'conflict'), signal);
      await setPhase(old, 'Approved');
      await assert.rejects(requests.setStatus(old, { phase: 'Rejected' }, signal), isApiError(409));
      assert.equal(requests.get(owner.namespace, 'conflict')?.status.phase, 'Approved');
    });

    it('a deleted request is gone at once, also from its target', async (t) => {
      const { requests, owner } = await start(t);
      const created = await requests.create(aNewRequest(owner, 'deleted'), signal);
      await requests.delete(created, signal);
      assert.equal(requests.get(owner.namespace, 'deleted'), undefined);
      assert.deepEqual(requests.of(owner), []);
    });

    it('a request that is gone is NotFound', async (t) => {
      const { requests, owner, remove } = await start(t);
      const created = await requests.create(aNewRequest(owner, 'gone'), signal);
      await remove(created);
      await assert.rejects(requests.setStatus(created, { phase: 'Approved' }, signal), isApiError(404));
      await assert.rejects(requests.delete(created, signal), isApiError(404));
    });

    it('another request of the same name is not deleted', async (t) => {
      const { requests, owner, remove } = await start(t);
      const first = await requests.create(aNewRequest(owner, 'again'), signal);
      await remove(first);
      const second = await requests.create(aNewRequest(owner, 'again'), signal);
      await assert.rejects(requests.delete(first, signal), isApiError(409));
      assert.equal(requests.get(owner.namespace, 'again')?.metadata.uid, second.metadata.uid);
    });

    it('nothing is written once the signal has aborted', async (t) => {
      const { requests, owner } = await start(t);
      const created = await requests.create(aNewRequest(owner, 'aborted'), signal);
      const aborted = AbortSignal.abort(new Error('lost'));
      await assert.rejects(requests.create(aNewRequest(owner, 'never'), aborted), /lost/);
      await assert.rejects(requests.setStatus(created, { phase: 'Approved' }, aborted), /lost/);
      await assert.rejects(requests.delete(created, aborted), /lost/);
      assert.deepEqual(requests.of(owner), [created]);
    });
  });
}

function aNewRequest(owner: Workload, name: string): NewUpdateRequest {
  const { apiVersion, kind, namespace, name: target, uid } = owner;
  return {
    namespace,
    name,
    owner,
    spec: anUpdateRequest({ spec: { targetRef: { apiVersion, kind, namespace, name: target, uid } } }).spec,
  };
}

function isApiError(status: number) {
  return (error: unknown) => error instanceof ApiError && error.status === status;
}
