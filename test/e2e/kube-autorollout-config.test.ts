import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { namespaceRbac } from '../../build/rbac.ts';
import { makeStateFolder, removeStateFolder } from '../cluster/processes.ts';
import { startRegistry } from '../cluster/registry.ts';
import { makeTestImage } from '../cluster/test-image.ts';
import { atEnd } from './at-end.ts';
import { call } from './call.ts';
import { install } from './install.ts';
import { joinImages } from './joined-image.ts';
import { startOperator } from './operator.ts';
import { basic, openGate, type RegistryGate } from './registry-gate.ts';
import { RestartScene } from './restart-scene.ts';
import { openStage, playAll, startNode, type Story } from './restart-stage.ts';

/** In a folder of its own, as the kubelet mounts it. */
function mount(t: TestContext, file: string, text: string): string {
  const folder = makeStateFolder('mounted');
  atEnd(t, () => removeStateFolder(folder));
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}

/** The rights of one namespace, as kube-autorollout has them, without Secrets: a kubeconfig with them. */
async function withoutSecrets({ cluster }: Pick<RestartScene, 'cluster'>, namespace: string): Promise<string> {
  const rbac: any[] = namespaceRbac(namespace);
  for (const { rules = [] } of rbac) {
    for (const rule of rules) rule.resources = rule.resources.filter((each: string) => each !== 'secrets');
  }
  const given = rbac.map((object) => ({ ...object, ...(object.rules && { rules: object.rules.filter(hasResources) }) }));
  await cluster.apply(given, { namespace });
  return cluster.kubeconfigFor(namespace, await cluster.serviceAccountToken(namespace, 'headwind'), { namespace });
}

function hasResources({ resources }: { resources: readonly string[] }): boolean {
  return resources.length > 0;
}

/** An Artifactory that serves the repository by its own path only, to all but nodes. */
function likeArtifactory(gate: RegistryGate): void {
  const own = '/artifactory/api/docker/docker-local/v2/';
  gate.route = ({ path, byOperator }, response) => {
    if (path.startsWith(own)) return path.replace(own, '/v2/docker-local/');
    if (!byOperator || !path.startsWith('/v2/docker-local/')) return path;
    response.writeHead(404, { 'x-jfrog-version': 'Artifactory/7.111.0' }).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
    return undefined;
  };
}

const kubectl = { mark: 'kubectl.kubernetes.io/restartedAt' } as const;

