import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { localRbac } from '../../build/rbac.ts';
import type { Workload, WorkloadKind } from '../../src/core/workload.ts';
import { KubeClient } from '../../src/kubernetes/client.ts';
import { loadClusterAccess } from '../../src/kubernetes/kubeconfig.ts';
import { KubePods } from '../../src/kubernetes/pods.ts';
import { KubeWorkloads } from '../../src/kubernetes/workloads.ts';
import type { Log, RestartMark, RunningPod } from '../../src/ports.ts';
import { type FakeKubelet, onFakeKubelet, startFakeKubelet } from '../cluster/fake-kubelet.ts';
import { onKwok } from '../cluster/kwok.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { describePods } from '../contracts/pods.ts';
import { atEnd } from './at-end.ts';
import { install, operatorKubeconfig } from './install.ts';
import { type Kind, kinds, workload, type WorkloadOptions } from './manifests.ts';

const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const signal = new AbortController().signal;
const rolling = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;

/** The adapters in a namespace of its own, with exactly the shipped rights unless another kubeconfig is given. */
async function start(t: TestContext, kubeconfigOf?: (namespace: string) => Promise<string>) {
  const { cluster, registry } = await sharedCluster();
  await install(cluster);
  const namespace = await cluster.namespace('pods');
  atEnd(t, () => namespace.delete());
  const kubeconfig = await (kubeconfigOf ? kubeconfigOf(namespace.name) : operatorKubeconfig(cluster));
  const client = new KubeClient(await loadClusterAccess({ kubeconfig, environment: {} }), { version: 'test' });
  atEnd(t, () => client.close());
  const workloads = new KubeWorkloads({ client, log, watchNamespaces: [namespace.name] });
  const stop = new AbortController();
  const running = workloads.run(stop.signal);
  atEnd(t, async () => {
    stop.abort();
    await running;
  });
  const pathOf = (kind: Kind, name: string) =>
    `/apis/${kinds[kind].apiVersion}/namespaces/${namespace.name}/${kinds[kind].resource}/${name}`;
  /** As the cache has it, once that is so. */
  const untilCached = async (kind: WorkloadKind, name: string, is: (found: Workload) => boolean = () => true): Promise<Workload> => {
    const find = () => workloads.get({ kind, namespace: namespace.name, name });
    await cluster.until(`${kind} ${name} is as expected`, async (see) => {
      const found = find();
      see(found);
      return found !== undefined && is(found);
    });
    return find()!;
  };
  const deploy = async ({ kind = 'Deployment', name = 'app', ...options }: WorkloadOptions): Promise<Workload> => {
    await cluster.apply(workload({ kind, name, ...options }), { namespace: namespace.name });
    await cluster.untilRolledOut(pathOf(kind, name));
    return await untilCached(kind, name, ({ rollout }) => rollout.healthy);
  };
  return { cluster, registry, namespace: namespace.name, client, workloads, pods: new KubePods({ client }), pathOf, untilCached, deploy };
}

/** A node of the test's own, which it steers. */
async function startNode(t: TestContext, node: string, options: { architecture?: string } = {}): Promise<FakeKubelet> {
  const { cluster, registry } = await sharedCluster();
  const kubelet = await startFakeKubelet({ controlPlane: cluster, registries: [registry], node, ...options });
  atEnd(t, () => kubelet.stop());
  return kubelet;
}

describePods('KubePods on a real API server', async (t) => {
  const { cluster, registry, pods, namespace, pathOf, deploy, untilCached } = await start(t);
  const digests = new Map<string, string>();
  for (const repository of ['team/pods-web', 'team/pods-prepare']) {
    digests.set(registry.reference(repository, '1'), await registry.push(repository, '1'));
  }
  const [web = '', prepare = ''] = digests.keys();
  return {
    pods,
    images: [web, prepare],
    digestOf: (image) => digests.get(image) ?? '',
    run: (kind, name, containers, initContainers = {}) =>
      deploy({ kind, name, containers, initContainers, podSpec: onFakeKubelet, ...(kind !== 'DaemonSet' && { spec: { replicas: 2 } }) }),
    createCronJob: async (name) => {
      await cluster.apply(workload({ kind: 'CronJob', name, image: web }), { namespace });
      return await untilCached('CronJob', name);
    },
    remove: async ({ kind, name }) => {
      await cluster.admin.delete(pathOf(kind, name));
      await cluster.untilObject(pathOf(kind, name), (object) => object === undefined);
    },
  };
});

const restart = (fieldManager: RestartMark['fieldManager']): RestartMark => ({
  annotation: fieldManager === 'headwind' ? 'kubectl.kubernetes.io/restartedAt' : 'kube-autorollout/restartedAt',
  at: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  fieldManager,
});

/** `old a`, `current starting`: revision, and the digest that its only container runs. */
function summary(pods: readonly RunningPod[], names: Readonly<Record<string, string>>): string[] {
  return pods
    .map(({ isCurrentRevision, isReady, containers: [container] }) => {
      const runs = container?.digest === undefined ? (container?.waiting ?? 'nothing') : (names[container.digest] ?? container.digest);
      return `${isCurrentRevision ? 'current' : 'old'} ${runs}${isReady ? '' : ' not ready'}`;
    })
    .toSorted();
}

