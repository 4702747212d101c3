import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { call } from './call.ts';
import { startOperator } from './operator.ts';
import type { Operator } from './operator.ts';
import { openScene } from './scene.ts';
import type { Scene } from './scene.ts';

/** Another operator for the same namespaces and the same Lease. */
function startFollower(t: TestContext, { cluster, namespace, registry }: Scene): Promise<Operator> {
  return startOperator(t, { cluster, namespaces: [namespace], registries: [registry], until: 'ready' });
}

function leaseOf(scene: Scene): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${scene.namespace}/leases/headwind`;
}

const direct = { 'require-approval': 'false', 'min-update-interval': '0' };

describe('test/e2e/replicas', { concurrency: 3 }, () => {
  it('ends by SIGTERM with 0 within five seconds and gives its Lease back', async (t) => {
    const scene = await openScene(t, 'sigterm');
    await scene.deploy('1.0.0', { settings: direct });
    const held = await scene.cluster.admin.get(leaseOf(scene));
    assert.notEqual(held?.['spec'].holderIdentity ?? '', '');
    const startedAt = performance.now();
    const ended = await scene.operator.stop();
    assert.deepEqual([ended.code, ended.signal], [0, null]);
    assert.ok(performance.now() - startedAt < 5_000);
    const released = await scene.cluster.admin.get(leaseOf(scene));
    assert.equal(released?.['spec'].holderIdentity ?? '', '');
  });

  it('hands over to a second replica at once', async (t) => {
    const scene = await openScene(t, 'handover');
    await scene.deploy('1.0.0', { settings: direct });
    const follower = await startFollower(t, scene);
    assert.equal(await follower.metric('leader'), 0);
    const startedAt = performance.now();
    await scene.operator.stop();
    await follower.untilMetric('leader', {}, (value) => value === 1);
    assert.ok(performance.now() - startedAt < 8_000, 'a released Lease is not waited for');
    const next = scene.seenBy(follower);
    await next.release('1.1.0');
    await next.untilRequest('1.1.0', 'Completed');
  });

  it('takes over from a replica that was killed, when its Lease has run out', async (t) => {
    const scene = await openScene(t, 'takeover');
    await scene.deploy('1.0.0');
    await scene.release('1.1.0');
    const { metadata } = await scene.untilRequest('1.1.0', 'Pending');
    const follower = await startFollower(t, scene);
    await scene.operator.kill();
    await follower.untilMetric('leader', {}, (value) => value === 1);
    const approve = `${follower.api}/api/v1/updates/${scene.namespace}/${metadata.name}/approve`;
    assert.equal((await call(approve, { body: {} })).json.status.phase, 'Completed');
  });

  it('forwards webhooks from a follower to the leader, and lets a follower approve', async (t) => {
    const scene = await openScene(t, 'forward');
    await scene.deploy('1.0.0');
    const follower = await startFollower(t, scene);
    const next = scene.seenBy(follower);
    await next.release('1.1.0');
    const { metadata } = await scene.untilRequest('1.1.0', 'Pending');
    await scene.operator.untilMetric('webhook_events_processed', {}, (value) => value === 1);
    const approve = `${follower.api}/api/v1/updates/${scene.namespace}/${metadata.name}/approve`;
    const { status, json } = await call(approve, { body: { approver: 'dora' } });
    assert.deepEqual([status, json.status.phase, json.status.approvedBy], [200, 'Completed', 'dora']);
    await scene.operator.kill();
    const refused = await next.deliver({ repository: scene.repository, tag: '1.2.0', image: scene.image('1.2.0') });
    assert.equal(refused.status, 503, 'the leader is dead, nobody takes hints in: the sender must send again');
  });
});
