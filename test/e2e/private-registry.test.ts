import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { dump } from 'js-yaml';
import { findDockerRegistry } from '../cluster/docker-registry.ts';
import { startFakeKubelet } from '../cluster/fake-kubelet.ts';
import { startRegistry } from '../cluster/registry.ts';
import type { Registry } from '../cluster/registry.ts';
import { onKwok } from '../cluster/kwok.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { pullSecret } from './manifests.ts';
import { conditionOf, imagesOf, openScene, writtenOn } from './scene.ts';

const settings = { 'require-approval': 'false', 'min-update-interval': '0' };
let registry: Registry;

before(async () => {
  registry = await startRegistry({ username: 'robot', password: 's3cret-of-the-test' });
});
after(() => registry.stop());

const older = await findDockerRegistry();

describe('test/e2e/private-registry', { concurrency: 3 }, () => {
  it('uses the pull secret of the pod template', async (t) => {
    const scene = await openScene(t, 'template-secret', { registry });
    await scene.cluster.apply(pullSecret('regcred', registry, 'robot', 's3cret-of-the-test'), { namespace: scene.namespace });
    await scene.deploy('1.0.0', { settings, podSpec: { ...onKwok, imagePullSecrets: [{ name: 'regcred' }] } });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    assert.doesNotMatch(scene.operator.logs(), /s3cret-of-the-test/);
  });

  it('uses the pull secret of the ServiceAccount', async (t) => {
    const scene = await openScene(t, 'account-secret', { registry });
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'puller' }, imagePullSecrets: [{ name: 'regcred' }] };
    await scene.cluster.apply([pullSecret('regcred', registry, 'robot', 's3cret-of-the-test'), account], { namespace: scene.namespace });
    await scene.deploy('1.0.0', { settings, podSpec: { ...onKwok, serviceAccountName: 'puller' } });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
  });

  it('never uses the secret of another namespace, and says what is missing', async (t) => {
    const scene = await openScene(t, 'foreign-secret', { registry });
    const other = await scene.cluster.namespace('owner-of-secret');
    atEnd(t, () => other.delete());
    await scene.cluster.apply(pullSecret('regcred', registry, 'robot', 's3cret-of-the-test'), { namespace: other.name });
    await scene.deploy('1.0.0', { settings, podSpec: { ...onKwok, imagePullSecrets: [{ name: 'regcred' }] } });
    await scene.release('1.1.0');
    const request = await scene.untilRequest('1.1.0', 'Pending');
    assert.equal(conditionOf(request, 'Verified')?.status, 'Unknown');
    assert.match(conditionOf(request, 'Verified')?.message ?? '', /accepted no credential; tried anonymous/);
    await scene.untilEvent(/^PullSecretMissing Deployment .*regcred/);
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
  });

  it('recovers when the secret is corrected', async (t) => {
    const scene = await openScene(t, 'wrong-secret', { registry });
    const secret = (password: string) => pullSecret('regcred', registry, 'robot', password);
    await scene.cluster.apply(secret('wrong'), { namespace: scene.namespace });
    await scene.deploy('1.0.0', { settings, podSpec: { ...onKwok, imagePullSecrets: [{ name: 'regcred' }] } });
    await scene.release('1.1.0');
    const request = await scene.untilRequest('1.1.0', 'Pending');
    assert.match(JSON.stringify(request['status']), /regcred/);
    await scene.cluster.apply(secret('s3cret-of-the-test'), { namespace: scene.namespace });
    await scene.cluster.until('the request is carried out', async () => imagesOf(await scene.get()).includes(scene.image('1.1.0')), {
      timeoutMs: 40_000,
    });
  });

  const releases = [
    ['distribution 3', 3, false],
    ['docker-registry 2.8', 2, 'missing' in older && older.missing],
  ] as const;
  for (const [name, release, skip] of releases) {
    it(`goes through TLS, tokens and a pull secret: ${name}`, { skip }, async (t) => {
      const closed = await startRegistry({ release, tls: true, tokens: true, username: 'robot', password: 's3cret-of-the-test' });
      atEnd(t, () => closed.stop());
      const node = `node-private-${release}`;
      const { cluster } = await sharedCluster();
      const kubelet = await startFakeKubelet({ controlPlane: cluster, node, registries: [closed] });
      atEnd(t, () => kubelet.stop());
      const scene = await openScene(t, `tokens-${release}`, { registry: closed, env: trusting(closed) });
      await scene.cluster.apply(pullSecret('regcred', closed, 'robot', 's3cret-of-the-test'), { namespace: scene.namespace });
      await scene.deploy('1.0.0', { settings, podSpec: { ...kubelet.placement, imagePullSecrets: [{ name: 'regcred' }] } });
      closed.tokenServer!.requests.length = 0;
      const digest = await scene.release('1.1.0');
      const updated = await scene.untilImage(scene.image('1.1.0'));
      assert.equal(writtenOn(updated).digests['app'], digest);
      const own = closed.tokenServer!.requests.filter(({ userAgent }) => userAgent.startsWith('headwind/'));
      t.diagnostic(`${own.length} token requests, ${closed.requests({ userAgent: /^headwind\// }).length} requests at the registry`);
      assert.deepEqual(
        [...new Set(own.map(({ user, status, scopes }) => `${user} ${status} ${scopes.join()}`))],
        [`robot 200 repository:${scene.repository}:pull`],
      );
      assert.equal(own.length, 1, 'a token is kept until it expires');
      assert.doesNotMatch(scene.operator.logs(), /s3cret-of-the-test|eyJ/);
    });
  }

  it('restarts pods once when a tag moves in a registry with TLS and tokens', async (t) => {
    const closed = await startRegistry({ tls: true, tokens: true, username: 'robot', password: 's3cret-of-the-test' });
    atEnd(t, () => closed.stop());
    const { cluster } = await sharedCluster();
    const kubelet = await startFakeKubelet({ controlPlane: cluster, node: 'node-private-digest', registries: [closed] });
    atEnd(t, () => kubelet.stop());
    const scene = await openScene(t, 'tokens-digest', { registry: closed, env: trusting(closed) });
    await scene.cluster.apply(pullSecret('regcred', closed, 'robot', 's3cret-of-the-test'), { namespace: scene.namespace });
    const podSpec = { ...kubelet.placement, imagePullSecrets: [{ name: 'regcred' }] };
    const before = await scene.deploy('latest', { settings: { ...settings, policy: 'digest' }, podSpec });
    closed.forgetRequests();
    const digest = await scene.release('latest', { salt: 'rebuilt' });
    const request = await scene.untilRequest('latest', 'Completed');
    assert.equal(request['spec'].newDigest, digest);
    const after = await scene.get();
    assert.equal(after.metadata['generation'], before.metadata['generation'] + 1);
    assert.equal(await scene.revisions(), 2);
    const pods = await cluster.admin.list(`/api/v1/namespaces/${scene.namespace}/pods`);
    const running = pods.filter(({ metadata }) => metadata['deletionTimestamp'] === undefined);
    assert.deepEqual(
      running.map(({ status }) => String(status.containerStatuses[0].imageID).split('@')[1]),
      [digest],
    );
    const asked = closed.requests({ userAgent: /^headwind\// }).map(({ method, status }) => `${method} ${status}`);
    t.diagnostic(asked.join(', '));
    assert.doesNotMatch(scene.operator.logs(), /s3cret-of-the-test|eyJ/);
  });
});

/** A configuration file by which the operator trusts the registry's authority, and speaks TLS with it on this machine too. */
function trusting({ host, ca }: Registry): Record<string, string> {
  const path = join(dirname(ca ?? ''), 'headwind.yaml');
  const entry = { hostnamePattern: host, secret: { type: 'None' }, caCertificatePaths: [ca] };
  writeFileSync(path, dump({ registries: [entry] }));
  return { HEADWIND_CONFIG_PATH: path, HEADWIND_REGISTRY_INSECURE_HOSTS: '' };
}
