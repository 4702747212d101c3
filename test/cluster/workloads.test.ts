import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { accessTo } from './access.ts';
import type { TestNamespace } from './access.ts';
import { onFakeKubelet, startFakeKubelet } from './fake-kubelet.ts';
import type { KubeObject, Manifest } from './kube-client.ts';
import { onKwok } from './kwok.ts';
import { startRegistry } from './registry.ts';
import { accessToRegistry } from './registry-client.ts';
import { startTestBed } from './test-bed.ts';
import type { TestBed, TestBedDescription } from './test-bed.ts';
import { makeTestImage } from './test-image.ts';

let bed: TestBed;
let namespace: TestNamespace;

before(async () => {
  bed = await startTestBed({ kwokNodes: 2 });
  namespace = await bed.cluster.namespace('workloads');
});
after(() => bed.stop());

function workload(kind: string, name: string, image: string, podSpec: object = onFakeKubelet): Manifest {
  const template = {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'app', image }], ...podSpec },
  };
  const spec = {
    selector: { matchLabels: { app: name } },
    template,
    ...(kind === 'Deployment' && { progressDeadlineSeconds: 3, replicas: 2 }),
  };
  return { apiVersion: 'apps/v1', kind, metadata: { name, namespace: namespace.name }, spec };
}

function job(name: string, image: string, podSpec: object): Manifest {
  const spec = { restartPolicy: 'Never', containers: [{ name: 'app', image }], ...podSpec };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: namespace.name },
    spec: { backoffLimit: 0, template: { spec } },
  };
}

function pathOf(resource: string, name: string): string {
  return `/apis/${resource === 'jobs' ? 'batch' : 'apps'}/v1/namespaces/${namespace.name}/${resource}/${name}`;
}

function podsOf(name: string): Promise<KubeObject[]> {
  return bed.cluster.admin.list(`/api/v1/namespaces/${namespace.name}/pods?labelSelector=app%3D${name}`);
}

/** Waits until each pod of the workload has a container in that state, and gives the first pod. */
function untilPod(name: string, description: string, predicate: (pod: KubeObject) => boolean): Promise<KubeObject> {
  return bed.cluster.until(`a pod of ${name} ${description}`, async (see) => {
    const pods = await podsOf(name);
    see(pods.map(({ status }) => status));
    return pods.find(predicate);
  });
}

function hasReason(reason: string): (pod: KubeObject) => boolean {
  return ({ status }) => status.containerStatuses?.[0]?.state.waiting?.reason === reason;
}

function runs(digest: string): (pod: KubeObject) => boolean {
  return ({ status }) => status.containerStatuses?.[0].imageID.endsWith(digest);
}

