import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import { describePods } from '../../test/contracts/pods.ts';
import { aRunningPod } from '../../test/fakes/pods.ts';
import type { ApiObject } from '../../test/fakes/api-objects.ts';
import { collections, putNode, putRevision, putWorkload, type RolloutKind } from '../../test/fakes/api-pods.ts';
import { patchObject } from '../../test/fakes/api-writes.ts';
import { startKubeApi } from '../../test/fakes/kube-api.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { KubePods } from './pods.ts';

const signal = new AbortController().signal;
const digestOf = (image: string) => `sha256:${createHash('sha256').update(image).digest('hex')}`;
const kinds: readonly RolloutKind[] = ['Deployment', 'StatefulSet', 'DaemonSet'];

/** The workload as the cache would have it. */
function workloadOf(kind: RolloutKind, { metadata }: ApiObject): Workload {
  return aWorkload({ kind, name: metadata['name'], namespace: metadata['namespace'], uid: metadata['uid'] });
}

async function start(t: TestContext) {
  const { api, client } = await startKubeApi(t);
  putNode(api.objects, 'node-1');
  const time = { ms: 1_000 };
  return { api, objects: api.objects, pods: new KubePods({ client, now: () => time.ms }), time };
}

const namesOf = (pods: readonly { name: string }[]) => pods.map(({ name }) => name).sort();

describePods('KubePods', async (t) => {
  const { objects, pods } = await start(t);
  return {
    pods,
    digestOf,
    images: ['nginx:1.25', 'busybox:1'],
    run: async (kind, name, images, initImages = {}) =>
      workloadOf(kind, putWorkload(objects, kind, name, [{ number: 1, hash: 'a', pods: 2, images, initImages, digestOf }])),
    createCronJob: async (name) => aWorkload({ kind: 'CronJob', apiVersion: 'batch/v1', name }),
    remove: async ({ kind, namespace, name }) => {
      objects.delete(collections[kind as RolloutKind], `${namespace}/${name}`);
    },
  };
});

