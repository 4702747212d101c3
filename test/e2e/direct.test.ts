import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onFakeKubelet } from '../cluster/fake-kubelet.ts';
import { atEnd } from './at-end.ts';
import { refusal } from './manifests.ts';
import { imagesOf, openScene, writtenOn } from './scene.ts';

const patches = { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments'] };
const sameImages = 'object.spec.template.spec.containers.all(c, oldObject.spec.template.spec.containers.exists(o, o.image == c.image))';
const direct = { 'require-approval': 'false', 'min-update-interval': '0' };

describe('test/e2e/direct', { concurrency: 3 }, () => {
  for (const kind of ['Deployment', 'StatefulSet', 'DaemonSet', 'CronJob'] as const) {
    it(`updates a ${kind} with one patch`, async (t) => {
      const scene = await openScene(t, `direct-${kind.toLowerCase()}`);
      const before = await scene.deploy('1.0.0', { kind, settings: { ...direct, policy: 'patch' }, podSpec: onFakeKubelet });
      await scene.registry.push(scene.repository, '1.1.0');
      const digest = await scene.release('1.0.1');
      const { metadata, spec, status } = await scene.untilRequest('1.0.1', 'Completed');
      assert.deepEqual([spec.targetRef.kind, spec.requireApproval, status.approvedBy], [kind, false, 'webhook']);
      const after = kind === 'CronJob' ? await scene.get('app', kind) : await scene.cluster.untilRolledOut(scene.pathOf('app', kind));
      assert.deepEqual(imagesOf(after), [scene.image('1.0.1')]);
      assert.equal(after.metadata['generation'], before.metadata['generation'] + 1);
      if (kind !== 'CronJob') assert.equal(await scene.revisions(kind), 2);
      const { history, digests, lastUpdate } = writtenOn(after);
      assert.equal(history.length, 1);
      assert.deepEqual(history[0], {
        container: 'app',
        image: scene.image('1.0.1'),
        updateRequestName: metadata.name,
        approvedBy: 'webhook',
        digest,
        fromImage: scene.image('1.0.0'),
        trigger: 'webhook',
        timestamp: lastUpdate,
      });
      assert.match(lastUpdate ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(digests, { app: digest });
      // Our annotations come with the image: a second patch would show as a second manager operation at another time.
      const ours = after.metadata['managedFields'].filter(({ manager }: any) => manager === 'headwind');
      assert.equal(ours.length, 1);
      if (kind === 'CronJob') return;
      const pods = await scene.cluster.admin.list(`/api/v1/namespaces/${scene.namespace}/pods`);
      const running = pods.filter((pod) => pod.metadata['deletionTimestamp'] === undefined);
      assert.ok(running.some((pod) => pod['status'].containerStatuses[0].imageID.endsWith(digest)));
    });
  }

  it('follows a glob within its order, and nothing outside of it', async (t) => {
    const scene = await openScene(t, 'glob');
    await scene.deploy('release-2024.1', { settings: { ...direct, policy: 'glob', pattern: 'release-*' } });
    await scene.untilDecided(() => scene.release('nightly-2026.1'));
    assert.deepEqual(await scene.requests(), []);
    await scene.release('release-2024.2');
    await scene.untilImage(scene.image('release-2024.2'));
    await scene.untilDecided(() => scene.release('release-2023.9'));
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('release-2024.2')]);
    assert.equal((await scene.requests()).length, 1);
  });

  it('changes the chosen containers of a repository, init containers too, in one patch', async (t) => {
    const scene = await openScene(t, 'containers');
    await scene.registry.push(scene.repository, '1.0.0');
    const image = scene.image('1.0.0');
    const before = await scene.run({
      containers: { web: image, worker: image, other: image },
      initContainers: { migrate: image },
      settings: { ...direct, images: 'web, w*, migrate' },
    });
    const digest = await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    const requests = await scene.cluster.until('three requests are Completed', async () => {
      const completed = (await scene.requests()).filter(({ status }) => status?.phase === 'Completed');
      return completed.length === 3 && completed;
    });
    assert.deepEqual(new Set(requests.map(({ spec }) => spec.containerName)), new Set(['migrate', 'web', 'worker']));
    assert.equal((await scene.requests()).length, 3);
    const after = await scene.cluster.untilRolledOut(scene.pathOf());
    assert.deepEqual(imagesOf(after), [scene.image('1.1.0'), scene.image('1.1.0'), scene.image('1.1.0'), image]);
    assert.equal(after.metadata['generation'], before.metadata['generation'] + 1);
    assert.equal(await scene.revisions(), 2);
    assert.deepEqual(writtenOn(after).digests, { migrate: digest, web: digest, worker: digest });
    assert.equal(writtenOn(after).history.length, 3);
  });

  it('ends at the last of two pushes in a row', async (t) => {
    const scene = await openScene(t, 'two-pushes');
    await scene.deploy('1.0.0', { settings: direct });
    await scene.release('1.1.0');
    const digest = await scene.release('1.2.0');
    const after = await scene.untilImage(scene.image('1.2.0'));
    assert.deepEqual(writtenOn(after).digests, { app: digest });
    const requests = await scene.cluster.until('nothing is open any more', async () => {
      const all = await scene.requests();
      return all.every(({ status }) => status?.phase === 'Completed' || status?.phase === 'Expired') && all;
    });
    const applied = requests.filter(({ status }) => status?.phase === 'Completed');
    assert.equal(writtenOn(after).history.length, applied.length);
    await scene.cluster.untilRolledOut(scene.pathOf());
    assert.equal(await scene.revisions(), applied.length + 1);
  });

  it('lives with long names, capitals and underscores', async (t) => {
    const scene = await openScene(t, 'long-names');
    const name = `a-very-long-name-${'x'.repeat(80)}`;
    const container = `c-${'y'.repeat(61)}`;
    const suffix = `_Build-${'Z'.repeat(100)}`;
    const repository = `${scene.namespace}/under_score/with.dots-and__more/${'deep/'.repeat(10)}app`;
    const image = (tag: string) => scene.image(tag, repository);
    await scene.registry.push(repository, `1.0.0${suffix}`);
    await scene.run({ name, containers: { [container]: image(`1.0.0${suffix}`) }, settings: direct });
    await scene.release(`1.1.0${suffix}`, { repository });
    await scene.untilImage(image(`1.1.0${suffix}`), name);
    const request = await scene.untilRequest('1.1.0', 'Completed');
    assert.match(request.metadata.name, /^[a-z0-9-]{1,63}$/);
    assert.equal(request['spec'].targetRef.name, name);
    assert.equal(request.metadata['ownerReferences'][0].name, name);
  });

  it('tells the words of the API server when it refuses the patch, and tries no second time', async (t) => {
    const scene = await openScene(t, 'refused');
    await scene.deploy('1.0.0', { settings: direct });
    const refuse = await scene.cluster.apply(refusal(scene.namespace, patches, sameImages, 'images are frozen by the platform team'));
    atEnd(t, () => Promise.all(refuse.map(({ kind, metadata }) => scene.cluster.kubectl('delete', kind, metadata.name))));
    await scene.cluster.until('the policy is in force', async () => {
      const path = `${scene.pathOf()}?dryRun=All`;
      const patch = { spec: { template: { spec: { containers: [{ name: 'app', image: 'x:1' }] } } } };
      return (await scene.cluster.admin.request('PATCH', path, patch, 'application/strategic-merge-patch+json')).status === 422;
    });
    await scene.release('1.1.0');
    const { status } = await scene.untilRequest('1.1.0', 'Failed');
    assert.match(status.message, /images are frozen by the platform team/);
    await scene.untilEvent(/^PatchRefused Deployment .*images are frozen by the platform team/);
    await scene.untilDecided(() => scene.announce('1.1.0'));
    assert.equal((await scene.requests()).length, 1);
    assert.equal(await scene.operator.metric('updates_failed_total'), 1);
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
  });
});
