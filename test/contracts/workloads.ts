import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Workload } from '../../src/core/workload.ts';
import { ApiError } from '../../src/errors.ts';
import type { RestartMark, WorkloadChange, Workloads } from '../../src/ports.ts';

export interface WorkloadsWorld {
  readonly workloads: Workloads;
  /** In which the suite may do as it likes. */
  readonly namespace: string;
  /** A managed Deployment with these images by container, visible in `workloads` when it resolves. */
  readonly create: (
    name: string,
    images: Readonly<Record<string, string>>,
    initImages?: Readonly<Record<string, string>>,
  ) => Promise<Workload>;
  /** Somebody else changes an annotation of the object; visible in `workloads` when it resolves. */
  readonly annotate: (workload: Workload, key: string, value: string) => Promise<void>;
  /** The object vanishes; so it does from `workloads` when it resolves. */
  readonly remove: (workload: Workload) => Promise<void>;
  /** The annotations of the pod template as they are stored. */
  readonly templateAnnotations: (workload: Workload) => Promise<Readonly<Record<string, string>>>;
  /** A managed CronJob, if there can be one. */
  readonly createCronJob: (name: string, images: Readonly<Record<string, string>>) => Promise<Workload>;
}

const signal = new AbortController().signal;
const last = { 'headwind.sh/last-update': '2026-01-15T10:00:00Z' };

const restart: RestartMark = {
  annotation: 'kubectl.kubernetes.io/restartedAt',
  at: '2026-01-15T10:00:00Z',
  fieldManager: 'headwind',
};
const restartByLabel: RestartMark = { ...restart, annotation: 'kube-autorollout/restartedAt', fieldManager: 'kube-autorollout' };

function change(images: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = last): WorkloadChange {
  return { images: new Map(Object.entries(images)), annotations };
}

function imagesOf(workload: Workload | undefined): Record<string, string> {
  return Object.fromEntries((workload?.slots ?? []).map(({ container, image }) => [container, image]));
}

