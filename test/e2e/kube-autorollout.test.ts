import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from './call.ts';
import { type RestartScene, rolling, summary } from './restart-scene.ts';
import { openStage, playAll, type Story } from './restart-stage.ts';
import { imagesOf, writtenOn } from './scene.ts';

/** One new digest, however many pods: nothing at first sight, one patch, and nothing after it. */
function restartsOnce(kind: (typeof rolling)[number]): Story {
  const pods = kind === 'DaemonSet' ? 1 : 2;
  return async (scene) => {
    const first = await scene.push('first');
    const before = await scene.runLabelled({ kind, ...(kind !== 'DaemonSet' && { spec: { replicas: pods } }) }, 3);
    await scene.assertEnding(before, { restarts: 0, pods, runs: { app: first }, requests: [] });
    const second = await scene.push('second');
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.assertEnding(before, { restarts: 1, pods, runs: { app: second }, requests: ['app Completed'] });
    const [request] = await scene.requestsOf();
    const { currentDigest, newDigest, trigger, requireApproval } = request!['spec'];
    assert.deepEqual([currentDigest, newDigest, trigger, requireApproval], [first, second, 'polling', false]);
    const { history, digests, lastUpdate } = writtenOn(await scene.get(scene.name, kind));
    assert.deepEqual([history[0].fromDigest, history[0].digest, digests], [first, second, { app: second }]);
    assert.match(lastUpdate ?? '', /Z$/);
    const told = (await scene.events()).filter((event) => event.startsWith(`UpdateApplied ${kind}`) && event.includes(scene.repository));
    assert.equal(told.length, 1, 'told once, on the workload');
  };
}

/** Two containers, each with a repository of its own. */
async function withTwo(scene: RestartScene, settings: Readonly<Record<string, string>>, looks: number) {
  const [web, cache] = [scene.repositoryOf('web'), scene.repositoryOf('cache')];
  for (const repository of [web, cache]) await scene.push('first', { repository });
  const containers = { web: scene.image('latest', web), cache: scene.image('latest', cache) };
  const before = await scene.runLabelled({ containers, settings }, looks);
  const runs = { web: await scene.push('second', { repository: web }), cache: await scene.push('second', { repository: cache }) };
  return { before, runs, web, cache };
}

