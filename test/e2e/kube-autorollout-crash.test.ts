import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { startOperator } from './operator.ts';
import type { RestartScene } from './restart-scene.ts';
import { openRestartScene, openStage } from './restart-stage.ts';

/** Resolves with the first new object of the collection that says so; to be called before what causes it. */
async function untilSeen(scene: RestartScene, collection: string, is: (object: Record<string, any>) => boolean): Promise<void> {
  for await (const { object } of scene.cluster.admin.watch(collection)) if (is(object)) return;
}

/** Moments at which the operator dies: to be awaited after the push. */
const moments: Readonly<Record<string, (scene: RestartScene, salt: number) => Promise<unknown>>> = {
  'when the request is there': (scene, nth) => {
    const seen = new Set<string>();
    return untilSeen(scene, scene.requestPath('').slice(0, -1), ({ metadata }) => seen.add(metadata.name).size > nth);
  },
  'when the patch is there': (scene, nth) => {
    const collection = scene.pathOf().replace(/\/[^/]+$/, '');
    return untilSeen(scene, collection, ({ metadata }) => metadata.generation > 1 + nth);
  },
  'while the node pulls': (scene, nth) => scene.untilRequests([...completed(nth), 'app Approved (Progressing)']),
};

function completed(times: number): string[] {
  return Array.from({ length: times }, () => 'app Completed');
}

async function startReplica(t: TestContext, scene: RestartScene): Promise<RestartScene> {
  const { cluster, namespace, stage } = scene;
  return scene.seenBy(await startOperator(t, { cluster, namespaces: [namespace], registries: [stage.registry], until: 'ready' }));
}

describe('test/e2e/kube-autorollout-crash', { concurrency: true }, () => {
  it('is killed three times in the middle, and restarts once for each digest', async (t) => {
    const scene = await openRestartScene(t, await openStage(t), 'restart-killed');
    const image = scene.image('latest');
    await scene.push('0');
    const before = await scene.runLabelled({ spec: { progressDeadlineSeconds: 600 } });
    for (const [nth, [title, untilMoment]] of Object.entries(moments).entries()) {
      scene.kubelet.slowPull(image);
      const moment = untilMoment(scene, nth);
      const app = await scene.push(String(nth + 1));
      await moment;
      await scene.operator.kill();
      t.diagnostic(`killed ${title}: generation ${(await scene.get()).metadata['generation']}`);
      await scene.operator.revive();
      await scene.untilRequests([...completed(nth), 'app Approved (Progressing)']);
      await scene.untilAsked(2);
      scene.kubelet.releasePull(image);
      await scene.untilRequests(completed(nth + 1));
      await scene.assertEnding(before, { restarts: nth + 1, runs: { app }, requests: completed(nth + 1) });
    }
  });

  it('notices at its start what was pushed while it was dead, and restarts nobody else', async (t) => {
    const scene = await openRestartScene(t, await openStage(t), 'restart-absent');
    const same = scene.repositoryOf('same');
    await scene.push('first');
    const unchanged = await scene.push('first', { repository: same });
    const before = await scene.runLabelled();
    const other = await scene.runLabelled({ name: 'other', image: scene.image('latest', same) });
    await scene.operator.kill();
    const app = await scene.push('second');
    await scene.operator.revive();
    await scene.untilRequests(['app Completed']);
    await scene.untilAsked(3);
    await scene.untilAsked(3, same);
    await scene.assertEnding(before, { restarts: 1, runs: { app }, requests: ['app Completed'] });
    await scene.assertEnding(other, { restarts: 0, runs: { app: unchanged }, requests: [] });
  });

  it('two replicas make one patch, whichever leads', async (t) => {
    const scene = await openRestartScene(t, await openStage(t), 'restart-replicas');
    await scene.push('0');
    const before = await scene.runLabelled();
    const second = await startReplica(t, scene);
    const first = await scene.push('1');
    // The webhook reaches the follower, the tick the leader.
    await second.announce('latest', first);
    await scene.untilRequests(completed(1));
    await scene.untilAsked(3);
    await scene.assertEnding(before, { restarts: 1, runs: { app: first }, requests: completed(1) });
    const patchesOf = ({ operator }: RestartScene) => operator.metric('kube_requests_total', { verb: 'patch', resource: 'deployments' });
    assert.deepEqual([await patchesOf(scene), await patchesOf(second)], [1, 0]);
    await scene.operator.stop();
    await second.operator.untilMetric('leader', {}, (value) => value === 1);
    const app = await second.push('2');
    await second.untilRequests(completed(2));
    await second.untilAsked(3);
    await second.assertEnding(before, { restarts: 2, runs: { app }, requests: completed(2) });
    assert.equal(await patchesOf(second), 1);
  });
});
