import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEntry } from '../cluster/audit.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { startRegistry } from '../cluster/registry.ts';
import type { Registry } from '../cluster/registry.ts';
import { call } from './call.ts';
import { operatorKubeconfig, operatorUser, shippedManifests } from './install.ts';
import { startOperator } from './operator.ts';
import type { Operator } from './operator.ts';
import { imagesOf, Scene } from './scene.ts';

/** What needs a cluster of its own: its API server is restarted, its CRD is missing at first, every request is in its audit log. */
let cluster: ControlPlane;
let registry: Registry;
let entriesBeforeRestart: number;

before(async () => {
  [cluster, registry] = await Promise.all([startControlPlane({ audit: true }), startRegistry()]);
  await cluster.apply(shippedManifests('namespace.yaml', 'rbac.yaml'));
});
after(async () => {
  await registry.stop();
  await cluster.stop();
});

const direct = { 'require-approval': 'false', 'min-update-interval': '0' };
const noPods = { replicas: 0 };

function readyz(operator: Operator, query = '') {
  return call(`${operator.metrics}/readyz${query}`);
}

async function untilNotReady(operator: Operator, pattern: RegExp): Promise<void> {
  await cluster.until(`/readyz says ${pattern}`, async (see) => {
    const { status, text } = await readyz(operator);
    see(`${status} ${text}`);
    return status === 503 && pattern.test(text);
  });
}

async function sceneOf(operator: Operator, prefix: string): Promise<Scene> {
  const { name } = await cluster.namespace(prefix);
  return new Scene(cluster, registry, name, operator);
}

/** Requests of the operator from the given entry of the audit log on. */
function requestsSince(start: number): AuditEntry[] {
  return cluster
    .auditEntries()
    .slice(start)
    .filter(({ user }) => user === operatorUser);
}

function isLease({ resource }: AuditEntry): boolean {
  return resource === 'leases';
}

/** The operator renews its Lease every two seconds: whatever it did before is in the log then. */
async function untilLeaseRenewed(): Promise<void> {
  const start = cluster.auditEntries().length;
  await cluster.until('the Lease is renewed', () => requestsSince(start).some(isLease));
}

