import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { dump } from 'js-yaml';
import type { ClusterAccess } from '../cluster/access.ts';
import { onKwok } from '../cluster/kwok.ts';
import { startRegistry } from '../cluster/registry.ts';
import type { Registry } from '../cluster/registry.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { install, operatorKubeconfig } from './install.ts';
import { pullSecret, workload } from './manifests.ts';
import { executable } from './operator.ts';

const canary = 'canary-of-the-check';
let cluster: ClusterAccess;
let kubeconfig: string;
let registry: Registry;
let configPath: string;

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command under the rights of the operator. */
async function check(...args: readonly string[]): Promise<Ran> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HEADWIND_CONFIG_PATH: configPath };
  const child = spawn(executable, ['registry', 'check', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  assert.doesNotMatch(stdout + stderr, /canary/);
  return { code, stdout, stderr };
}

async function aNamespace(t: TestContext, password: string): Promise<string> {
  const namespace = await cluster.namespace('check');
  t.after(() => namespace.delete());
  await cluster.apply(pullSecret('regcred', registry, 'robot', password), { namespace: namespace.name });
  const podSpec = { ...onKwok, imagePullSecrets: [{ name: 'regcred' }] };
  await cluster.apply(workload({ image: registry.reference('team/app', '1.0.0'), podSpec, spec: { replicas: 0 } }), {
    namespace: namespace.name,
  });
  return namespace.name;
}

before(async () => {
  ({ cluster } = await sharedCluster());
  await install(cluster);
  kubeconfig = await operatorKubeconfig(cluster);
  registry = await startRegistry({ tls: true, username: 'robot', password: canary, tokens: true });
  await registry.pushAll('team/app', ['1.0.0', '1.1.0', '1.2.0']);
  const entry = { hostnamePattern: registry.host, secret: { type: 'None' } };
  const trusting = { ...entry, repositoryPrefix: 'team/', caCertificatePaths: [registry.ca] };
  const doubting = { ...entry, repositoryPrefix: 'other/', serverName: 'localhost' };
  configPath = join(dirname(registry.ca ?? ''), 'headwind.yaml');
  writeFileSync(configPath, dump({ registries: [trusting, doubting] }));
});
after(() => registry.stop());

describe('test/e2e/registry-check', { concurrency: 2 }, () => {
  it('shows the way through TLS, a token server and a right pull secret', async (t) => {
    const namespace = await aNamespace(t, canary);
    const { code, stdout, stderr } = await check(
      registry.reference('team/app', '1.0.0'),
      '-n',
      namespace,
      '--as-workload',
      'deploy/app',
      '-o',
      'json',
    );
    assert.equal(code, 0, stdout + stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual(
      report.tried.map(({ operation, source, outcome, httpStatus }: any) => [operation, source, outcome, httpStatus]),
      ['resolve', 'contents', 'tags'].map((operation) => [operation, `Secret ${namespace}/regcred`, 'accepted', 200]),
    );
    assert.deepEqual(
      [report.digest, report.kind, report.platforms, report.tags, report.pullsAs],
      [
        await registry.digestOf('team/app', '1.0.0'),
        'index',
        ['linux/amd64', 'linux/arm64'],
        { count: 3, complete: true },
        `Deployment ${namespace}/app`,
      ],
    );
    assert.match(report.transport.join(), /HTTPS; the certificate is checked against .* and 1 of the entry/);
  });

  it('names the pull secret that is wrong, and what to do', async (t) => {
    const namespace = await aNamespace(t, 'canary-wrong');
    const { code, stdout } = await check(registry.reference('team/app', '1.0.0'), '-n', namespace, '--as-workload', 'deploy/app');
    assert.equal(code, 1, stdout);
    assert.match(stdout, new RegExp(`Secret ${namespace}/regcred +digest +login refused +401`));
    assert.match(stdout, new RegExp(`FAILED Unauthorized: .*\\n  to do: put a valid login for .* into Secret ${namespace}/regcred`));
  });

  it('takes the pull secret that admission put into a live pod', async (t) => {
    const namespace = await cluster.namespace('check');
    t.after(() => namespace.delete());
    const account = (imagePullSecrets: object[]) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'puller' },
      imagePullSecrets,
    });
    const within = { namespace: namespace.name };
    await cluster.apply([pullSecret('regcred', registry, 'robot', canary), account([{ name: 'regcred' }])], within);
    const image = registry.reference('team/app', '1.0.0');
    await cluster.apply(workload({ image, podSpec: { ...onKwok, serviceAccountName: 'puller' } }), within);
    await cluster.untilRolledOut(`/apis/apps/v1/namespaces/${namespace.name}/deployments/app`);
    await cluster.admin.patch(`/api/v1/namespaces/${namespace.name}/serviceaccounts/puller`, { imagePullSecrets: null });
    const { code, stdout } = await check(image, '-n', namespace.name, '--as-workload', 'deploy/app');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^pulls as +Deployment check-\S+\/app, pod app-/m);
    assert.match(stdout, /regcred +digest +accepted +200/);
  });

  it('says without a pull secret how to make one, and without a cluster too', async (t) => {
    const namespace = await cluster.namespace('check');
    t.after(() => namespace.delete());
    const image = registry.reference('team/app', '1.0.0');
    for (const args of [['-n', namespace.name], ['--no-cluster']]) {
      const { code, stdout } = await check(image, ...args);
      assert.equal(code, 1, stdout);
      assert.match(stdout, /kubectl create secret docker-registry/);
    }
  });

  it('tells an unknown authority and an unknown tag apart', async (t) => {
    const namespace = await aNamespace(t, canary);
    const own = ['-n', namespace, '--as-workload', 'deploy/app'];
    const unknown = await check(registry.reference('team/app', '9.9.9'), ...own);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout, /FAILED NotFound: .*9\.9\.9/);
    assert.match(unknown.stdout, /^tags +3$/m);
    const stranger = await check(registry.reference('other/app', '1.0.0'), '--no-cluster');
    assert.equal(stranger.code, 1);
    assert.match(stranger.stdout, /the certificate must be for localhost/);
    assert.match(stranger.stdout, /FAILED Unavailable: .*certificate.*\n  to do: give the authority of its certificate/);
    // No entry covers this one, so plain HTTP is spoken on this machine.
    const plain = await check(registry.reference('plain/app', '1.0.0'), '--no-cluster');
    assert.match(plain.stdout, /plain HTTP: the host is this machine/);
    assert.match(plain.stdout, /that it speaks plain HTTP and not HTTPS/);
  });

  it('ends with 2 on wrong usage, and 1 where there is no such workload', async (t) => {
    const namespace = await aNamespace(t, canary);
    assert.equal((await check('Bad/Image')).code, 2);
    assert.equal((await check('nginx', '--no-cluster', '-n', 'x')).code, 2);
    const { code, stderr } = await check('nginx', '-n', namespace, '--as-workload', 'deploy/none');
    assert.equal(code, 1);
    assert.match(stderr, /not found/);
  });
});