const stories: Readonly<Record<string, Story>> = {
  'a Deployment is restarted once': restartsOnce('Deployment'),
  'a StatefulSet is restarted once': restartsOnce('StatefulSet'),
  'a DaemonSet is restarted once': restartsOnce('DaemonSet'),

  'two containers whose images moved: one patch, though the webhook names one': async (scene) => {
    const { before, runs, web, cache } = await withTwo(scene, { 'event-source': 'webhook' }, 0);
    await scene.announce('latest', runs.web, web);
    await scene.untilRequests(['web Completed']);
    await scene.untilDecided(() => scene.announce('latest', runs.cache, cache));
    await scene.assertEnding(before, { restarts: 1, runs, requests: ['web Completed'] });
  },

  'two images pushed between two looks: one patch': async (scene) => {
    const { before, runs, web, cache } = await withTwo(scene, { 'polling-interval': '2' }, 2);
    await Promise.all([web, cache].map((repository) => scene.untilAsked(3, repository)));
    const requests = (await scene.requestsOf()).map(summary);
    assert.ok(requests.length > 0 && requests.every((request) => request.endsWith(' Completed')), requests.join());
    await scene.assertEnding(before, { restarts: 1, runs, requests });
  },

  'a changed init container is a restart': async (scene) => {
    const setup = scene.repositoryOf('setup');
    const app = await scene.push('first');
    await scene.push('first', { repository: setup });
    const before = await scene.runLabelled({ initContainers: { prepare: scene.image('latest', setup) } });
    await scene.untilAsked(2, setup);
    const prepare = await scene.push('second', { repository: setup });
    await scene.untilRequests(['prepare Completed']);
    await scene.untilAsked(3, setup);
    await scene.assertEnding(before, { restarts: 1, runs: { app, prepare }, requests: ['prepare Completed'] });
  },

  'a sidecar pinned by digest does not stop its neighbour': async (scene) => {
    const side = await scene.push('side', { repository: scene.repositoryOf('side') });
    await scene.push('first');
    const pinned = `${scene.registry.host}/${scene.repositoryOf('side')}@${side}`;
    const both = `${scene.registry.host}/${scene.repositoryOf('side')}:latest@${side}`;
    const before = await scene.runLabelled({ containers: { app: scene.image('latest'), side: pinned, tagged: both } }, 0);
    await scene.untilAsked(3);
    await scene.push('newer', { repository: scene.repositoryOf('side') });
    const app = await scene.push('second');
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.untilHeld({ side: 'NoTag', tagged: 'DigestPinned', app: 'UpToDate' });
    await scene.assertEnding(before, { restarts: 1, runs: { app, side, tagged: side }, requests: ['app Completed'] });
  },

  'an image that nobody can parse does not stop its neighbour': async (scene) => {
    await scene.push('first');
    const containers = { app: scene.image('latest'), odd: 'Not A Reference' };
    // It never gets ready: without this the old pod would stay beside the new one.
    const spec = { progressDeadlineSeconds: 2, strategy: { type: 'Recreate' } };
    await scene.applyLabelled({ containers, spec });
    await scene.untilHeld({ odd: 'InvalidReference', app: 'UpToDate' });
    const before = await scene.get();
    const app = await scene.push('second');
    await scene.untilRequests(['app Failed (RolloutTimeout)']);
    await scene.untilAsked(5);
    await scene.assertEnding(before, { restarts: 1, runs: { app, odd: '' }, requests: ['app Failed (RolloutTimeout)'] });
  },

  'pods added after the push do not hide the old ones': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled({ spec: { replicas: 2 }, settings: { 'event-source': 'webhook' } }, 0);
    const app = await scene.push('second');
    await scene.cluster.admin.patch(scene.pathOf(), { spec: { replicas: 3 } });
    await scene.cluster.untilRolledOut(scene.pathOf());
    assert.deepEqual((await scene.running()).digests['app']?.length, 2, 'the new pod pulled what is there now');
    await scene.announce('latest', app);
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, edits: 1, pods: 3, runs: { app }, requests: ['app Completed'] });
  },

  'somebody else restarted it already: nothing is left to do': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled({ settings: { 'event-source': 'webhook' } }, 0);
    const app = await scene.push('second');
    await scene.cluster.kubectl('rollout', 'restart', `deployment/${scene.name}`, '--namespace', scene.namespace);
    await scene.announce('latest', app);
    await scene.cluster.untilRolledOut(scene.pathOf());
    await scene.untilHeld({ app: 'UpToDate' });
    await scene.untilDecided(() => scene.announce('latest', app));
    const after = await scene.get();
    assert.equal(after.metadata['generation'], before.metadata['generation'] + 1);
    await scene.untilRunning({ app });
    assert.deepEqual(await scene.requestsOf(), []);
  },

  'scaled to nothing and back: the new pods have it': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled();
    await scene.cluster.admin.patch(scene.pathOf(), { spec: { replicas: 0 } });
    await scene.untilHeld({ app: 'DesiredZero' });
    const app = await scene.push('second');
    await scene.untilAsked(2);
    await scene.cluster.admin.patch(scene.pathOf(), { spec: { replicas: 2 } });
    await scene.untilHeld({ app: 'UpToDate' });
    await scene.untilAsked(2);
    await scene.assertEnding(before, { restarts: 0, edits: 2, pods: 2, runs: { app }, requests: [] });
  },

  'a CronJob is only reported, and no Job is started': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled({ kind: 'CronJob' }, 0);
    await scene.untilHeld({ app: 'NoRollout' }, scene.name, 'cronjob');
    const second = await scene.push('second');
    await scene.announce('latest', second);
    await scene.untilAsked(3);
    await scene.untilHeld({ app: 'NoRollout' }, scene.name, 'cronjob');
    const after = await scene.get(scene.name, 'CronJob');
    assert.equal(after.metadata['resourceVersion'], before.metadata['resourceVersion']);
    assert.deepEqual(await scene.cluster.admin.list(`/apis/batch/v1/namespaces/${scene.namespace}/jobs`), []);
    assert.deepEqual(await scene.requestsOf(), []);
  },

  'both contracts side by side, on one repository': async (scene) => {
    await scene.push('first');
    await scene.registry.push(scene.repository, '1.0.0');
    const follows = await scene.runLabelled();
    const settings = { 'require-approval': 'false', 'event-source': 'webhook' };
    const podSpec = scene.kubelet.placement;
    const versions = `${scene.name}-versions`;
    const updates = await scene.run({ name: versions, image: scene.image('1.0.0'), settings, podSpec });
    const [app, next] = [await scene.push('second'), await scene.release('1.1.0')];
    await scene.untilImage(scene.image('1.1.0'), versions);
    await scene.untilRequests(['app Completed'], versions);
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.assertEnding(follows, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    await scene.untilRunning({ app: next }, { name: versions });
    const updated = await scene.get(versions);
    assert.deepEqual([imagesOf(updated), updated['spec'].template.metadata.annotations], [[scene.image('1.1.0')], undefined]);
    assert.equal(updated.metadata['generation'], updates.metadata['generation'] + 1);
  },

  'a webhook does not wait for the schedule': async (scene) => {
    await scene.push('first');
    const before = await scene.runLabelled({ settings: { 'polling-interval': '1h' } }, 0);
    const app = await scene.release('latest', { salt: 'second' });
    await scene.untilRequests(['app Completed']);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    const [request] = await scene.requestsOf();
    assert.equal(request?.['spec'].trigger, 'webhook');
    const { status } = await call(`${scene.operator.api}/health/ready`);
    assert.ok(status === 204 || status === 404, 'served only where a configuration file asks for it');
  },
};

describe('test/e2e/kube-autorollout', () => {
  it('labelled workloads follow the digest of their tag', { concurrency: true }, async (t) => {
    await playAll(t, await openStage(t), stories, { patches: 12 });
  });
});