function storiesAt(gate: RegistryGate): Readonly<Record<string, Story>> {
  return {
    'interval, and the annotation of kubectl': async (scene) => {
      await scene.push('first');
      const before = await scene.runLabelled({ settings: unpolled });
      const app = await scene.push('second');
      await scene.untilRequests(['app Completed']);
      await scene.untilAsked(3);
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'], ...kubectl });
    },

    'compare: index restarts for the rebuild of another platform': async (scene) => {
      const { repository, stage } = scene;
      const [one, two] = ['one', 'two'].map((salt) => makeTestImage(repository, 'latest', { salt }));
      await scene.push('one');
      const before = await scene.runLabelled({ settings: unpolled });
      const app = await stage.registry.pushImage(repository, 'latest', joinImages({ 'linux/amd64': one!, 'linux/arm64': two! }));
      await scene.untilRequests(['app Completed']);
      await scene.untilAsked(3);
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'], ...kubectl });
    },

    'an Artifactory with the path of its repository, all segments of it': async (scene) => {
      const repository = `docker-local/${scene.repository}/app`;
      const image = `${gate.host}/${repository}:latest`;
      await scene.push('first', { repository });
      const before = await scene.runLabelled({ image, settings: unpolled }, 0);
      await scene.untilAsked(3, repository);
      const app = await scene.push('second', { repository });
      await scene.untilRequests(['app Completed']);
      await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'], ...kubectl });
      const refused = gate.byOperator(/^\/v2\/docker-local\//);
      assert.equal(refused.length, 1, 'where it is, is remembered');
    },
  };
}

/** What people of kube-autorollout search their logs for when a restart was made, with the fields of each. */
const searchedFor: Readonly<Record<string, readonly string[]>> = {
  'Scanning for digest changes in resources': ['resource_count', 'kind', 'label'],
  'Found resource with label': ['kind', 'resource'],
  'Found container with image and current digest': ['pod', 'container', 'image', 'current_digest'],
  'Fetching docker manifest from URL': ['url'],
  'Found recent image digests': ['recent_digests'],
  'Triggering rollout for resource': ['kind', 'resource'],
  'Successfully triggered rollout': ['kind', 'resource'],
  'Skipping resource, digest is up to date': ['kind', 'resource'],
};

/** The schedule of the file counts. */
const unpolled = { 'polling-interval': undefined } as const;

const robot = { username: 'robot', password: 'token-of-the-test' };

function dockerConfig(host: string, username: string, password: string): string {
  return JSON.stringify({ auths: { [host]: { username, password } } });
}

/** An operator with a file, the rights of one namespace and no right to Secrets, and a registry that knows the robot only. */
async function startWithFile(t: TestContext, name: string, file: (gate: RegistryGate) => string) {
  const stage = await openStage(t);
  const registry = await startRegistry(robot);
  atEnd(t, () => registry.stop());
  const gate = await openGate(t, registry);
  const namespace = await stage.cluster.namespace(name);
  atEnd(t, () => namespace.delete());
  await install(stage.cluster);
  const kubeconfig = await withoutSecrets(stage, namespace.name);
  const log = { RUST_LOG: 'warn,kube_autorollout=debug' };
  const operator = await startOperator(t, {
    cluster: stage.cluster,
    namespaces: [namespace.name],
    registries: [stage.registry, gate],
    kubeconfig,
    env: { CONFIG_FILE: mount(t, 'config.yaml', file(gate)), ROBOT: robot.password, PORT: '0', ...log },
    mayBeForbidden: true,
  });
  const kubelet = await startNode(t, stage, { registries: [{ ...gate, ...robot }] });
  const scene = new RestartScene({ ...stage, kubelet }, namespace.name, operator);
  await registry.push(scene.repository, 'latest');
  const podSpec = { ...kubelet.placement, imagePullSecrets: [{ name: 'not-to-be-read' }] };
  return { scene, gate, registry, operator, options: { image: `${gate.host}/${scene.repository}:latest`, podSpec, settings: unpolled } };
}

describe('test/e2e/kube-autorollout-config', { concurrency: true }, () => {
  it('a file of kube-autorollout, the rights of one namespace, and no right to Secrets', async (t) => {
    const elsewhere = dirname(mount(t, '.dockerconfigjson', dockerConfig('ghcr.io', 'x', 'y')));
    const { scene, gate, registry, operator, options } = await startWithFile(
      t,
      'file',
      ({ host }) => `
cronSchedule: "* * * * * *"
webserver: {port: \${PORT}}
registries:
  - {hostnamePattern: "ghcr.io", secret: {type: ImagePullSecret, mountPath: ${elsewhere}}}
  - {hostnamePattern: "${host}", secret: {type: Opaque, username: robot, token: "\${ROBOT}"}}
  - {hostnamePattern: "*", secret: {type: None}}
`,
    );
    const before = await scene.runLabelled(options, 0);
    const asked = gate.byOperator().length;
    await scene.cluster.until('five ticks have passed', () => gate.byOperator().length >= asked + 5);
    const app = await registry.push(scene.repository, 'latest', { salt: 'second' });
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    const sent = new Set(gate.byOperator().map(({ authorization }) => authorization ?? 'none'));
    assert.deepEqual([...sent].toSorted(), [basic(robot.username, robot.password), 'none'].toSorted());
    assert.doesNotMatch(operator.logs(), /token-of-the-test/);
    for (const [message, fields] of Object.entries(searchedFor)) {
      const line =
        operator
          .logs()
          .split('\n')
          .find((each) => each.includes(`"message":"${message}"`)) ?? '{}';
      assert.deepEqual(
        fields.filter((field) => !(field in JSON.parse(line))),
        [],
        `${message}: ${line}`,
      );
    }
    const secrets = await operator.metric('kube_requests_total', { resource: 'secrets' });
    assert.ok(secrets <= 2, `${secrets} requests for Secrets, which are forbidden`);
    const health = JSON.parse(
      operator
        .logs()
        .split('\n')
        .find((line) => line.includes('"server":"health"')) ?? '{}',
    );
    for (const path of ['live', 'ready']) {
      assert.equal((await call(`http://127.0.0.1:${health.port}/health/${path}`)).status, 204, path);
    }
  });

  it('a mounted Secret that is rotated counts, and a wrong one is sent a handful of times', async (t) => {
    const mounted = { path: '' };
    const { scene, gate, registry, operator, options } = await startWithFile(t, 'rotated', ({ host }) => {
      mounted.path = mount(t, '.dockerconfigjson', dockerConfig(host, robot.username, 'wrong'));
      return `
interval: 1s
registries: [{hostnamePattern: "${host}", secret: {type: ImagePullSecret, mountPath: "${dirname(mounted.path)}"}}]
`;
    });
    const before = await scene.runLabelled(options, 0);
    await scene.untilHeld({ app: 'NoCredentialAccepted' });
    const app = await registry.push(scene.repository, 'latest', { salt: 'second' });
    const asked = gate.byOperator().length;
    await scene.cluster.until('it was looked for again in vain', () => gate.byOperator().length >= asked + 3);
    writeFileSync(`${mounted.path}.new`, dockerConfig(gate.host, robot.username, robot.password));
    // As the kubelet does it: at once.
    renameSync(`${mounted.path}.new`, mounted.path);
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    const refused = gate.byOperator().filter(({ authorization }) => authorization === basic(robot.username, 'wrong'));
    assert.ok(refused.length >= 1 && refused.length <= 4, `${refused.length} requests with the refused password`);
    assert.doesNotMatch(operator.logs(), /token-of-the-test/);
  });

  it('what the file may ask for', { concurrency: true }, async (t) => {
    const stage = await openStage(t);
    const gate = await openGate(t, stage.registry);
    likeArtifactory(gate);
    const file = `
interval: 1s
compare: index
featureFlags: {enable_kubectl_annotation: true, enableJfrogArtifactoryFallback: true}
`;
    await playAll(t, stage, storiesAt(gate), { insecure: [gate], env: { CONFIG_FILE: mount(t, 'config.yaml', file) }, patches: 3 });
  });
});