describe('kubernetes/pods', () => {
  for (const kind of kinds) {
    it(`during a rollout of a ${kind} all pods are its own, those of the newest revision are current`, async (t) => {
      const { objects, pods } = await start(t);
      const revisions = [
        { number: 1, hash: 'a', pods: 2 },
        { number: 2, hash: 'b', pods: 1 },
      ];
      const workload = workloadOf(kind, putWorkload(objects, kind, 'web', revisions));
      const found = await pods.of(workload, signal);
      assert.deepEqual(Object.fromEntries(found.map(({ name, isCurrentRevision }) => [name, isCurrentRevision])), {
        'web-a-0': false,
        'web-a-1': false,
        'web-b-0': true,
      });
    });

    it(`before the controller of a ${kind} has seen the latest template, no pod is current`, async (t) => {
      const { objects, pods } = await start(t);
      const workload = workloadOf(kind, putWorkload(objects, kind, 'web', [{ number: 1, hash: 'a' }]));
      patchObject(objects, collections[kind], 'shop/web', { spec: { template: { metadata: { annotations: { restarted: 'now' } } } } });
      assert.deepEqual(
        (await pods.of(workload, signal)).map(({ isCurrentRevision }) => isCurrentRevision),
        [false],
      );
    });

    it(`pods with the labels of a ${kind} that belong to others, or to nobody, do not count`, async (t) => {
      const { objects, pods } = await start(t);
      const workload = putWorkload(objects, kind, 'web', [{ number: 1, hash: 'a' }]);
      const namesake = { ...workload, metadata: { ...workload.metadata, uid: 'its predecessor' } };
      putRevision(objects, kind, namesake, { number: 9, hash: 'z' });
      const metadata = { name: 'bare', namespace: 'shop', labels: { app: 'web' } };
      objects.put(collections.Pod, { metadata, spec: { containers: [] }, status: { phase: 'Running' } });
      const found = await pods.of(workloadOf(kind, workload), signal);
      assert.deepEqual(
        found.map(({ name, isCurrentRevision }) => [name, isCurrentRevision]),
        [['web-a-0', true]],
      );
    });
  }

  it('after a rollback the older ReplicaSet is the newest revision again', async (t) => {
    const { objects, pods } = await start(t);
    const revisions = [
      { number: 2, hash: 'b' },
      { number: 3, hash: 'a' },
    ];
    const found = await pods.of(workloadOf('Deployment', putWorkload(objects, 'Deployment', 'web', revisions)), signal);
    assert.deepEqual(namesOf(found.filter(({ isCurrentRevision }) => isCurrentRevision)), ['web-a-0']);
  });

  const gone: { title: string; patch: object }[] = [
    { title: 'terminating', patch: { metadata: { deletionTimestamp: '2026-01-15T10:00:00Z' } } },
    { title: 'succeeded', patch: { status: { phase: 'Succeeded' } } },
    { title: 'evicted', patch: { status: { phase: 'Failed', reason: 'Evicted' } } },
  ];
  for (const { title, patch } of gone) {
    it(`a pod that is ${title} does not count`, async (t) => {
      const { objects, pods } = await start(t);
      const workload = workloadOf('Deployment', putWorkload(objects, 'Deployment', 'web', [{ number: 1, hash: 'a', pods: 2 }]));
      patchObject(objects, collections.Pod, 'shop/web-a-0', patch);
      assert.deepEqual(namesOf(await pods.of(workload, signal)), ['web-a-1']);
    });
  }

  it('asks with the whole selector', async (t) => {
    const { api, objects, pods } = await start(t);
    const workload = putWorkload(objects, 'Deployment', 'web', [{ number: 1, hash: 'a' }]);
    const selector = {
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'pod-template-hash', operator: 'In', values: ['a', 'b'] },
        { key: 'canary', operator: 'DoesNotExist' },
      ],
    };
    patchObject(objects, collections.Deployment, 'shop/web', { spec: { selector }, status: { observedGeneration: 2 } });
    assert.deepEqual(namesOf(await pods.of(workloadOf('Deployment', workload), signal)), ['web-a-0']);
    const asked = api.of('list').map(({ query }) => query.get('labelSelector'));
    assert.deepEqual(new Set(asked), new Set(['app=web,pod-template-hash in (a,b),!canary']));
  });

  it('reads the workload, its pods and its revisions once, and the node once for ten minutes', async (t) => {
    const { api, objects, pods, time } = await start(t);
    const workload = workloadOf('Deployment', putWorkload(objects, 'Deployment', 'web', [{ number: 1, hash: 'a', pods: 3 }]));
    const requestsOf = async () => {
      api.requests.length = 0;
      await pods.of(workload, signal);
      return api.requests.map(({ kind, collection }) => `${kind} ${collection.replace(/.*\//, '')}`);
    };
    const without = ['get deployments', 'list pods', 'list replicasets'];
    assert.deepEqual(await requestsOf(), [...without, 'get nodes']);
    assert.deepEqual(await requestsOf(), without);
    time.ms += 10 * 60_000 + 1;
    assert.deepEqual(await requestsOf(), [...without, 'get nodes']);
  });

  it('reads many pods in pages', async (t) => {
    const { api, objects, pods } = await start(t);
    const workload = workloadOf('StatefulSet', putWorkload(objects, 'StatefulSet', 'web', [{ number: 1, hash: 'a', pods: 450 }]));
    assert.equal((await pods.of(workload, signal)).length, 450);
    assert.deepEqual(
      api.of('list').map(({ query }) => query.get('limit')),
      ['200', '200', '200'],
    );
  });

  it('begins again when the position between two pages has expired, but not for ever', async (t) => {
    const { api, objects, pods } = await start(t);
    const workload = workloadOf('StatefulSet', putWorkload(objects, 'StatefulSet', 'web', [{ number: 1, hash: 'a', pods: 250 }]));
    api.fail({ on: 'list', times: 2, status: 410 });
    assert.equal((await pods.of(workload, signal)).length, 250);
    api.fail({ on: 'list', times: 3, status: 410 });
    await assert.rejects(pods.of(workload, signal), (error) => error instanceof ApiError && error.status === 410);
  });

  it('what it may not read is an error that names it', async (t) => {
    const { api, objects, pods } = await start(t);
    const workload = workloadOf('Deployment', putWorkload(objects, 'Deployment', 'web', [{ number: 1, hash: 'a' }]));
    api.fail({ on: 'list', status: 403, message: 'pods is forbidden' });
    await assert.rejects(pods.of(workload, signal), (error) => error instanceof ApiError && /pods is forbidden/.test(error.message));
  });

  it('a refusal to delete is an error', async (t) => {
    const { api, objects, pods } = await start(t);
    const workload = workloadOf('Deployment', putWorkload(objects, 'Deployment', 'web', [{ number: 1, hash: 'a' }]));
    const [pod = aRunningPod()] = await pods.of(workload, signal);
    api.fail({ on: 'delete', status: 403 });
    await assert.rejects(pods.delete(workload, pod, signal), (error) => error instanceof ApiError && error.status === 403);
    await pods.delete(workload, pod, signal);
    assert.deepEqual(JSON.parse(api.of('delete').at(-1)?.body ?? ''), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid: pod.uid },
    });
  });
});
