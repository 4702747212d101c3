import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { call } from './call.ts';
import { shippedManifests } from './install.ts';
import { workload } from './manifests.ts';
import { imagesOf, openScene } from './scene.ts';
import type { Scene } from './scene.ts';
import { sharedCluster } from '../cluster/shared.ts';

const executable = join(import.meta.dirname, '../../bin/headwind');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line, in a process of its own. */
function headwind(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const own = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env };
  return new Promise((resolve) => {
    execFile(executable, args, { env: own }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

async function explain(scene: Scene, name = 'app') {
  return (await call(`${scene.operator.api}/api/v1/explain/${scene.namespace}/deploy/${name}`)).json;
}

function aScene(t: TestContext, prefix: string, env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  return openScene(t, prefix, { env: { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '1', ...env } });
}

describe('test/e2e/explain', { concurrency: 3 }, () => {
  it('headwind explain asks the running operator', async (t) => {
    const scene = await aScene(t, 'explain');
    await scene.deploy('1.0.0', { settings: { 'event-source': 'polling', policy: 'patch' } });
    await scene.registry.push(scene.repository, '1.1.0');
    const found = await scene.cluster.until('the operator has seen 1.1.0', async (see) => {
      const now = await explain(scene);
      see(now);
      return now.containers[0].considered.some(({ tag }: { tag: string }) => tag === '1.1.0') && now;
    });
    const [container] = found.containers;
    assert.deepEqual([found.leader, container.currentTag, container.reason, container.candidate], [true, '1.0.0', 'NoEligibleTag', null]);
    assert.deepEqual(
      [container.lastCheck.origin, container.lastCheck.ok, container.lastCheck.credentials],
      ['polling', true, ['anonymous']],
    );
    assert.ok(found.next.some(({ at, message }: { at: string | null; message: string }) => at !== null && message.endsWith('is polled')));

    const text = await headwind(['explain', 'app', '-n', scene.namespace, '--api-url', scene.operator.api]);
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^Deployment [^ ]+\/app\n\n +app +NoEligibleTag +no tag may follow 1\.0\.0 under patch/);
    assert.match(text.stdout, /1\.1\.0 Level/);
    const json = await headwind(['explain', 'deploy/app', '-n', scene.namespace, '-o', 'json'], { HEADWIND_API_URL: scene.operator.api });
    assert.equal(JSON.parse(json.stdout).containers[0].policy, 'patch');
    const gone = await headwind(['explain', 'sts/app', '-n', scene.namespace, '--api-url', scene.operator.api]);
    assert.deepEqual([gone.code, /no managed StatefulSet/.test(gone.stderr)], [1, true]);
    const list = await call(`${scene.operator.api}/api/v1/workloads?namespace=${scene.namespace}`);
    assert.deepEqual(
      list.json.map(({ name }: { name: string }) => name),
      ['app'],
    );
  });

  it('HEADWIND_DRY_RUN: tells what it would do, and does not do it', async (t) => {
    const scene = await aScene(t, 'dry-run', { HEADWIND_DRY_RUN: 'true' });
    await scene.deploy('1.0.0', { settings: { 'require-approval': 'false', 'min-update-interval': '0', 'event-source': 'both' } });
    await scene.release('1.1.0');
    assert.match(await scene.untilEvent(/^DryRun Deployment/), /1\.1\.0 is the highest minor update of 1\.0\.0; HEADWIND_DRY_RUN is set/);
    await scene.operator.untilMetric('holds', { reason: 'DryRun' }, (value) => value === 1);
    assert.equal(await scene.operator.metric('update_available', { kind: 'Deployment' }), 1);
    assert.deepEqual([imagesOf(await scene.get()), await scene.requests()], [[scene.image('1.0.0')], []]);
    const { containers, settings } = await explain(scene);
    assert.deepEqual([containers[0].reason, containers[0].candidate], ['DryRun', '1.1.0']);
    assert.ok(settings.some(({ key, source }: { key: string; source: string }) => key === 'dry-run' && source === 'HEADWIND_DRY_RUN'));
  });
});

describe('test/e2e/explain plan', () => {
  let cluster: ControlPlane;
  before(async () => {
    cluster = await startControlPlane({ audit: true });
    await cluster.apply(shippedManifests('crds/updaterequest.yaml'));
  });
  after(() => cluster.stop());

  it('headwind plan reads and lists only, without any operator', async () => {
    const { registry } = await sharedCluster();
    const namespace = await cluster.namespace('plan');
    const repository = `${namespace.name}/app`;
    for (const tag of ['1.0.0', '1.1.0', '2.0.0']) await registry.push(repository, tag);
    const image = `${registry.host}/${repository}:1.0.0`;
    const spec = { replicas: 0 };
    const scoped = { namespace: namespace.name };
    await cluster.apply(workload({ name: 'asks', image, spec }), scoped);
    await cluster.apply(workload({ name: 'direct', image, spec, settings: { 'require-approval': 'false' } }), scoped);
    await cluster.apply(workload({ name: 'stays', image, spec, settings: { policy: 'patch' } }), scoped);
    const before = cluster.auditEntries().length;

    const env = { KUBECONFIG: cluster.kubeconfig, HEADWIND_REGISTRY_INSECURE_HOSTS: registry.host };
    const { code, stdout, stderr } = await headwind(['plan', '-n', namespace.name, '-o', 'json'], env);
    assert.equal(code, 0, stderr);
    const rows: { name: string; action: string; reason: string; candidate: string | null; digest: string | null }[] = JSON.parse(stdout);
    assert.deepEqual(
      rows.map(({ name, action, reason, candidate }) => [name, action, reason, candidate]),
      [
        ['asks', 'ask', 'NewerTag', '1.1.0'],
        ['direct', 'apply', 'NewerTag', '1.1.0'],
        ['stays', 'hold', 'NoEligibleTag', null],
      ],
    );
    assert.match(rows[0]?.digest ?? '', /^sha256:/);

    const ours = cluster
      .auditEntries()
      .slice(before)
      .filter(({ userAgent }) => userAgent.startsWith('headwind/'));
    assert.deepEqual(
      [...new Set(ours.map(({ verb }) => verb))].sort((a, b) => a.localeCompare(b)),
      ['get', 'list'],
    );
    assert.deepEqual(await cluster.admin.list(`/apis/headwind.sh/v1alpha1/namespaces/${namespace.name}/updaterequests`), []);
    const table = await headwind(['plan', '-n', namespace.name], env);
    assert.match(table.stdout, /^NAMESPACE +KIND +NAME +CONTAINER +CURRENT +CANDIDATE +ACTION +REASON +MESSAGE\n/);
  });
});
