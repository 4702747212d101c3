import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { until } from './until.ts';

const readers = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader}]
---
`;
const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: example.com/v1
kind: Thing
metadata: {name: one}
`;

function configMap(name: string, namespace: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { colour: 'blue' } };
}

describe('test/cluster/control-plane', () => {
  let one: ControlPlane;
  let other: ControlPlane;

  before(async () => {
    const reader = { name: 'reader', token: 'token-of-the-reader' };
    [one, other] = await Promise.all([
      startControlPlane({ users: [reader], audit: true }),
      startControlPlane({ featureGates: { WatchList: false }, controllers: false }),
    ]);
  });
  after(() => Promise.all([one.stop(), other.stop()]));

  it('runs two control planes side by side that know nothing of each other', async () => {
    const namespace = await one.namespace('mine');
    assert.notEqual(await one.admin.get(`/api/v1/namespaces/${namespace.name}`), undefined);
    assert.equal(await other.admin.get(`/api/v1/namespaces/${namespace.name}`), undefined);
    await namespace.delete();
  });

  it('is a version that clients understand', async () => {
    assert.match(JSON.parse(await one.kubectl('version', '-o', 'json')).serverVersion.gitVersion, /^v1\.\d+\.\d+$/);
  });

  it('has the feature gates it was told', async () => {
    const path = '/api/v1/configmaps?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1';
    assert.equal((await one.runKubectl(['get', '--raw', path])).code, 0);
    assert.match((await other.runKubectl(['get', '--raw', path])).stderr, /sendInitialEvents is forbidden/);
  });

  it('applies YAML of many documents, and waits for the kinds it defines', async () => {
    const namespace = await one.namespace('things');
    const applied = await one.apply(crd, { namespace: namespace.name });
    assert.deepEqual(
      applied.map(({ kind }) => kind),
      ['CustomResourceDefinition', 'Thing'],
    );
    assert.equal((await one.admin.list('/apis/example.com/v1/things')).length, 1);
    await assert.rejects(
      one.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'NO', namespace: namespace.name } }),
      /Invalid value: "NO"/,
    );
  });

  it('lets every identity do what its rights say, and counts its requests', async () => {
    await one.apply(readers);
    const reader = one.clientFor('token-of-the-reader');
    await until(
      'the rights have arrived',
      async () => (await reader.request('GET', '/api/v1/namespaces/default/configmaps/x')).status === 404,
    );
    assert.equal((await reader.request('GET', '/api/v1/namespaces/default/secrets/x')).status, 403);
    const token = await one.serviceAccountToken('default', 'default');
    const account = await one.runKubectl(['auth', 'whoami', '-o', 'json'], { kubeconfig: one.kubeconfigFor('robot', token) });
    assert.equal(JSON.parse(account.stdout).status.userInfo.username, 'system:serviceaccount:default:default');
    const secrets = await until('the request is in the log', () => {
      const found = one.auditEntries().filter(({ user, resource }) => user === 'reader' && resource === 'secrets');
      return found.length > 0 && found;
    });
    assert.deepEqual(
      secrets.map(({ verb, code, name }) => [verb, code, name]),
      [['get', 403, 'x']],
    );
  });

  it('waits for an object and tells in vain what it saw', async () => {
    const { name } = await one.namespace('waiting');
    const path = `/api/v1/namespaces/${name}/configmaps/late`;
    const waiting = one.untilObject(path, (object) => object?.['data']?.colour === 'blue');
    await one.admin.create(configMap('late', name));
    assert.equal((await waiting)?.metadata.name, 'late');
    const inVain = one.untilObject(path, (object) => object?.['spec']?.never, { timeoutMs: 200, description: 'it is green' });
    await assert.rejects(inVain, /not within 0\.2 s: it is green\nlast seen: .*late/s);
  });

  it('loses its API server and has it again at the same address', async () => {
    await other.admin.create(configMap('kept', 'default'));
    await other.stopApiServer();
    await assert.rejects(other.admin.get('/api/v1/namespaces/default'), { code: 'ECONNREFUSED' });
    await other.startApiServer();
    assert.notEqual(await other.admin.get('/api/v1/namespaces/default/configmaps/kept'), undefined);
  });

  it('starts again from a copy of its state', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'headwind-snapshot-'));
    t.after(() => rmSync(folder, { recursive: true }));
    await other.admin.create(configMap('copied', 'default'));
    await other.snapshot(folder);
    const copy = await startControlPlane({ from: folder, controllers: false });
    t.after(() => copy.stop());
    assert.notEqual(await copy.admin.get('/api/v1/namespaces/default/configmaps/copied'), undefined);
    assert.equal(copy.adminToken, other.adminToken);
  });

  it('leaves nothing behind', async () => {
    const third = await startControlPlane({ controllers: false });
    const { pids, folder } = third;
    assert.equal(pids.length, 2);
    await third.stop();
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    assert.equal(existsSync(folder), false);
  });

  it('fails its start with the end of the log of what failed', async () => {
    await assert.rejects(
      startControlPlane({ controllers: false, apiServerArgs: ['--no-such-flag'] }),
      /kube-apiserver ended with 1:\n.*no-such-flag/s,
    );
  });
});
