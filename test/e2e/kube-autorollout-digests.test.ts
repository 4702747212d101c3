import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../cluster/kube-client.ts';
import type { ImageIdForm } from '../cluster/image-lookup.ts';
import { makeTestImage } from '../cluster/test-image.ts';
import { joinImages } from './joined-image.ts';
import type { RestartScene } from './restart-scene.ts';
import { openStage, playAll, startNode, type Story } from './restart-stage.ts';
import { conditionOf, imagesOf, writtenOn } from './scene.ts';

/** Whatever a runtime writes, the same digest is no news and another one is: once. */
function readsImageIds(form: ImageIdForm): Story {
  return async (scene, t) => {
    const kubelet = await startNode(t, scene.stage, { imageIds: form });
    const { pid } = scene.operator;
    await scene.push('first');
    const before = await scene.runLabelled({ podSpec: kubelet.placement });
    const [first = ''] = (await scene.running()).digests['app'] ?? [];
    await scene.assertEnding(before, { restarts: 0, runs: { app: first }, requests: [] });
    const digest = await scene.push('second');
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(4);
    const [app = ''] = (await scene.running()).digests['app'] ?? [];
    assert.notEqual(app, first);
    assert.equal(app === digest, form === 'docker');
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    assert.equal(scene.operator.pid, pid);
  };
}

/** A workload with a policy instead of the label, which a person has to approve. */
async function runPolicy(scene: RestartScene, settings: Readonly<Record<string, string>>): Promise<KubeObject> {
  const { name, kubelet } = scene;
  const all = { policy: 'digest', 'min-update-interval': '0', ...settings };
  return scene.run({ name, image: scene.image('latest'), podSpec: kubelet.placement, settings: all });
}

/** As a person does it, with nothing but kubectl. */
async function decide(scene: RestartScene, { metadata }: KubeObject, phase: 'Approved' | 'Rejected'): Promise<void> {
  const patch = JSON.stringify({ status: { phase } });
  const target = ['updaterequest', metadata.name, '--namespace', scene.namespace];
  await scene.cluster.kubectl('patch', ...target, '--subresource=status', '--type=merge', `--patch=${patch}`);
}

const stories: Readonly<Record<string, Story>> = {
  'imageID docker-pullable://…@…': readsImageIds('docker'),
  'imageID of the platform': readsImageIds('platform'),
  'imageID sha256:… without @': readsImageIds('config'),
  'imageID is a bare id': readsImageIds('bare'),

  'a tag goes forth and back: followed, until it alternates': async (scene) => {
    await scene.push('zero');
    const before = await scene.runLabelled();
    const requests: string[] = [];
    for (const salt of ['a', 'b', 'a']) {
      const app = await scene.push(salt);
      requests.push('app Completed');
      await scene.untilRequests(requests);
      await scene.untilAsked(1);
      await scene.assertEnding(before, { restarts: requests.length, runs: { app }, requests });
    }
    const { app: a } = writtenOn(await scene.get()).digests;
    await scene.push('b');
    await scene.untilHeld({ app: 'FlappingTag' });
    await scene.untilAsked(4);
    await scene.assertEnding(before, { restarts: 3, runs: { app: a! }, requests });
    const app = await scene.push('c');
    await scene.untilRequests([...requests, 'app Completed']);
    await scene.assertEnding(before, { restarts: 4, runs: { app }, requests: [...requests, 'app Completed'] });
  },

  'only another platform was rebuilt: no restart; then its own is missing, then it is there': async (scene) => {
    const {
      repository,
      stage: { registry },
    } = scene;
    const [one, two, three] = ['one', 'two', 'three'].map((salt) => makeTestImage(repository, 'latest', { salt }));
    const first = await scene.push('one');
    const before = await scene.runLabelled();
    const unchanged = { restarts: 0, runs: { app: first }, requests: [] };
    await registry.pushImage(repository, 'latest', joinImages({ 'linux/amd64': one!, 'linux/arm64': two! }));
    await scene.untilAsked(3);
    await scene.untilHeld({ app: 'UpToDate' });
    await scene.assertEnding(before, unchanged);
    await registry.pushImage(repository, 'latest', joinImages({ 'linux/arm64': three! }));
    await scene.untilHeld({ app: 'PlatformMissing' });
    await scene.untilAsked(3);
    await scene.assertEnding(before, unchanged);
    const app = await registry.pushImage(repository, 'latest', joinImages({ 'linux/amd64': three!, 'linux/arm64': three! }));
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
  },

  'policy digest: a person approves with kubectl': async (scene) => {
    const first = await scene.push('first');
    const before = await runPolicy(scene, {});
    const app = await scene.release('latest', { salt: 'second' });
    const [request] = await scene.untilRequests(['app Pending']);
    await scene.untilDecided(() => scene.announce('latest', app));
    await scene.assertEnding(before, { restarts: 0, runs: { app: first }, requests: ['app Pending'] });
    assert.deepEqual([request!['spec'].currentDigest, request!['spec'].newDigest], [first, app]);
    await decide(scene, request!, 'Approved');
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'], by: 'headwind' });
  },

  'policy digest: what a person rejects with kubectl stays away, the next one does not': async (scene) => {
    const first = await scene.push('first');
    const before = await runPolicy(scene, {});
    const second = await scene.release('latest', { salt: 'second' });
    const [request] = await scene.untilRequests(['app Pending']);
    await decide(scene, request!, 'Rejected');
    await scene.untilRequests(['app Rejected']);
    await scene.untilDecided(() => scene.announce('latest', second));
    await scene.untilHeld({ app: 'Rejected' });
    await scene.assertEnding(before, { restarts: 0, runs: { app: first }, requests: ['app Rejected'] });
    const app = await scene.release('latest', { salt: 'third' });
    const [, next] = await scene.untilRequests(['app Rejected', 'app Pending']);
    await decide(scene, next!, 'Approved');
    await scene.untilRequests(['app Rejected', 'app Completed']);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Rejected', 'app Completed'], by: 'headwind' });
  },

  'digest-mode pin: the digest is written into the image, and renewed': async (scene) => {
    await scene.push('first');
    const before = await runPolicy(scene, { 'require-approval': 'false', 'digest-mode': 'pin' });
    const requests: string[] = [];
    for (const salt of ['second', 'third']) {
      const app = await scene.release('latest', { salt });
      requests.push('app Completed');
      await scene.untilRequests(requests);
      await scene.untilRunning({ app });
      const after = await scene.get();
      assert.deepEqual(imagesOf(after), [`${scene.image('latest')}@${app}`]);
      assert.equal(after.metadata['generation'], before.metadata['generation'] + requests.length);
      assert.equal(await scene.revisionsOf(after), 1 + requests.length);
      assert.equal(after['spec'].template.metadata.annotations, undefined, 'no restart mark');
      assert.deepEqual(writtenOn(after).digests, { app });
    }
    const [request] = await scene.requestsOf();
    assert.equal(conditionOf(request!, 'RolloutHealthy')?.status, 'True');
  },
};

describe('test/e2e/kube-autorollout-digests', () => {
  it('which digest runs, which is offered, and who decides', { concurrency: true }, async (t) => {
    await playAll(t, await openStage(t), stories, { patches: 13 });
  });
});