/** Every implementation of the port, the fake included, must pass this one suite. */
export function describeWorkloads(name: string, start: (t: TestContext) => Promise<WorkloadsWorld>): void {
  describe(`${name} keeps the contract of Workloads`, () => {
    it('gives what is there, by name, all, and by repository', async (t) => {
      const { workloads, create, namespace } = await start(t);
      await create('by-name', { web: 'quay.io/acme/web:1', log: 'fluentd:1.16' });
      const found = workloads.get({ kind: 'Deployment', namespace, name: 'by-name' });
      assert.deepEqual(imagesOf(found), { web: 'quay.io/acme/web:1', log: 'fluentd:1.16' });
      const names = (listed: Iterable<Workload>) =>
        [...listed].filter((workload) => workload.namespace === namespace).map((each) => each.name);
      assert.deepEqual(names(workloads.all()), ['by-name']);
      assert.deepEqual(names(workloads.using('quay.io/acme/web')), ['by-name']);
      assert.deepEqual(names(workloads.using('docker.io/library/fluentd')), ['by-name']);
      assert.deepEqual(names(workloads.using('docker.io/library/web')), []);
      assert.equal(workloads.get({ kind: 'StatefulSet', namespace, name: 'by-name' }), undefined);
      assert.equal(workloads.get({ kind: 'Unknown', namespace, name: 'by-name' }), undefined);
    });

    it('applies a change, which is visible at once with a new generation and version', async (t) => {
      const { workloads, create } = await start(t);
      const before = await create('apply', { web: 'nginx:1.25', log: 'fluentd:1.16' }, { prepare: 'busybox:1' });
      const answer = await workloads.apply(before, change({ web: 'nginx:1.26', prepare: 'busybox:2' }), signal);
      const seen = workloads.get(before);
      for (const after of [answer, seen]) {
        assert.deepEqual(imagesOf(after), { web: 'nginx:1.26', log: 'fluentd:1.16', prepare: 'busybox:2' });
        assert.equal(after?.annotations['headwind.sh/last-update'], last['headwind.sh/last-update']);
        assert.equal(after?.annotations['headwind.sh/policy'], 'minor');
        assert.ok((after?.generation ?? 0) > before.generation);
        assert.equal(after?.rollout.settled, false);
      }
      assert.notEqual(answer.resourceVersion, before.resourceVersion);
    });

    it('the index by repository follows a change', async (t) => {
      const { workloads, create, namespace } = await start(t);
      const before = await create('index', { web: 'nginx:1.25' });
      await workloads.apply(before, change({ web: 'quay.io/acme/nginx:1.26' }), signal);
      const names = (repository: string) =>
        [...workloads.using(repository)].filter((each) => each.namespace === namespace).map((each) => each.name);
      assert.deepEqual(names('docker.io/library/nginx'), []);
      assert.deepEqual(names('quay.io/acme/nginx'), ['index']);
    });

    it('a change of annotations alone changes no image', async (t) => {
      const { workloads, create } = await start(t);
      const before = await create('annotations', { web: 'nginx:1.25' });
      const after = await workloads.apply(before, change({}), signal);
      assert.deepEqual(after.slots, before.slots);
      assert.notEqual(after.resourceVersion, before.resourceVersion);
      assert.equal(after.annotations['headwind.sh/last-update'], last['headwind.sh/last-update']);
    });

    for (const mark of [restart, restartByLabel]) {
      it(`a restart by ${mark.fieldManager} marks the template with ${mark.annotation} and nothing else, and begins a rollout`, async (t) => {
        const { workloads, create, templateAnnotations } = await start(t);
        const before = await create('restart', { web: 'nginx:1.25', log: 'fluentd:1.16' }, { prepare: 'busybox:1' });
        const after = await workloads.apply(before, { ...change({}), restart: mark }, signal);
        assert.deepEqual(after.slots, before.slots);
        assert.equal(after.generation, before.generation + 1);
        assert.equal(after.rollout.settled, false);
        assert.equal(after.annotations['headwind.sh/last-update'], last['headwind.sh/last-update']);
        assert.equal(after.annotations['headwind.sh/policy'], 'minor');
        assert.deepEqual(workloads.get(before), after);
        assert.deepEqual(await templateAnnotations(after), { [mark.annotation]: mark.at });
      });
    }

    it('a restart and images are one change, also by label', async (t) => {
      const { workloads, create, templateAnnotations } = await start(t);
      const before = await create('restart-image', { web: 'nginx:1.25', log: 'fluentd:1.16' });
      const after = await workloads.apply(before, { ...change({ web: 'nginx:1.26' }), restart: restartByLabel }, signal);
      assert.deepEqual(imagesOf(after), { web: 'nginx:1.26', log: 'fluentd:1.16' });
      assert.equal(after.generation, before.generation + 1);
      assert.deepEqual(await templateAnnotations(after), { 'kube-autorollout/restartedAt': restart.at });
    });

    it('the same mark again changes nothing: within one second there is one restart', async (t) => {
      const { workloads, create } = await start(t);
      const first = await workloads.apply(await create('restart-twice', { web: 'nginx:1.25' }), { ...change({}), restart }, signal);
      const again = await workloads.apply(workloads.get(first) ?? first, { ...change({}), restart }, signal).catch(isConflict);
      assert.ok(again === true || again.generation === first.generation);
      assert.equal(workloads.get(first)?.generation, first.generation);
    });

    it('a restart decided on an old version is a conflict and marks nothing', async (t) => {
      const { workloads, create, annotate, templateAnnotations } = await start(t);
      const old = await create('restart-conflict', { web: 'nginx:1.25' });
      await annotate(old, 'headwind.sh/policy', 'patch');
      for (const mark of [restart, restartByLabel]) {
        await assert.rejects(workloads.apply(old, { ...change({}), restart: mark }, signal), isApiError(409));
      }
      assert.deepEqual(await templateAnnotations(old), {});
    });

    it('a CronJob is never restarted', async (t) => {
      const { workloads, createCronJob, templateAnnotations } = await start(t);
      const before = await createCronJob('report', { web: 'nginx:1.25' });
      await assert.rejects(workloads.apply(before, { ...change({}), restart }, signal), /^Error: CronJob .*\/report is never restarted/);
      assert.deepEqual(await templateAnnotations(before), {});
    });

    it('a change that changes nothing is accepted and gives the object as it is', async (t) => {
      const { workloads, create } = await start(t);
      const before = await create('nothing', { web: 'nginx:1.25' });
      const after = await workloads.apply(before, change({ web: 'nginx:1.25' }, { 'headwind.sh/policy': 'minor' }), signal);
      assert.deepEqual(after, before);
      assert.deepEqual(workloads.get(before), before);
    });

    it('a change decided on an old version is a conflict and changes nothing', async (t) => {
      const { workloads, create, annotate } = await start(t);
      const old = await create('conflict', { web: 'nginx:1.25' });
      await annotate(old, 'headwind.sh/policy', 'patch');
      await assert.rejects(workloads.apply(old, change({ web: 'nginx:1.26' }), signal), isApiError(409));
      assert.deepEqual(imagesOf(workloads.get(old)), { web: 'nginx:1.25' });
      assert.equal(workloads.get(old)?.annotations['headwind.sh/policy'], 'patch');
    });

    it('a container that is not there is never added', async (t) => {
      const { workloads, create } = await start(t);
      const before = await create('unknown-container', { web: 'nginx:1.25' });
      await assert.rejects(workloads.apply(before, change({ api: 'nginx:1.26' }), signal), /has no container api/);
      assert.deepEqual(imagesOf(workloads.get(before)), { web: 'nginx:1.25' });
    });

    it('a change of an object that is gone is NotFound', async (t) => {
      const { workloads, create, remove } = await start(t);
      const before = await create('gone', { web: 'nginx:1.25' });
      await remove(before);
      assert.equal(workloads.get(before), undefined);
      await assert.rejects(workloads.apply(before, change({ web: 'nginx:1.26' }), signal), isApiError(404));
    });

    it('nothing is applied once the signal has aborted', async (t) => {
      const { workloads, create } = await start(t);
      const before = await create('aborted', { web: 'nginx:1.25' });
      await assert.rejects(workloads.apply(before, change({ web: 'nginx:1.26' }), AbortSignal.abort(new Error('lost'))), /lost/);
      assert.deepEqual(imagesOf(workloads.get(before)), { web: 'nginx:1.25' });
    });
  });
}

function isConflict(error: unknown): true {
  assert.ok(error instanceof ApiError && error.isConflict);
  return true;
}

function isApiError(status: number) {
  return (error: unknown) => error instanceof ApiError && error.status === status;
}
