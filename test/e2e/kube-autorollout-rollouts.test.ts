import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rolling } from './restart-scene.ts';
import { openStage, playAll, type Story } from './restart-stage.ts';
import { conditionOf, writtenOn } from './scene.ts';

const long = { progressDeadlineSeconds: 600 };
const short = { progressDeadlineSeconds: 2 };

/** While the node pulls, tick after tick finds that the pods do not run the new digest yet. */
function waitsForSlowPull(kind: (typeof rolling)[number]): Story {
  return async (scene) => {
    const image = scene.image('latest');
    await scene.push('first');
    const before = await scene.runLabelled({ kind, ...(kind === 'Deployment' && { spec: long }) });
    scene.kubelet.slowPull(image);
    const app = await scene.push('second');
    await scene.untilRequests(['app Approved (Progressing)']);
    await scene.untilAsked(6);
    await scene.untilRequests(['app Approved (Progressing)']);
    const during = await scene.get(scene.name, kind);
    assert.equal(during.metadata['generation'], before.metadata['generation'] + 1);
    assert.equal(await scene.revisionsOf(during), 2);
    scene.kubelet.releasePull(image);
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(2);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
  };
}

/** A restart of these would come to nothing: held, tick after tick, without a write. */
function isHeld(kind: (typeof rolling)[number], spec: object, reason: string): Story {
  return async (scene) => {
    const first = await scene.push('first');
    const pods = kind === 'DaemonSet' ? 1 : 2;
    const before = await scene.runLabelled({ kind, spec: { ...(kind !== 'DaemonSet' && { replicas: pods }), ...spec } });
    await scene.push('second');
    const held = [`app Approved (${reason})`];
    await scene.untilRequests(held);
    await scene.untilAsked(10);
    await scene.assertEnding(before, { restarts: 0, pods, runs: { app: first }, requests: held });
    const [request] = await scene.requestsOf();
    assert.notEqual(conditionOf(request!, 'Applied')?.message ?? '', '');
  };
}

const partitioned = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } };

const stories: Readonly<Record<string, Story>> = {
  'slow pull of a Deployment: one rollout': waitsForSlowPull('Deployment'),
  'slow pull of a StatefulSet: one rollout': waitsForSlowPull('StatefulSet'),
  'slow pull of a DaemonSet: one rollout': waitsForSlowPull('DaemonSet'),

  'the tag moves on while the node pulls: the pods have that, too': async (scene) => {
    const image = scene.image('latest');
    await scene.push('first');
    const before = await scene.runLabelled({ spec: long });
    scene.kubelet.slowPull(image);
    await scene.push('second');
    await scene.untilRequests(['app Approved (Progressing)']);
    const app = await scene.push('third');
    await scene.untilAsked(3);
    scene.kubelet.releasePull(image);
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.cluster.until('what runs is recorded', async () => writtenOn(await scene.get()).digests['app'] === app);
    await scene.assertEnding(before, { restarts: 1, records: 1, runs: { app }, requests: ['app Completed'] });
  },

  'the tag moves on between two pods of one rollout: another restart, and no alarm': async (scene) => {
    const image = scene.image('latest');
    await scene.push('first');
    const before = await scene.runLabelled({ kind: 'StatefulSet', spec: { replicas: 2 } });
    scene.kubelet.slowPull(image);
    const second = await scene.push('second');
    await scene.cluster.until('the first of two pods pulls', async () => (await scene.running()).digests['app']?.includes(''));
    // Only the pod that waits already gets it: the other one is made when this one is ready.
    scene.kubelet.releasePull(image);
    scene.kubelet.slowPull(image);
    await scene.cluster.until('it runs the second digest', async () => (await scene.running()).digests['app']?.includes(second));
    const app = await scene.push('third');
    await scene.untilAsked(2);
    scene.kubelet.releasePull(image);
    await scene.untilRequests(['app Completed', 'app Completed']);
    await scene.untilAsked(2);
    await scene.assertEnding(before, { restarts: 2, pods: 2, runs: { app }, requests: ['app Completed', 'app Completed'] });
  },

  'ImagePullBackOff is one rollout, and the fix a second': async (scene) => {
    const image = scene.image('latest');
    await scene.push('first');
    const before = await scene.runLabelled({ spec: short });
    scene.kubelet.breakPull(image);
    await scene.push('broken');
    const failed = 'app Failed (RolloutTimeout)';
    await scene.untilRequests([failed]);
    await scene.untilAsked(4);
    assert.equal((await scene.get()).metadata['generation'], before.metadata['generation'] + 1);
    const app = await scene.push('fixed');
    await scene.untilGeneration(before, 2);
    scene.kubelet.releasePull(image);
    await scene.untilRequests([failed, 'app Completed']);
    await scene.untilAsked(3);
    await scene.assertEnding(before, { restarts: 2, runs: { app }, requests: [failed, 'app Completed'] });
  },

  'a DaemonSet without a ready pod gets the fix': async (scene) => {
    await scene.push('crashes', { labels: { 'testbed.behaviour': 'crash' } });
    await scene.applyLabelled({ kind: 'DaemonSet' });
    await scene.untilAsked(3);
    const before = await scene.get(scene.name, 'DaemonSet');
    assert.deepEqual([before['status'].desiredNumberScheduled, before['status'].numberReady], [1, 0]);
    const app = await scene.push('fixed');
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    assert.equal((await scene.running()).ready, 1);
  },

  'a paused Deployment waits, and follows when it goes on': async (scene) => {
    const first = await scene.push('first');
    const before = await scene.runLabelled();
    await scene.cluster.admin.patch(scene.pathOf(), { spec: { paused: true } });
    const app = await scene.push('second');
    await scene.untilRequests(['app Approved (Paused)']);
    await scene.untilAsked(8);
    await scene.assertEnding(before, { restarts: 0, edits: 1, runs: { app: first }, requests: ['app Approved (Paused)'] });
    await scene.cluster.admin.patch(scene.pathOf(), { spec: { paused: false } });
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, edits: 2, runs: { app }, requests: ['app Completed'] });
  },

  'OnDelete of a DaemonSet is told and left alone': isHeld('DaemonSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'),
  'OnDelete of a StatefulSet is told and left alone': isHeld('StatefulSet', { updateStrategy: { type: 'OnDelete' } }, 'OnDelete'),
  'OnDelete, where its owner asks for that: stale pods are deleted, and the template is left alone': async (scene) => {
    await scene.push('first');
    const spec = { updateStrategy: { type: 'OnDelete' } };
    const before = await scene.runLabelled({ kind: 'StatefulSet', spec, settings: { 'delete-pods': 'true' } });
    const app = await scene.push('second');
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(1);
    await scene.assertEnding(before, { restarts: 0, records: 1, runs: { app }, requests: ['app Completed'] });
  },

  'a partition is told and left alone': isHeld('StatefulSet', partitioned, 'Partitioned'),

  'no pods are wanted: nothing to restart': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled({ spec: { replicas: 0 } });
    await scene.push('second');
    await scene.untilAsked(3);
    await scene.untilHeld({ app: 'DesiredZero' });
    await scene.assertEnding(before, { restarts: 0, pods: 0, runs: {}, requests: [] });
  },

  'a node that keeps the old digest: one attempt, told once': async (scene) => {
    const image = scene.image('latest');
    const first = await scene.push('first');
    const before = await scene.runLabelled();
    await scene.kubelet.holdDigest(image);
    await scene.push('second');
    const failed = 'app Failed (DigestMismatch)';
    await scene.untilRequests([failed]);
    await scene.untilAsked(5);
    await scene.assertEnding(before, { restarts: 1, runs: { app: first }, requests: [failed] });
    const told = (await scene.events()).filter(
      (event) => event.startsWith('DigestMismatch Deployment') && event.includes(scene.repository),
    );
    assert.equal(told.length, 1, JSON.stringify(told));
    scene.kubelet.releaseDigest(image);
    const app = await scene.push('third');
    await scene.untilRequests([failed, 'app Completed']);
    await scene.assertEnding(before, { restarts: 2, runs: { app }, requests: [failed, 'app Completed'] });
  },

  'IfNotPresent is held': async (scene) => {
    const first = await scene.push('first');
    const before = await scene.runLabelled({ pull: 'IfNotPresent' });
    await scene.push('second');
    await scene.untilAsked(5);
    await scene.untilHeld({ app: 'PullPolicyNotAlways' });
    await scene.assertEnding(before, { restarts: 0, runs: { app: first }, requests: [] });
  },

  'IfNotPresent, where its owner says so, is one attempt': async (scene) => {
    const first = await scene.push('first');
    const before = await scene.runLabelled({ pull: 'IfNotPresent', settings: { 'ignore-pull-policy': 'true' } });
    await scene.push('second');
    await scene.untilRequests(['app Failed (DigestMismatch)']);
    await scene.untilAsked(5);
    await scene.assertEnding(before, { restarts: 1, runs: { app: first }, requests: ['app Failed (DigestMismatch)'] });
  },
};

describe('test/e2e/kube-autorollout-rollouts', () => {
  it('one digest is one rollout, however it goes', { concurrency: true }, async (t) => {
    await playAll(t, await openStage(t), stories, { patches: 15 });
  });
});
