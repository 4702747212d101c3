import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { describeWorkloads } from '../../test/contracts/workloads.ts';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import { turnUntil } from '../../test/fakes/turn-until.ts';
import type { FakeApiServer } from '../../test/fakes/api-server.ts';
import { patchObject, Refusal } from '../../test/fakes/api-writes.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { Log } from '../ports.ts';
import { KubeWorkloads } from './workloads.ts';

const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const signal = new AbortController().signal;
const deployments = '/apis/apps/v1/deployments';
const cronJobs = '/apis/batch/v1/cronjobs';

function containersOf(images: Readonly<Record<string, string>>) {
  return Object.entries(images).map(([name, image]) => ({ name, image, ports: [{ containerPort: 80 }] }));
}

function aDeployment(name: string, images: Readonly<Record<string, string>> = { web: 'nginx:1.25' }, namespace = 'shop'): any {
  return {
    metadata: { name, namespace, annotations: { 'headwind.sh/policy': 'minor', 'app.io/team': 'shop' } },
    spec: { replicas: 1, template: { metadata: { labels: { app: name } }, spec: { containers: containersOf(images) } } },
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
}

/** The adapter over a fake API server that already has `objects`, in step with it. */
async function start(t: TestContext, fill: (api: FakeApiServer) => void = nothing, watchNamespaces: readonly string[] = []) {
  const { api, client } = await startKubeApi(t);
  fill(api);
  const workloads = new KubeWorkloads({ client, log, watchNamespaces });
  const keys: string[] = [];
  workloads.onChange((key, { initial }) => keys.push(initial ? `${key} initial` : key));
  const stop = new AbortController();
  const running = workloads.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  await turnUntil(() => workloads.sources.every(({ state }) => state === 'synced'));
  return { api, client, workloads, keys };
}

describe('kubernetes/workloads', () => {
  it('a kind whose right is withheld on purpose is not watched', async (t) => {
    const { client } = await startKubeApi(t);
    const workloads = new KubeWorkloads({ client, log, watchNamespaces: [], withheld: new Set(['cronjobs.batch']) });
    assert.deepEqual(
      workloads.sources.map(({ resource }) => resource),
      ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps'],
    );
    assert.equal(workloads.get({ kind: 'CronJob', namespace: 'shop', name: 'backup' }), undefined);
  });
});

describeWorkloads('KubeWorkloads', async (t) => {
  const { api, workloads } = await start(t);
  const seen = async (workload: { kind: string; namespace: string; name: string }, is: (found: Workload | undefined) => boolean) => {
    await turnUntil(() => is(workloads.get(workload)));
  };
  return {
    workloads,
    namespace: 'shop',
    create: async (name, images, initImages = {}) => {
      const raw = aDeployment(name, images);
      raw.spec.template.spec.initContainers = containersOf(initImages);
      api.objects.put(deployments, raw);
      const ref = { kind: 'Deployment', namespace: 'shop', name };
      await seen(ref, (found) => found !== undefined);
      return workloads.get(ref)!;
    },
    annotate: async (workload, key, value) => {
      patchObject(api.objects, deployments, `${workload.namespace}/${workload.name}`, { metadata: { annotations: { [key]: value } } });
      await seen(workload, (found) => found?.annotations[key] === value);
    },
    templateAnnotations: async ({ kind, namespace, name }) => {
      const stored: any = api.objects.get(kind === 'CronJob' ? cronJobs : deployments, `${namespace}/${name}`);
      return (stored.spec.jobTemplate?.spec ?? stored.spec).template.metadata.annotations ?? {};
    },
    createCronJob: async (name, images) => {
      const { metadata, spec } = aDeployment(name, images);
      api.objects.put(cronJobs, { metadata, spec: { schedule: '@daily', jobTemplate: { spec } } });
      const ref = { kind: 'CronJob', namespace: 'shop', name };
      await seen(ref, (found) => found !== undefined);
      return workloads.get(ref)!;
    },
    remove: async (workload) => {
      api.objects.delete(deployments, `${workload.namespace}/${workload.name}`);
      await seen(workload, (found) => found === undefined);
    },
  };
});

describe('kubernetes/workloads', () => {
  it('sees all kinds, and only what is managed', async (t) => {
    const { workloads, keys } = await start(t, ({ objects }) => {
      objects.put(deployments, aDeployment('web'));
      objects.put('/apis/apps/v1/statefulsets', aDeployment('db'));
      objects.put('/apis/apps/v1/daemonsets', aDeployment('agent'));
      const { metadata, spec } = aDeployment('report');
      objects.put(cronJobs, { metadata, spec: { jobTemplate: { spec: spec } } });
      objects.put(deployments, { ...aDeployment('other'), metadata: { name: 'other', namespace: 'shop' } });
      objects.put(deployments, { ...aDeployment('odd'), spec: null });
    });
    const found = [...workloads.all()].map(({ kind, name }) => `${kind}/shop/${name}`).sort();
    assert.deepEqual(found, ['CronJob/shop/report', 'DaemonSet/shop/agent', 'Deployment/shop/web', 'StatefulSet/shop/db']);
    assert.deepEqual(
      keys.sort(),
      found.map((key) => `${key} initial`),
    );
    assert.deepEqual([...workloads.using('docker.io/library/nginx')].length, 4);
  });

  it('the patch holds image, our annotations and the version, and nothing else', async (t) => {
    const { api, workloads } = await start(t, ({ objects }) => {
      const raw = aDeployment('web', { web: 'nginx:1.25', log: 'fluentd:1.16' });
      raw.spec.template.spec.initContainers = containersOf({ prepare: 'busybox:1' });
      objects.put(deployments, raw);
    });
    const before = workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' })!;
    const images = new Map([
      ['web', 'nginx:1.26'],
      ['prepare', 'busybox:2'],
    ]);
    await workloads.apply(before, { images, annotations: { 'headwind.sh/last-update': 'now' } }, signal);
    assert.deepEqual(sentTo(api), [
      {
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/shop/deployments/web',
        query: { fieldManager: 'headwind' },
        contentType: 'application/strategic-merge-patch+json',
        body: {
          metadata: { resourceVersion: before.resourceVersion, annotations: { 'headwind.sh/last-update': 'now' } },
          spec: {
            template: {
              spec: { containers: [{ name: 'web', image: 'nginx:1.26' }], initContainers: [{ name: 'prepare', image: 'busybox:2' }] },
            },
          },
        },
      },
    ]);
    const stored = api.objects.get(deployments, 'shop/web')!;
    assert.deepEqual(stored.metadata['annotations']['app.io/team'], 'shop');
    assert.deepEqual(stored['spec'].template.spec.containers[0].ports, [{ containerPort: 80 }]);
  });

  it('a restart by label is a merge patch of that manager', async (t) => {
    const { api, workloads } = await start(t, ({ objects }) => void objects.put(deployments, aDeployment('web')));
    const before = workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' })!;
    const restart = { annotation: 'kube-autorollout/restartedAt', at: '2026-01-15T10:00:00Z', fieldManager: 'kube-autorollout' } as const;
    await workloads.apply(before, { images: new Map(), annotations: { 'headwind.sh/digests': '{}' }, restart }, signal);
    assert.deepEqual(sentTo(api), [
      {
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/shop/deployments/web',
        query: { fieldManager: 'kube-autorollout' },
        contentType: 'application/merge-patch+json',
        body: {
          metadata: { resourceVersion: before.resourceVersion, annotations: { 'headwind.sh/digests': '{}' } },
          spec: { template: { metadata: { annotations: { 'kube-autorollout/restartedAt': '2026-01-15T10:00:00Z' } } } },
        },
      },
    ]);
  });

  it('the patch of a CronJob reaches its job template', async (t) => {
    const { api, workloads } = await start(t, ({ objects }) => {
      const { metadata, spec } = aDeployment('report');
      objects.put(cronJobs, { metadata, spec: { schedule: '@daily', jobTemplate: { spec } } });
    });
    const before = workloads.get({ kind: 'CronJob', namespace: 'shop', name: 'report' })!;
    await workloads.apply(before, { images: new Map([['web', 'nginx:1.26']]), annotations: {} }, signal);
    assert.equal(sentTo(api)[0]?.path, '/apis/batch/v1/namespaces/shop/cronjobs/report');
    assert.deepEqual(sentTo(api)[0]?.body, {
      metadata: { resourceVersion: before.resourceVersion },
      spec: { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'web', image: 'nginx:1.26' }] } } } } },
    });
  });

  it('a refusal of the API server keeps its words', async (t) => {
    const { api, workloads } = await start(t, ({ objects }) => void objects.put(deployments, aDeployment('web')));
    api.intercept = () => {
      throw new Refusal(422, 'Invalid', 'admission webhook "policy" denied the request: image not allowed');
    };
    const before = workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' })!;
    const change = { images: new Map([['web', 'nginx:1.26']]), annotations: {} };
    await assert.rejects(workloads.apply(before, change, signal), (error) => {
      assert.ok(error instanceof ApiError && error.isRefusal);
      assert.match(error.message, /image not allowed/);
      return true;
    });
  });

  it('wakes a key when something changes that decisions read, and not for other changes', async (t) => {
    const { api, workloads, keys } = await start(t, ({ objects }) => void objects.put(deployments, aDeployment('web')));
    keys.length = 0;
    const status = (change: object) => patchObject(api.objects, deployments, 'shop/web', { status: change }, { status: true });
    status({ conditions: [{ type: 'Available', lastUpdateTime: 'later' }] });
    status({ availableReplicas: 0 });
    await turnUntil(() => workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' })?.rollout.healthy === false);
    patchObject(api.objects, deployments, 'shop/web', { metadata: { annotations: { 'app.io/team': 'other' } } });
    patchObject(api.objects, deployments, 'shop/web', { metadata: { annotations: { 'headwind.sh/policy': 'none' } } });
    await turnUntil(() => keys.length >= 2);
    patchObject(api.objects, deployments, 'shop/web', { metadata: { annotations: { 'headwind.sh/policy': null } } });
    await turnUntil(() => workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' }) === undefined);
    assert.deepEqual(keys, ['Deployment/shop/web', 'Deployment/shop/web', 'Deployment/shop/web']);
    assert.deepEqual([...workloads.using('docker.io/library/nginx')], []);
  });

  it('a label that comes or goes wakes the key, although nothing else changes', async (t) => {
    const { api, workloads, keys } = await start(t, ({ objects }) => void objects.put(deployments, aDeployment('web')));
    keys.length = 0;
    const web = () => workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' });
    const patch = (metadata: object) => patchObject(api.objects, deployments, 'shop/web', { metadata });
    patch({ labels: { 'kube-autorollout/enabled': 'true' } });
    await turnUntil(() => web()?.autorollout === true);
    patch({ annotations: { 'headwind.sh/policy': null } });
    await turnUntil(() => keys.length === 2);
    assert.deepEqual(web()?.annotations, {});
    patch({ labels: { 'kube-autorollout/enabled': null } });
    await turnUntil(() => web() === undefined);
    assert.deepEqual(keys, ['Deployment/shop/web', 'Deployment/shop/web', 'Deployment/shop/web']);
  });

  it('a DaemonSet that gets its first node wakes the key', async (t) => {
    const daemonSets = '/apis/apps/v1/daemonsets';
    const { api, workloads, keys } = await start(t, ({ objects }) => {
      objects.put(daemonSets, { ...aDeployment('agent'), status: { observedGeneration: 1, desiredNumberScheduled: 0 } });
    });
    keys.length = 0;
    const agent = () => workloads.get({ kind: 'DaemonSet', namespace: 'shop', name: 'agent' });
    assert.equal(agent()?.wantsNoPods, true);
    patchObject(api.objects, daemonSets, 'shop/agent', { status: { desiredNumberScheduled: 1 } }, { status: true });
    await turnUntil(() => agent()?.wantsNoPods === false);
    assert.deepEqual(keys, ['DaemonSet/shop/agent']);
  });

  it('watches only the namespaces of the list', async (t) => {
    const fill = ({ objects }: FakeApiServer) => {
      for (const namespace of ['shop', 'team-a', 'other']) objects.put(deployments, aDeployment('web', undefined, namespace));
    };
    const { workloads } = await start(t, fill, ['shop', 'team-a']);
    assert.deepEqual([...workloads.all()].map(({ namespace }) => namespace).sort(), ['shop', 'team-a']);
    assert.equal(workloads.get({ kind: 'Deployment', namespace: 'other', name: 'web' }), undefined);
    assert.deepEqual(
      workloads.sources.filter(({ resource }) => resource === 'deployments.apps').map(({ namespace }) => namespace),
      ['shop', 'team-a'],
    );
  });

  it('a listener can be taken away', async (t) => {
    const { api, workloads } = await start(t);
    const mine: string[] = [];
    const others: string[] = [];
    const end = workloads.onChange((key) => mine.push(key));
    workloads.onChange((key) => others.push(key));
    end();
    api.objects.put(deployments, aDeployment('web'));
    await turnUntil(() => others.length === 1);
    assert.deepEqual(mine, []);
  });
});
