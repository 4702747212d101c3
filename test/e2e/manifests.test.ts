import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import type { ClusterAccess } from '../cluster/access.ts';
import { type Manifest, KubeError } from '../cluster/kube-client.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { install } from './install.ts';

const folder = join(import.meta.dirname, '../../deploy/k8s');
const target = { kind: 'Deployment', name: 'nginx-example' };
const change = { containerName: 'nginx', currentImage: 'nginx:1.25.0', newImage: 'nginx:1.26.0', policy: 'minor' };

describe('deploy/k8s', () => {
  let cluster: ClusterAccess;
  before(async () => {
    ({ cluster } = await sharedCluster());
    await install(cluster);
  });

  async function aNamespace(t: TestContext): Promise<string> {
    const namespace = await cluster.namespace('manifests');
    t.after(() => namespace.delete());
    return namespace.name;
  }

  function pathOf(namespace: string, name: string): string {
    return `/apis/headwind.sh/v1alpha1/namespaces/${namespace}/updaterequests/${name}`;
  }

  function aRequest(namespace: string, spec: object = {}, targetRef: object = {}): Manifest {
    return {
      apiVersion: 'headwind.sh/v1alpha1',
      kind: 'UpdateRequest',
      metadata: { name: 'nginx-update-1-26-0', namespace },
      spec: { ...change, targetRef: { ...target, namespace, ...targetRef }, ...spec },
    };
  }

  for (const file of [
    'namespace.yaml',
    'crds/updaterequest.yaml',
    'rbac.yaml',
    'rbac-local.yaml',
    'rbac-namespace.yaml',
    'deployment.yaml',
    'service.yaml',
    'validating-admission-policy.yaml',
  ]) {
    it(`${file} is accepted as it is`, async () => {
      // What is installed may have the same names, and the fields of another manager.
      await cluster.kubectl('apply', '--server-side', '--dry-run=server', '--force-conflicts', '-f', join(folder, file));
    });
  }

  it('the documented example, without apiVersion and updateType, is accepted; its status is left out', async (t) => {
    const namespace = await aNamespace(t);
    const created = await cluster.admin.create({
      ...aRequest(namespace),
      status: { phase: 'Approved', createdAt: '2025-11-06T01:00:00Z' },
    });
    assert.equal(created['status'], undefined);
    const path = `${pathOf(namespace, created.metadata.name)}/status`;
    const patched = await cluster.admin.patch(path, { status: { phase: 'Pending', lastUpdated: '2025-11-06T01:00:00.123456789Z' } });
    assert.equal(patched['status'].phase, 'Pending');
  });

  it('what the original could store is accepted: no spec at all, and its own smallest one', async (t) => {
    const namespace = await aNamespace(t);
    const { apiVersion, kind } = aRequest(namespace);
    await cluster.admin.create({ apiVersion, kind, metadata: { name: 'empty', namespace } });
    await cluster.admin.patch(`${pathOf(namespace, 'empty')}/status`, { status: { phase: 'Expired' } });
    const chart = { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease', namespace: 'elsewhere' };
    await cluster.admin.create(aRequest(namespace, { containerName: undefined, updateType: 'helmChart', requireApproval: false }, chart));
  });

  it('kubectl get ur prints the columns that users know, in their order, and three more when asked', async (t) => {
    const namespace = await aNamespace(t);
    await cluster.admin.create(aRequest(namespace, { trigger: 'webhook' }));
    const conditions = [
      { type: 'Applied', status: 'False', reason: 'TooSoon', message: 'waits', lastTransitionTime: '2026-01-15T10:00:00Z' },
    ];
    const status = { phase: 'Approved', approvedBy: 'alice', conditions };
    await cluster.admin.patch(`${pathOf(namespace, 'nginx-update-1-26-0')}/status`, { status });
    const [head, row] = (await cluster.kubectl('get', 'ur', '-n', namespace)).split('\n').map((line) => line.split(/\s{2,}/));
    assert.deepEqual(head, ['NAME', 'TARGET', 'CONTAINER', 'CURRENT', 'NEW', 'POLICY', 'PHASE', 'AGE']);
    assert.deepEqual(row?.slice(0, 7), [
      'nginx-update-1-26-0',
      'nginx-example',
      'nginx',
      'nginx:1.25.0',
      'nginx:1.26.0',
      'minor',
      'Approved',
    ]);
    const [wideHead, wideRow] = (await cluster.kubectl('get', 'upd', '-n', namespace, '-o', 'wide'))
      .split('\n')
      .map((line) => line.trimEnd().split(/\s{2,}/));
    assert.deepEqual(wideHead?.slice(8), ['TRIGGER', 'APPROVED BY', 'REASON']);
    assert.deepEqual(wideRow?.slice(8), ['webhook', 'alice', 'TooSoon']);
  });

  const changes: { title: string; before?: object; patch: object; refused?: RegExp }[] = [
    { title: 'targetRef', patch: { targetRef: { name: 'other' } }, refused: /targetRef is immutable/ },
    { title: 'containerName', patch: { containerName: 'other' }, refused: /containerName is immutable/ },
    { title: 'containerName, removed', patch: { containerName: null }, refused: /containerName is immutable/ },
    { title: 'containerName, added', before: { containerName: undefined }, patch: { containerName: 'web' }, refused: /containerName is/ },
    { title: 'currentImage', patch: { currentImage: 'nginx:1' }, refused: /currentImage is immutable/ },
    { title: 'newImage', patch: { newImage: 'nginx:2' }, refused: /newImage is immutable/ },
    { title: 'policy', patch: { policy: 'force' }, refused: /policy is immutable/ },
    { title: 'trigger', patch: { trigger: 'rollback' }, refused: /trigger is immutable/ },
    { title: 'an endless reason', patch: { reason: 'x'.repeat(16_385) }, refused: /may not be more than 16384 bytes|Too long/ },
    { title: 'a set newDigest', before: { newDigest: 'sha256:a' }, patch: { newDigest: 'sha256:b' }, refused: /newDigest is immutable/ },
    { title: 'a set newDigest, removed', before: { newDigest: 'sha256:a' }, patch: { newDigest: null }, refused: /newDigest is immutable/ },
    { title: 'a missing newDigest', patch: { newDigest: 'sha256:b' } },
    {
      title: 'requireApproval to false',
      before: { requireApproval: true },
      patch: { requireApproval: false },
      refused: /only become true/,
    },
    { title: 'a missing requireApproval to false', patch: { requireApproval: false }, refused: /only become true/ },
    { title: 'requireApproval to true', before: { requireApproval: false }, patch: { requireApproval: true } },
    { title: 'expiresAt', before: { expiresAt: '2026-01-15T10:00:00Z' }, patch: { expiresAt: '2026-01-16T10:00:00+02:00' } },
    { title: 'reason', patch: { reason: 'because' } },
  ];
  for (const { title, before: initial, patch, refused } of changes) {
    it(`${title} ${refused ? 'cannot' : 'can'} change after creation`, async (t) => {
      const namespace = await aNamespace(t);
      const { metadata } = await cluster.admin.create(aRequest(namespace, initial));
      const patching = cluster.admin.patch(pathOf(namespace, metadata.name), { spec: patch });
      if (refused)
        await assert.rejects(patching, (error) => error instanceof KubeError && error.status === 422 && refused.test(error.message));
      else await patching;
    });
  }

  it('spec cannot be removed', async (t) => {
    const namespace = await aNamespace(t);
    const { metadata } = await cluster.admin.create(aRequest(namespace));
    await assert.rejects(cluster.admin.patch(pathOf(namespace, metadata.name), { spec: null }), /spec cannot be removed/);
  });

  const wrong: readonly [string, object, RegExp][] = [
    ['an unknown policy', { policy: 'sometimes' }, /policy/],
    ['no new image', { newImage: undefined }, /newImage/],
    ['an expiry that is no time', { expiresAt: 'tomorrow' }, /expiresAt/],
  ];
  for (const [title, spec, message] of wrong) {
    it(`${title} is refused`, async (t) => {
      const namespace = await aNamespace(t);
      await assert.rejects(cluster.admin.create(aRequest(namespace, spec)), message);
    });
  }
});