describe('test/cluster/fake-kubelet', () => {
  it('runs a Deployment and reports the digest that the registry serves', async () => {
    const digest = await bed.registry.push('team/good', '1.0.0');
    await bed.cluster.apply(workload('Deployment', 'good', bed.registry.reference('team/good', '1.0.0')));
    await bed.cluster.untilRolledOut(pathOf('deployments', 'good'));
    const pods = await podsOf('good');
    assert.deepEqual(
      pods.map(({ status }) => status.containerStatuses[0].imageID),
      Array(2).fill(`${bed.registry.host}/team/good@${digest}`),
    );
    assert.equal(pods[0]?.['status'].conditions.find(({ type }: any) => type === 'PodScheduled').status, 'True');
  });

  it('reports the new digest of the same tag after a restart, unless it is held', async () => {
    const image = bed.registry.reference('team/latest', 'latest');
    const first = await bed.registry.push('team/latest', 'latest');
    await bed.cluster.apply(workload('StatefulSet', 'latest', image));
    await untilPod('latest', 'runs', ({ status }) => status.containerStatuses?.[0].imageID.endsWith(first));
    await bed.kubelet.holdDigest(image);
    const second = await bed.registry.push('team/latest', 'latest', { salt: 'rebuilt' });
    const restart = () => bed.cluster.admin.delete(`/api/v1/namespaces/${namespace.name}/pods/latest-0`);
    const { metadata } = (await podsOf('latest'))[0]!;
    await restart();
    await untilPod('latest', 'is another one with the held digest', (pod) => {
      return pod.metadata['uid'] !== metadata['uid'] && pod['status'].containerStatuses?.[0].imageID.endsWith(first);
    });
    bed.kubelet.releaseDigest(image);
    await restart();
    await untilPod('latest', 'has the new digest', ({ status }) => status.containerStatuses?.[0].imageID.endsWith(second));
  });

  it('pulls a present image again only if the policy says Always', async () => {
    const image = bed.registry.reference('team/present', '1');
    const first = await bed.registry.push('team/present', '1');
    const withPolicy = (imagePullPolicy: string) => ({ ...onFakeKubelet, containers: [{ name: 'app', image, imagePullPolicy }] });
    await bed.cluster.apply(workload('StatefulSet', 'present', image, withPolicy('IfNotPresent')));
    await untilPod('present', 'runs', runs(first));
    const second = await bed.registry.push('team/present', '1', { salt: 'rebuilt' });
    await bed.cluster.apply(workload('StatefulSet', 'kept', image, withPolicy('IfNotPresent')));
    await bed.cluster.apply(workload('StatefulSet', 'pulled', image, withPolicy('Always')));
    await untilPod('kept', 'runs what was there', runs(first));
    await untilPod('pulled', 'runs what the registry has', runs(second));
  });

  it('shows a slow pull, and one that fails, for as long as the test wants', async () => {
    const image = bed.registry.reference('team/slow', 'latest');
    const digest = await bed.registry.push('team/slow', 'latest');
    bed.kubelet.slowPull(image);
    await bed.cluster.apply(workload('Deployment', 'slow-pull', image));
    const { status } = await untilPod('slow-pull', 'is being made', hasReason('ContainerCreating'));
    assert.deepEqual([status.phase, status.containerStatuses[0].imageID], ['Pending', '']);
    bed.kubelet.breakPull(image);
    await bed.cluster.apply(workload('StatefulSet', 'broken-pull', image));
    await untilPod('broken-pull', 'waits for its image', hasReason('ImagePullBackOff'));
    bed.kubelet.releasePull(image);
    await untilPod('slow-pull', 'runs', runs(digest));
    await untilPod('broken-pull', 'runs', runs(digest));
  });

  it('writes the imageID in the form of any runtime', async (t) => {
    const image = bed.registry.reference('team/forms', 'latest');
    const made = makeTestImage('team/forms', 'latest');
    const { digest, manifests, configs } = made;
    await bed.registry.pushImage('team/forms', 'latest', made);
    const name = `${bed.registry.host}/team/forms`;
    const config = configs[0]?.digest ?? '';
    const forms = {
      platform: `${name}@${manifests['linux/amd64']?.digest}`,
      docker: `docker-pullable://${name}@${digest}`,
      config,
      bare: config.replace('sha256:', ''),
      index: `${name}@${digest}`,
    };
    t.after(() => bed.kubelet.writeImageIds('index'));
    for (const form of ['platform', 'docker', 'config', 'bare', 'index'] as const) {
      bed.kubelet.writeImageIds(form);
      await bed.cluster.apply(workload('StatefulSet', `form-${form}`, image));
      await untilPod(`form-${form}`, `says ${forms[form]}`, ({ status }) => status.containerStatuses?.[0].imageID === forms[form]);
    }
  });

  it('cannot pull a missing tag, and looks for it again', async () => {
    await bed.cluster.apply(workload('Deployment', 'missing', bed.registry.reference('team/missing', '1.0.0')));
    const { status } = await untilPod('missing', 'waits for its image', hasReason('ImagePullBackOff'));
    assert.equal(status.phase, 'Pending');
    assert.match(status.containerStatuses[0].state.waiting.message, /not found/);
    await bed.cluster.untilObject(pathOf('deployments', 'missing'), (object) =>
      object?.['status']?.conditions?.some(({ reason }: any) => reason === 'ProgressDeadlineExceeded'),
    );
    await bed.registry.push('team/missing', '1.0.0');
    await bed.cluster.untilRolledOut(pathOf('deployments', 'missing'));
  });

  it('behaves as a label of the image says', async () => {
    const behave = async (name: string, labels: Record<string, string>) => {
      await bed.registry.push('team/behave', name, { labels });
      await bed.cluster.apply(workload('Deployment', name, bed.registry.reference('team/behave', name)));
    };
    await behave('crash', { 'testbed.behaviour': 'crash' });
    await behave('never-ready', { 'testbed.behaviour': 'never-ready' });
    await behave('slow', { 'testbed.ready-delay-ms': '500' });
    await untilPod('crash', 'crashes repeatedly', (pod) => {
      return hasReason('CrashLoopBackOff')(pod) && pod['status'].containerStatuses[0].restartCount >= 2;
    });
    const { status } = await untilPod('never-ready', 'runs', (pod) => pod['status'].phase === 'Running');
    assert.equal(status.containerStatuses[0].ready, false);
    await bed.cluster.untilRolledOut(pathOf('deployments', 'slow'));
  });

  it('runs init containers before the others', async () => {
    const image = bed.registry.reference('team/init', 'main');
    await bed.registry.push('team/init', 'main');
    const withInit = { ...onFakeKubelet, initContainers: [{ name: 'init', image: bed.registry.reference('team/init', 'first') }] };
    await bed.cluster.apply(workload('Deployment', 'init', image, withInit));
    const blocked = await untilPod('init', 'is blocked', hasReason('PodInitializing'));
    assert.equal(blocked['status'].initContainerStatuses[0].state.waiting.reason, 'ImagePullBackOff');
    const digest = await bed.registry.push('team/init', 'first');
    await bed.cluster.untilRolledOut(pathOf('deployments', 'init'));
    const [pod] = await podsOf('init');
    assert.equal(pod?.['status'].initContainerStatuses[0].state.terminated.reason, 'Completed');
    assert.ok(pod?.['status'].initContainerStatuses[0].imageID.endsWith(digest));
  });

  it('completes the pods of Jobs, or fails them', async () => {
    await bed.registry.push('team/job', 'good');
    await bed.registry.push('team/job', 'bad', { labels: { 'testbed.behaviour': 'crash' } });
    await bed.cluster.apply(job('good', bed.registry.reference('team/job', 'good'), onFakeKubelet));
    await bed.cluster.apply(job('bad', bed.registry.reference('team/job', 'bad'), onFakeKubelet));
    await bed.cluster.untilObject(pathOf('jobs', 'good'), (object) => object?.['status']?.succeeded === 1);
    await bed.cluster.untilObject(pathOf('jobs', 'bad'), (object) => object?.['status']?.failed === 1);
  });

  it('pulls from a registry with a certificate and a password that its node knows', async (t) => {
    const registry = await startRegistry({ tls: true, username: 'robot', password: 's3cret' });
    const kubelet = await startFakeKubelet({
      controlPlane: bed.cluster,
      registries: [registry],
      node: 'node-private',
      architecture: 'arm64',
    });
    t.after(async () => {
      await kubelet.stop();
      await registry.stop();
    });
    const digest = await registry.push('team/private', '1', { platforms: ['linux/arm64'] });
    await bed.cluster.apply(workload('Deployment', 'private', registry.reference('team/private', '1'), kubelet.placement));
    await bed.cluster.untilRolledOut(pathOf('deployments', 'private'));
    assert.ok((await podsOf('private'))[0]?.['status'].containerStatuses[0].imageID.endsWith(digest));
  });

  it('goes on after the registry and the API server were away', async () => {
    await bed.registry.push('team/again', '1');
    await bed.registry.down();
    await bed.cluster.apply(workload('Deployment', 'again', bed.registry.reference('team/again', '1')));
    await untilPod('again', 'waits for its image', hasReason('ImagePullBackOff'));
    await bed.cluster.restartApiServer();
    await bed.registry.up();
    await bed.cluster.untilRolledOut(pathOf('deployments', 'again'));
  });
});

