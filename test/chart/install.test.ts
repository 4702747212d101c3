import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { freePort } from '../cluster/ports.ts';
import { makeStateFolder, removeStateFolder } from '../cluster/processes.ts';
import { startRegistry } from '../cluster/registry.ts';
import { atEnd } from '../e2e/at-end.ts';
import { call } from '../e2e/call.ts';
import { startOperator } from '../e2e/operator.ts';
import { basic, openGate } from '../e2e/registry-gate.ts';
import { RestartScene } from '../e2e/restart-scene.ts';
import { startNode } from '../e2e/restart-stage.ts';
import { playPod } from './played-pod.ts';
import { chart, preset, runHelm, withValues } from './render.ts';

const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/updaterequests.headwind.sh';
const release = 'kube-autorollout';
const robot = { username: 'robot', password: 'token "of": the #test' };

/** A chart with the names and labels that the one of kube-autorollout gives its Deployment. */
function oldChart(folder: string): string {
  const path = join(folder, 'old');
  const labels = { 'app.kubernetes.io/name': release, 'app.kubernetes.io/instance': release };
  const containers = [{ name: release, image: 'x' }];
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  const spec = { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { securityContext, containers } } };
  mkdirSync(join(path, 'templates'), { recursive: true });
  writeFileSync(join(path, 'Chart.yaml'), JSON.stringify({ apiVersion: 'v2', name: release, version: '0.7.2' }));
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: release, labels }, spec };
  writeFileSync(join(path, 'templates/deployment.yaml'), JSON.stringify(deployment));
  return path;
}

