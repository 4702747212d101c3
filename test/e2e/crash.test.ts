import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from './at-end.ts';
import { call } from './call.ts';
import { refusal } from './manifests.ts';
import { conditionOf, imagesOf, openScene, writtenOn } from './scene.ts';
import type { Scene } from './scene.ts';

const statusWrites = { apiGroups: ['headwind.sh'], apiVersions: ['*'], operations: ['UPDATE'], resources: ['updaterequests/status'] };
const direct = { 'require-approval': 'false', 'min-update-interval': '0' };

/** Exactly one update per tag: one history entry, one ReplicaSet, one request that is Completed. */
async function assertUpdatedOnceEach(scene: Scene, tags: readonly string[]): Promise<void> {
  const after = await scene.cluster.untilRolledOut(scene.pathOf());
  assert.deepEqual(
    writtenOn(after)
      .history.map(({ image }) => image)
      .toReversed(),
    tags.map((tag) => scene.image(tag)),
  );
  assert.equal(await scene.revisions(), tags.length + 1);
  const requests = await scene.requests();
  assert.deepEqual(
    new Set(requests.map(({ spec, status }) => `${spec.newImage} ${status?.phase}`)),
    new Set(tags.map((tag) => `${scene.image(tag)} Completed`)),
  );
}

describe('test/e2e/crash', { concurrency: 3 }, () => {
  it('goes on with a request that is Pending', async (t) => {
    const scene = await openScene(t, 'killed-pending');
    await scene.deploy('1.0.0');
    await scene.release('1.1.0');
    const { metadata } = await scene.untilRequest('1.1.0', 'Pending');
    await scene.operator.kill();
    await scene.operator.revive();
    const approve = `${scene.operator.api}/api/v1/updates/${scene.namespace}/${metadata.name}/approve`;
    assert.equal((await call(approve, { body: {} })).json.status.phase, 'Completed');
    await assertUpdatedOnceEach(scene, ['1.1.0']);
  });

  it('notices what was approved while it was dead', async (t) => {
    const scene = await openScene(t, 'approved-dead');
    await scene.deploy('1.0.0');
    await scene.release('1.1.0');
    const { metadata } = await scene.untilRequest('1.1.0', 'Pending');
    await scene.operator.kill();
    await scene.cluster.admin.patch(`${scene.requestPath(metadata.name)}/status`, { status: { phase: 'Approved', approvedBy: 'carol' } });
    await scene.operator.revive();
    await scene.untilRequest('1.1.0', 'Completed', ({ status }) => status.approvedBy === 'carol');
    await assertUpdatedOnceEach(scene, ['1.1.0']);
  });

  it('goes on with a request that is Approved and waits for its interval', async (t) => {
    const scene = await openScene(t, 'killed-waiting');
    await scene.deploy('1.0.0', { settings: { ...direct, 'min-update-interval': '12s' } });
    await scene.release('1.1.0');
    await scene.untilRequest('1.1.0', 'Completed');
    await scene.release('1.2.0');
    const waiting = await scene.untilRequest('1.2.0', 'Approved');
    assert.equal(conditionOf(waiting, 'Applied')?.reason, 'TooSoon');
    await scene.operator.kill();
    await scene.operator.revive();
    await scene.untilRequest('1.2.0', 'Completed');
    await assertUpdatedOnceEach(scene, ['1.1.0', '1.2.0']);
  });

  it('finds out that its patch was accepted, and does not patch again', async (t) => {
    const scene = await openScene(t, 'killed-patched');
    const before = await scene.deploy('1.0.0', { settings: direct });
    // No status of a request can be written: after the patch the operator can only try, until it is killed.
    const policies = await scene.cluster.apply(refusal(scene.namespace, statusWrites, 'false', 'not now'));
    atEnd(t, () =>
      Promise.all(policies.map(({ kind, metadata }) => scene.cluster.kubectl('delete', kind, metadata.name, '--ignore-not-found'))),
    );
    await untilDenied(scene);
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    await scene.operator.kill();
    for (const { kind, metadata } of policies.toReversed()) await scene.cluster.kubectl('delete', kind, metadata.name);
    await scene.operator.revive();
    await scene.untilRequest('1.1.0', 'Completed');
    await assertUpdatedOnceEach(scene, ['1.1.0']);
    assert.equal((await scene.get()).metadata['generation'], before.metadata['generation'] + 1);
  });

  it('updates exactly once however it is killed (ten times, at various moments)', async (t) => {
    const scene = await openScene(t, 'killed-often');
    await scene.deploy('1.0.0', { settings: direct });
    // Not more: ten entries of history, requests and old ReplicaSets are kept.
    const tags = Array.from({ length: 10 }, (_, index) => `1.${index + 1}.0`);
    for (const [index, tag] of tags.entries()) {
      const [title, untilMoment] = moments[index % moments.length]!;
      const moment = untilMoment(scene, tag);
      await scene.release(tag);
      await moment;
      await scene.operator.kill();
      t.diagnostic(`${tag}: killed ${title}: ${await describeState(scene, tag)}`);
      await scene.operator.revive();
      // A hint that was lost with the process is sent again, as a registry would.
      if ((await scene.requests()).every(({ spec }) => spec.newImage !== scene.image(tag))) await scene.announce(tag);
      await scene.untilRequest(tag, 'Completed');
      assert.deepEqual(imagesOf(await scene.cluster.untilRolledOut(scene.pathOf())), [scene.image(tag)]);
    }
    await assertUpdatedOnceEach(scene, tags);
  });
});

/** When to kill the operator: to be asked for before the push, because a watch has to be there first. */
const moments: readonly (readonly [title: string, until: (scene: Scene, tag: string) => Promise<unknown>])[] = [
  ['when the request appeared', untilRequested],
  ['at random', () => delay(Math.random() * 300)],
  ['when the patch appeared', (scene, tag) => scene.untilImage(scene.image(tag))],
];

async function untilRequested(scene: Scene, tag: string): Promise<void> {
  const collection = scene.requestPath('').slice(0, -1);
  for await (const { object } of scene.cluster.admin.watch(collection)) {
    if (object['spec']?.newImage === scene.image(tag)) return;
  }
}

/** How far the update to that tag came. */
async function describeState(scene: Scene, tag: string): Promise<string> {
  const request = (await scene.requests()).find(({ spec }) => spec.newImage === scene.image(tag));
  const isPatched = imagesOf(await scene.get()).includes(scene.image(tag));
  const phase = request ? (request['status']?.phase ?? 'no status') : 'no request';
  return isPatched ? `${phase}, patched` : phase;
}

/** Tries with a request of its own, which it removes. */
async function untilDenied(scene: Scene): Promise<void> {
  const name = 'probe';
  const targetRef = { kind: 'Deployment', name: 'nobody', namespace: scene.namespace };
  const spec = { targetRef, containerName: 'app', currentImage: 'x:1', newImage: 'x:2', policy: 'minor', updateType: 'image' };
  await scene.cluster.apply(
    { apiVersion: 'headwind.sh/v1alpha1', kind: 'UpdateRequest', metadata: { name }, spec },
    { namespace: scene.namespace },
  );
  const path = `${scene.requestPath(name)}/status?dryRun=All`;
  await scene.cluster.until('status can no longer be written', async (see) => {
    const answer = await scene.cluster.admin.request('PATCH', path, { status: { message: 'x' } }, 'application/merge-patch+json');
    see(answer.body);
    return answer.status === 422;
  });
  await scene.cluster.admin.delete(scene.requestPath(name));
}