describe('test/cluster/test-bed', () => {
  it('can be used by another process that has its description', async (t) => {
    const description: TestBedDescription = JSON.parse(JSON.stringify(bed.describe()));
    const cluster = accessTo(description.cluster);
    const registry = accessToRegistry(description.registry);
    t.after(() => {
      cluster.close();
      registry.close();
    });
    assert.notEqual(await cluster.admin.get(`/api/v1/namespaces/${namespace.name}`), undefined);
    assert.equal(await registry.push('team/other', '1'), await bed.registry.digestOf('team/other', '1'));
  });
});

describe('test/cluster/kwok', () => {
  const image = 'registry.example/team/app:1.0.0';

  for (const [kind, resource] of [
    ['Deployment', 'deployments'],
    ['StatefulSet', 'statefulsets'],
    ['DaemonSet', 'daemonsets'],
  ] as const) {
    it(`plays the pods of a ${kind}`, async () => {
      const name = `kwok-${resource}`;
      await bed.cluster.apply(workload(kind, name, image, onKwok));
      await bed.cluster.untilRolledOut(pathOf(resource, name));
      const [pod] = await podsOf(name);
      assert.match(pod?.['spec'].nodeName, /^kwok-/);
      assert.match(pod?.['status'].containerStatuses[0].imageID, /^registry\.example\/team\/app@sha256:[0-9a-f]{64}$/);
    });
  }

  it('completes the pods of Jobs', async () => {
    await bed.cluster.apply(job('kwok-job', image, onKwok));
    await bed.cluster.untilObject(pathOf('jobs', 'kwok-job'), (object) => object?.['status']?.succeeded === 1);
  });

  it('fails as the tag says', async () => {
    await bed.cluster.apply(workload('Deployment', 'kwok-bad', `${image}-badpull`, onKwok));
    await bed.cluster.apply(workload('Deployment', 'kwok-crash', `${image}-crash`, onKwok));
    await untilPod('kwok-bad', 'waits for its image', hasReason('ImagePullBackOff'));
    await untilPod('kwok-crash', 'crashes', hasReason('CrashLoopBackOff'));
  });

  it('adds nodes of another architecture', async () => {
    const [name] = await bed.kwok!.addNodes(1, { architecture: 'arm64' });
    assert.equal((await bed.cluster.admin.get(`/api/v1/nodes/${name}`))?.metadata['labels']['kubernetes.io/arch'], 'arm64');
  });
});