describe('test/e2e/own-cluster', () => {
  it('says that the CRD is missing, and works as soon as it is there', async (t) => {
    const kubeconfig = await operatorKubeconfig(cluster);
    const operator = await startOperator(t, { cluster, registries: [registry], kubeconfig, until: 'listening' });
    await untilNotReady(operator, /updaterequests\.headwind\.sh/);
    assert.equal((await call(`${operator.metrics}/healthz`)).status, 200);
    await cluster.apply(shippedManifests('crds/updaterequest.yaml'));
    await cluster.until('the operator is ready', async () => (await readyz(operator)).status === 200);
    await operator.untilMetric('leader', {}, (value) => value === 1);
    const scene = await sceneOf(operator, 'late-crd');
    await scene.deploy('1.0.0', { settings: direct, spec: noPods });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    await scene.untilRequest('1.1.0', 'Completed');
  });

  it('says which right is missing, and works as soon as it is given', async (t) => {
    const { name } = await cluster.namespace('no-rights');
    const kubeconfig = cluster.kubeconfigFor('powerless', await cluster.serviceAccountToken(name, 'default'));
    const env = { HEADWIND_NAMESPACE: name };
    const options = { cluster, registries: [registry], kubeconfig, env, until: 'listening', mayBeForbidden: true } as const;
    const operator = await startOperator(t, options);
    await untilNotReady(operator, /updaterequests\.headwind\.sh/);
    await untilNotReady(operator, /leases\.coordination\.k8s\.io/);
    assert.equal((await call(`${operator.metrics}/healthz`)).status, 200);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: name }];
    await cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects });
    await cluster.until('the operator is ready', async () => (await readyz(operator)).status === 200, { timeoutMs: 90_000 });
    await cluster.kubectl('delete', 'clusterrolebinding', name);
  });

  it('works without the right to one kind, and says so', async (t) => {
    const { name } = await cluster.namespace('some-rights');
    const shipped = shippedManifests('rbac.yaml').filter(({ metadata }) => metadata['name'] === 'headwind');
    const renamed = shipped.map((object): any => {
      const metadata = {
        ...object.metadata,
        name: `headwind-${name}`,
        ...(object.metadata['namespace'] !== undefined && { namespace: name }),
      };
      const rules = object['rules']?.map((rule: any) => ({
        ...rule,
        resources: rule.resources.filter((each: string) => each !== 'daemonsets'),
      }));
      const roleRef = object['roleRef'] && { ...object['roleRef'], name: `headwind-${name}` };
      const subjects = object['subjects'] && [{ kind: 'ServiceAccount', name: `headwind-${name}`, namespace: name }];
      return { ...object, metadata, ...(rules && { rules }), ...(roleRef && { roleRef }), ...(subjects && { subjects }) };
    });
    await cluster.apply(renamed);
    const kubeconfig = cluster.kubeconfigFor('partial', await cluster.serviceAccountToken(name, `headwind-${name}`));
    const env = { HEADWIND_NAMESPACE: name };
    const operator = await startOperator(t, { cluster, registries: [registry], kubeconfig, env, mayBeForbidden: true });
    await cluster.until('/readyz?verbose names the kind', async (see) => {
      const { status, text } = await readyz(operator, '?verbose');
      see(text);
      return status === 200 && /daemonsets\.apps/.test(text);
    });
    const scene = await sceneOf(operator, 'partial');
    await scene.deploy('1.0.0', { settings: direct, spec: noPods });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
  });

  it('makes three writes and no read for a direct update, and none while it is idle', async (t) => {
    const operator = await startOperator(t, { cluster, registries: [registry] });
    const scene = await sceneOf(operator, 'counted');
    await scene.deploy('1.0.0', { settings: direct, spec: noPods });
    await scene.run({ name: 'bystander', image: scene.image('1.0.0', 'elsewhere/app'), spec: noPods });
    // The first update of a namespace reads its ServiceAccount, for pull secrets; that is kept for a minute.
    await scene.release('1.1.0');
    await scene.untilRequest('1.1.0', 'Completed');
    await untilLeaseRenewed();

    const start = cluster.auditEntries().length;
    await scene.release('1.2.0');
    await scene.untilRequest('1.2.0', 'Completed');
    await untilLeaseRenewed();
    const all = requestsSince(start).filter((entry) => !isLease(entry) && entry.verb !== 'watch');
    const described = all.map(({ verb, resource, subresource }) => `${verb} ${resource}${subresource && `/${subresource}`}`);
    const events = described.filter((text) => text.endsWith(' events'));
    assert.deepEqual(
      described.filter((text) => !text.endsWith(' events')),
      ['create updaterequests', 'patch deployments', 'patch updaterequests/status'],
    );
    assert.ok(events.length <= 2, `${events.length} Events`);

    const idleFrom = cluster.auditEntries().length;
    await delay(20_000);
    const idle = requestsSince(idleFrom).filter((entry) => !isLease(entry) && entry.verb !== 'watch');
    assert.deepEqual(idle, []);
    assert.ok(requestsSince(idleFrom).filter(isLease).length <= 11, 'one renewal every two seconds');
  });

  it('survives a restart of the API server, and works afterwards', async (t) => {
    const operator = await startOperator(t, { cluster, registries: [registry], mayBeForbidden: true });
    const { pid } = operator;
    const scene = await sceneOf(operator, 'restarted');
    await scene.deploy('1.0.0', { settings: direct, spec: noPods });
    entriesBeforeRestart = cluster.auditEntries().length;
    await cluster.stopApiServer();
    assert.equal((await call(`${operator.metrics}/healthz`)).status, 200);
    await cluster.startApiServer();
    await cluster.until('the operator leads and is ready again', async () => {
      return (await operator.metric('leader')) === 1 && (await readyz(operator)).status === 200;
    });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    await scene.untilRequest('1.1.0', 'Completed');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.1.0')]);
    assert.equal(operator.pid, pid);
  });

  it('was never forbidden anything under the shipped rights', () => {
    // The API server forbids what it is asked in the moment of its start: its own rights are not loaded then.
    const forbidden = cluster
      .auditEntries()
      .slice(0, entriesBeforeRestart)
      .filter(({ user, code }) => user === operatorUser && code === 403);
    assert.deepEqual(forbidden, []);
  });
});