describe('pods on a real API server', () => {
  for (const kind of rolling) {
    for (const fieldManager of ['headwind', 'kube-autorollout'] as const) {
      it(`a restart of a ${kind} by ${fieldManager} rolls once; during and after it the pods are told apart`, async (t) => {
        const { cluster, registry, workloads, pods, pathOf, deploy, untilCached } = await start(t);
        const kubelet = await startNode(t, `node-${kind.toLowerCase()}-${fieldManager}`);
        const repository = `team/roll-${kind.toLowerCase()}-${fieldManager}`;
        const image = registry.reference(repository, 'latest');
        const [first, second] = [await registry.push(repository, 'latest'), await registry.push(repository, 'latest', { salt: 'rebuilt' })];
        const names = { [first]: 'first', [second]: 'second' };
        await registry.push(repository, 'latest');
        const replicas = kind === 'DaemonSet' ? {} : { replicas: 2 };
        const before = await deploy({ kind, image, podSpec: kubelet.placement, spec: { ...replicas, progressDeadlineSeconds: undefined } });
        const all = (what: string) => Array.from({ length: kind === 'DaemonSet' ? 1 : 2 }, () => what);
        assert.deepEqual(summary(await pods.of(before, signal), names), all('current first'));

        await registry.push(repository, 'latest', { salt: 'rebuilt' });
        kubelet.slowPull(image);
        const digests = { 'headwind.sh/digests': JSON.stringify({ app: second }) };
        const mark = restart(fieldManager);
        const patched = await workloads.apply(before, { images: new Map(), annotations: digests, restart: mark }, signal);
        assert.equal(patched.generation, before.generation + 1);
        const during = { Deployment: ['current', 'old', 'old'], StatefulSet: ['current', 'old'], DaemonSet: ['current'] }[kind];
        const expected = during.map((which) => (which === 'old' ? 'old first' : 'current ContainerCreating not ready'));
        await cluster.until(`pods are ${expected.join(', ')}`, async (see) => {
          const found = summary(await pods.of(patched, signal), names);
          see(found);
          return JSON.stringify(found) === JSON.stringify(expected);
        });

        kubelet.releasePull(image);
        const after = await untilCached(kind, 'app', ({ rollout }) => rollout.healthy);
        assert.equal(after.generation, before.generation + 1);
        assert.deepEqual(after.slots, before.slots);
        await cluster.until('only new pods are there', async (see) => {
          const found = summary(await pods.of(after, signal), names);
          see(found);
          return JSON.stringify(found) === JSON.stringify(all('current second'));
        });

        const stored = await cluster.admin.get(pathOf(kind, 'app'));
        assert.deepEqual(stored?.['spec'].template.metadata.annotations, { [mark.annotation]: mark.at });
        const managed: any[] = stored?.metadata['managedFields'];
        const ours = managed.filter(({ manager }) => manager === fieldManager);
        assert.deepEqual(
          ours.map(({ operation, fieldsV1 }) => [operation, Object.keys(fieldsV1).toSorted()]),
          [['Update', ['f:metadata', 'f:spec']]],
        );
        assert.deepEqual(Object.keys(ours[0].fieldsV1['f:spec']), ['f:template']);
      });
    }
  }

  it('after an undo the older ReplicaSet is the newest revision', async (t) => {
    const { cluster, registry, pods, namespace, deploy, untilCached, pathOf } = await start(t);
    const images = ['1', '2'].map((tag) => registry.reference('team/undo', tag));
    for (const tag of ['1', '2']) await registry.push('team/undo', tag);
    const [one = '', two = ''] = images;
    await deploy({ image: one, podSpec: onFakeKubelet });
    await deploy({ image: two, podSpec: onFakeKubelet });
    await cluster.kubectl('rollout', 'undo', 'deployment/app', '--namespace', namespace);
    await cluster.untilRolledOut(pathOf('Deployment', 'app'));
    const workload = await untilCached('Deployment', 'app', ({ rollout, slots }) => rollout.healthy && slots[0]?.image === one);
    await cluster.until('one pod of the first image is current', async (see) => {
      const found = (await pods.of(workload, signal)).map(({ isCurrentRevision, containers }) => [isCurrentRevision, containers[0]?.image]);
      see(found);
      return JSON.stringify(found) === JSON.stringify([[true, one]]);
    });
  });

  it('a DaemonSet on several nodes: each pod, of the newest ControllerRevision', async (t) => {
    const { cluster, pods, workloads, deploy, untilCached } = await start(t);
    const before = await deploy({ kind: 'DaemonSet', image: 'registry.example/agent:1', podSpec: onKwok });
    await workloads.apply(before, { images: new Map(), annotations: {}, restart: restart('headwind') }, signal);
    const after = await untilCached('DaemonSet', 'app', ({ rollout, generation }) => generation > before.generation && rollout.healthy);
    await cluster.until('all pods are of the newest revision', async (see) => {
      const found = await pods.of(after, signal);
      see(found);
      return found.length >= 3 && found.every(({ isCurrentRevision, platform }) => isCurrentRevision && platform?.os === 'linux');
    });
  });

  it('the whole selector counts, and a namesake in its labels does not', async (t) => {
    const { cluster, pods, namespace, deploy, untilCached, pathOf } = await start(t);
    await deploy({ name: 'neighbour', image: 'registry.example/neighbour:1' });
    const labels = { app: 'neighbour', tier: 'web' };
    const manifest: any = workload({ image: 'registry.example/app:1' });
    manifest.spec.selector = {
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['web', 'api'] },
        { key: 'canary', operator: 'DoesNotExist' },
      ],
    };
    manifest.spec.template.metadata.labels = labels;
    const bare = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bare', labels },
      spec: { ...onKwok, containers: [{ name: 'app', image: 'a:1' }] },
    };
    await cluster.apply([manifest, bare], { namespace });
    await cluster.untilRolledOut(pathOf('Deployment', 'app'));
    const found = await pods.of(await untilCached('Deployment', 'app'), signal);
    assert.deepEqual(
      found.flatMap(({ containers }) => containers.map(({ image }) => image)),
      ['registry.example/app:1'],
    );
  });

  it('a pod that cannot be pulled says so, and the platform is that of its node', async (t) => {
    const { cluster, registry, pods, namespace, untilCached } = await start(t);
    const kubelet = await startNode(t, 'node-arm', { architecture: 'arm64' });
    const image = registry.reference('team/not-there', 'latest');
    await cluster.apply(workload({ image, podSpec: kubelet.placement }), { namespace });
    const app = await untilCached('Deployment', 'app');
    await cluster.until('its pod waits for its image', async (see) => {
      const [pod] = await pods.of(app, signal);
      see(pod);
      return pod?.containers[0]?.waiting === 'ImagePullBackOff';
    });
    const [pod] = await pods.of(app, signal);
    assert.deepEqual(pod?.platform, { os: 'linux', architecture: 'arm64' });
    assert.deepEqual([pod?.isReady, pod?.containers[0]?.digest, pod?.containers[0]?.image], [false, undefined, image]);
  });

  for (const strategy of ['RollingUpdate', 'Recreate']) {
    it(`a rollout by ${strategy} that makes no progress has failed, until it gets on`, async (t) => {
      const { cluster, registry, namespace, deploy, untilCached, pathOf } = await start(t);
      const spec = { progressDeadlineSeconds: 1, strategy: { type: strategy } };
      const [repository, tag] = ['team/stalled', strategy.toLowerCase()];
      await registry.push(repository, 'good');
      await deploy({ image: registry.reference(repository, 'good'), podSpec: onFakeKubelet, spec });
      await cluster.apply(workload({ image: registry.reference(repository, tag), podSpec: onFakeKubelet, spec }), { namespace });
      const app = await untilCached('Deployment', 'app', ({ rollout }) => rollout.failed === true);
      assert.deepEqual([app.rollout.settled, app.rollout.healthy], [strategy === 'Recreate', false]);
      await registry.push(repository, tag);
      await cluster.untilRolledOut(pathOf('Deployment', 'app'));
      const after = await untilCached('Deployment', 'app', ({ rollout }) => rollout.healthy);
      assert.equal(after.rollout.failed, undefined);
    });
  }

  it('back at the template before, the failure of the one after it no longer counts', async (t) => {
    const { cluster, registry, workloads, deploy, untilCached, namespace, pathOf } = await start(t);
    const spec = { progressDeadlineSeconds: 2 };
    await registry.push('team/back', 'good');
    const good = { image: registry.reference('team/back', 'good'), podSpec: onFakeKubelet, spec };
    await deploy(good);
    await cluster.apply(workload({ ...good, image: registry.reference('team/back', 'bad') }), { namespace });
    const bad = await untilCached('Deployment', 'app', ({ rollout }) => rollout.failed === true);
    const seen: Workload[] = [];
    workloads.onChange(() => seen.push(workloads.get(bad) ?? bad));
    await cluster.apply(workload(good), { namespace });
    await cluster.untilRolledOut(pathOf('Deployment', 'app'));
    await untilCached('Deployment', 'app', ({ rollout }) => rollout.healthy);
    const rollouts = seen.filter(({ generation }) => generation > bad.generation).map(({ rollout }) => rollout);
    assert.ok(rollouts.length > 0);
    assert.deepEqual(
      rollouts.filter(({ failed }) => failed),
      [],
    );
  });

  it('with the rights of one namespace everything works but the platform', async (t) => {
    const { cluster } = await sharedCluster();
    const { pods, deploy } = await start(t, async (namespace) => {
      const rbac: any[] = localRbac(namespace);
      await cluster.apply(rbac, { namespace });
      return cluster.kubeconfigFor(`local-${namespace}`, await cluster.serviceAccountToken(namespace, 'headwind'));
    });
    const app = await deploy({ image: 'registry.example/app:1' });
    const found = await pods.of(app, signal);
    assert.deepEqual(
      found.map(({ isCurrentRevision, platform }) => [isCurrentRevision, platform]),
      [[true, undefined]],
    );
  });
});