describe('test/chart/install', () => {
  let cluster: ControlPlane;
  let folder: string;
  before(async () => {
    folder = makeStateFolder('helm');
    cluster = await startControlPlane({ audit: true });
  });
  after(async () => {
    await cluster.stop();
    removeStateFolder(folder);
  });

  function helm(command: readonly string[], input?: string): Promise<string> {
    const homes = Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, join(folder, kind)]));
    return runHelm(command, { ...(input !== undefined && { input }), env: { ...homes, KUBECONFIG: cluster.kubeconfig } });
  }

  async function put(namespace: string, values: object = {}, name = release): Promise<string> {
    const { args, input } = withValues(values, [preset]);
    return helm(['upgrade', '--install', name, chart, '-n', namespace, ...args], input);
  }

  async function aNamespace(t: TestContext): Promise<string> {
    const namespace = await cluster.namespace('team', { 'pod-security.kubernetes.io/enforce': 'restricted' });
    atEnd(t, () => namespace.delete());
    return namespace.name;
  }

  it('values of kube-autorollout, its namespace, and no right to Secrets: a new digest restarts, and nothing that is asked is forbidden', async (t) => {
    const namespace = await aNamespace(t);
    const own = await startRegistry();
    atEnd(t, () => own.stop());
    const registry = await startRegistry(robot);
    atEnd(t, () => registry.stop());
    const gate = await openGate(t, registry);
    const port = await freePort();
    await cluster.apply(
      [
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'robot' }, stringData: { TOKEN: robot.password } },
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'ghcr' },
          stringData: { '.dockerconfigjson': '{"auths":{"ghcr.io":{"auth":"eDp5"}}}' },
        },
      ],
      { namespace },
    );
    await put(namespace, {
      rbac: { secrets: { enabled: false } },
      config: {
        cronSchedule: '* * * * * *',
        webserver: { port },
        registries: [
          { hostnamePattern: 'ghcr.io', secret: { type: 'ImagePullSecret', name: 'ghcr', mountPath: join(folder, 'ghcr') } },
          { hostnamePattern: gate.host, insecure: true, secret: { name: 'robot', key: 'TOKEN', username: robot.username } },
          { hostnamePattern: '*', secret: { type: 'None' } },
        ],
      },
    });
    const account = `${release}-headwind`;
    const kubeconfig = cluster.kubeconfigFor(account, await cluster.serviceAccountToken(namespace, account), { namespace });
    const env = await playPod(cluster, namespace, account, folder);
    const operator = await startOperator(t, { cluster, namespaces: [namespace], kubeconfig, env });
    const kubelet = await startNode(t, { cluster, registry: own }, { registries: [{ ...gate, ...robot }] });
    const scene = new RestartScene({ cluster, registry: own, kubelet }, namespace, operator);
    await registry.push(scene.repository, 'latest');
    const podSpec = { ...kubelet.placement, imagePullSecrets: [{ name: 'not-to-be-read' }] };
    const settings = { 'polling-interval': undefined };
    await cluster.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce-');
    const earlier = await scene.runLabelled({ image: `${gate.host}/${scene.repository}:latest`, podSpec, settings }, 0);
    const asked = gate.byOperator().length;
    await cluster.until('five ticks have passed', () => gate.byOperator().length >= asked + 5);
    const app = await registry.push(scene.repository, 'latest', { salt: 'second' });
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(earlier, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    assert.ok(gate.byOperator().some(({ authorization }) => authorization === basic(robot.username, robot.password)));
    for (const path of ['live', 'ready']) assert.equal((await call(`http://127.0.0.1:${port}/health/${path}`)).status, 204, path);
    const user = `system:serviceaccount:${namespace}:${account}`;
    const requests = cluster.auditEntries().filter((entry) => entry.user === user);
    assert.ok(requests.length > 10);
    assert.deepEqual(
      requests.filter(({ code, resource }) => code === 403 || ['secrets', 'nodes', 'cronjobs'].includes(resource)),
      [],
    );
    assert.doesNotMatch(operator.logs(), /of\W+: the|HEADWIND_(?!TEST_CLUSTER)\w+ is no variable|PullSecretMissing/);
    const missing = [...operator.logs().matchAll(/right to [^"]* is missing/g)].map(([text]) => text);
    assert.deepEqual(missing, [`right to delete pods in namespace ${namespace} is missing`]);
  });

  it('the custom resource comes with the first release, belongs to it, and stays', async (t) => {
    const [first, second] = [await aNamespace(t), await aNamespace(t)];
    const owner = async () => {
      const annotations = (await cluster.admin.get(crd))?.metadata['annotations'] ?? {};
      return annotations['meta.helm.sh/release-namespace'];
    };
    await helm(['list', '-A']);
    const before = await owner();
    await put(first);
    const holder = before ?? first;
    assert.equal(await owner(), holder);
    const notes = await put(second);
    assert.equal(await owner(), holder);
    assert.match(notes, /updaterequests\.headwind\.sh was there and is not part of this release/);
    await put(first, { replicaCount: 2 });
    await helm(['uninstall', release, '-n', first]);
    await helm(['uninstall', release, '-n', second]);
    assert.equal(await owner(), holder);
  });

  for (const [title, values, name] of [
    ['by another Deployment', {}, `${release}-headwind`],
    ['in the same Deployment with nameOverride', { nameOverride: release }, release],
  ] as const) {
    it(`a release of kube-autorollout is upgraded to this chart, ${title}`, async (t) => {
      const namespace = await aNamespace(t);
      await helm(['install', release, oldChart(folder), '-n', namespace]);
      await put(namespace, values);
      const deployments = await cluster.admin.list(`/apis/apps/v1/namespaces/${namespace}/deployments`);
      assert.deepEqual(
        deployments.map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers.map((each: any) => each.name)]),
        [[name, ['headwind']]],
      );
      await helm(['uninstall', release, '-n', namespace]);
    });
  }

  it('all namespaces, every switch: installed, upgraded and gone', async (t) => {
    const namespace = await aNamespace(t);
    const values = {
      podDisruptionBudget: { enabled: true },
      networkPolicy: { enabled: true },
      ingress: { enabled: true },
      admissionPolicy: { enabled: true },
      config: { registries: [{ hostnamePattern: '*', secret: { type: 'Opaque', token: 'x' } }] },
    };
    const { args, input } = withValues(values);
    await helm(['install', 'headwind', chart, '-n', namespace, ...args], input);
    const settings = `/api/v1/namespaces/${namespace}/configmaps/headwind-config`;
    await cluster.admin.patch(settings, { data: { 'polling.interval': '77' } });
    const notes = await helm(['upgrade', 'headwind', chart, '-n', namespace, '-f', '-'], JSON.stringify({ replicaCount: 2 }));
    assert.match(notes, /watches all namespaces/);
    assert.match(notes, /http:\/\/headwind\./);
    assert.deepEqual((await cluster.admin.get(settings))?.['data'], { 'polling.interval': '77' });
    await helm(['uninstall', 'headwind', '-n', namespace]);
    assert.deepEqual(await cluster.admin.list(`/apis/apps/v1/namespaces/${namespace}/deployments`), []);
    assert.ok(await cluster.admin.get(crd), 'the custom resource stays');
  });
});
