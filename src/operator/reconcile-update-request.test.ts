import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import type { UpdateRequest, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { ApiError } from '../errors.ts';
import { progressRequests } from './reconcile-update-request.ts';

const signal = new AbortController().signal;
const at = '2026-01-15T10:00:00Z';
const verified = { type: 'Verified', status: 'True', reason: 'UpdateAvailable', message: '', lastTransitionTime: at } as const;
const approved: UpdateRequestStatus = { phase: 'Approved', createdAt: at, approvedBy: 'alice', approvedAt: at, conditions: [verified] };
const justSet: UpdateRequestStatus = { phase: 'Approved', createdAt: at, conditions: [verified] };

function start(requests: readonly UpdateRequest[]) {
  const slots = ['web', 'api'].map((container) => ({ container, init: false, image: 'nginx:1.25' }));
  const workload = aWorkload({ slots });
  const operator = anOperator({ workloads: [workload], requests });
  const digest = operator.registry.push('docker.io/library/nginx', '1.26', `sha256:${'b'.repeat(64)}`);
  const phases = () => [...operator.updateRequests.all()].map(({ status }) => status.phase);
  return { ...operator, digest, phases, progress: () => progressRequests(workload, operator.deps, signal) };
}

const web = (status: UpdateRequestStatus) => anUpdateRequest({ metadata: { name: 'web' }, status });
const api = (status: UpdateRequestStatus) => anUpdateRequest({ metadata: { name: 'api' }, spec: { containerName: 'api' }, status });

describe('operator/reconcile-update-request', () => {
  it('requests that are ready go into one patch', async () => {
    const { progress, workloads, phases } = start([web(approved), api(approved)]);
    assert.deepEqual(await progress(), { changed: true, wakeAtMs: undefined });
    assert.deepEqual(
      workloads.patches.map(({ change }) => [...change.images.keys()]),
      [['web', 'api']],
    );
    assert.deepEqual(phases(), ['Completed', 'Completed']);
  });

  it('one that is just being accepted goes into the same patch as the one that is ready', async () => {
    const { progress, workloads } = start([web(approved), api(justSet)]);
    await progress();
    assert.equal(workloads.patches.length, 0);
    await progress();
    assert.deepEqual(
      workloads.patches.map(({ change }) => [...change.images.keys()]),
      [['web', 'api']],
    );
  });

  it('a request whose precondition fails drops out, the others go on', async () => {
    const gone = anUpdateRequest({
      metadata: { name: 'gone' },
      spec: { containerName: 'api', currentImage: 'nginx:1.20' },
      status: approved,
    });
    const { progress, workloads, phases } = start([web(approved), gone]);
    await progress();
    await progress();
    assert.deepEqual(
      workloads.patches.map(({ change }) => [...change.images.keys()]),
      [['web']],
    );
    assert.deepEqual(phases(), ['Completed', 'Expired']);
  });

  it('a decision while the registry is asked counts', async () => {
    const { progress, registry, updateRequests, workloads } = start([web(approved)]);
    const resolve = registry.resolve.bind(registry);
    registry.resolve = (...question) => {
      const request = updateRequests.get('shop', 'web');
      if (request) updateRequests.put({ ...request, status: { ...request.status, phase: 'Rejected' } });
      return resolve(...question);
    };
    assert.deepEqual(await progress(), { changed: true, wakeAtMs: undefined });
    assert.equal(workloads.patches.length, 0);
  });

  it('the earliest of what is due counts', async () => {
    const first = anUpdateRequest({
      metadata: { name: 'web' },
      spec: { expiresAt: '2026-01-15T13:00:00Z' },
      status: { ...justSet, phase: 'Pending' },
    });
    const second = anUpdateRequest({
      metadata: { name: 'api' },
      spec: { containerName: 'api', expiresAt: '2026-01-15T12:00:00Z' },
      status: { ...justSet, phase: 'Pending' },
    });
    assert.deepEqual(await start([first, second]).progress(), { changed: false, wakeAtMs: Date.parse('2026-01-15T12:00:00Z') });
  });

  it('one question for two containers of one image', async () => {
    const { progress, registry } = start([web(approved), api(approved)]);
    await progress();
    assert.equal(registry.calls.filter((call) => call.startsWith('resolve ')).length, 1);
  });

  it('what is finished costs nothing', async () => {
    const { progress, updateRequests, registry } = start([
      web({ phase: 'Completed' }),
      api({ ...approved, phase: 'Rejected', rejectedAt: at }),
    ]);
    assert.deepEqual(await progress(), { changed: false, wakeAtMs: undefined });
    assert.deepEqual([updateRequests.writes, registry.calls], [[], []]);
  });

  it('a bug is no answer of the registry', async () => {
    const { progress, registry } = start([web(approved)]);
    registry.resolve = () => Promise.reject(new TypeError('a bug'));
    await assert.rejects(progress(), TypeError);
  });

  it('the API server’s trouble is thrown on', async () => {
    const { progress, workloads } = start([web(approved)]);
    workloads.failure = new ApiError(503, '', 'later');
    await assert.rejects(progress(), ApiError);
  });
});
