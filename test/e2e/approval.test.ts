import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { call } from './call.ts';
import { conditionOf, imagesOf, openScene, writtenOn } from './scene.ts';
import type { Scene } from './scene.ts';

/** A Deployment at 1.0.0 whose release 1.1.0 waits for a person. */
async function pendingUpdate(scene: Scene, settings: Record<string, string> = {}) {
  await scene.deploy('1.0.0', { settings });
  const digest = await scene.release('1.1.0');
  const request = await scene.untilRequest('1.1.0', 'Pending');
  return { digest, request, name: request.metadata.name };
}

function decide(scene: Scene, name: string, verb: 'approve' | 'reject', body: object = {}) {
  return call(`${scene.operator.api}/api/v1/updates/${scene.namespace}/${name}/${verb}`, { body });
}

describe('test/e2e/approval', { concurrency: 3 }, () => {
  it('shows a request with all its columns, and applies it when kubectl approves', async (t) => {
    const scene = await openScene(t, 'kubectl-approves');
    const { digest, request, name } = await pendingUpdate(scene);
    const table = (await scene.cluster.kubectl('get', 'ur', '-n', scene.namespace)).trim().split('\n');
    assert.deepEqual(table[0]?.trim().split(/\s+/), ['NAME', 'TARGET', 'CONTAINER', 'CURRENT', 'NEW', 'POLICY', 'PHASE', 'AGE']);
    const row = [name, 'app', 'app', scene.image('1.0.0'), scene.image('1.1.0'), 'minor', 'Pending'];
    assert.deepEqual(table[1]?.trim().split(/\s+/).slice(0, -1), row);
    assert.equal(table.length, 2);
    assert.equal(request['spec'].newDigest, digest);
    assert.equal(conditionOf(request, 'Verified')?.status, 'True');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
    await scene.operator.untilMetric('updates_pending', {}, (value) => value === 1);

    const before = await scene.get();
    const approval = JSON.stringify({ status: { phase: 'Approved' } });
    await scene.cluster.kubectl('patch', 'ur', name, '-n', scene.namespace, '--subresource=status', '--type=merge', '-p', approval);
    const { status } = await scene.untilRequest('1.1.0', 'Completed');
    assert.equal(status.approvedBy, 'unknown');
    const after = await scene.cluster.untilRolledOut(scene.pathOf());
    assert.deepEqual(imagesOf(after), [scene.image('1.1.0')]);
    assert.equal(after.metadata['generation'], before.metadata['generation'] + 1);
    assert.equal(await scene.revisions(), 2);
    const { history, digests, lastUpdate } = writtenOn(after);
    assert.deepEqual(history, [
      {
        container: 'app',
        image: scene.image('1.1.0'),
        updateRequestName: name,
        approvedBy: 'unknown',
        digest,
        fromImage: scene.image('1.0.0'),
        trigger: 'webhook',
        timestamp: lastUpdate,
      },
    ]);
    assert.match(lastUpdate ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual(digests, { app: digest });
    for (const metric of ['updates_approved_total', 'updates_applied_total'])
      await scene.operator.untilMetric(metric, {}, (value) => value === 1);
    await scene.operator.untilMetric('updates_pending', {}, (value) => value === 0);
    await scene.untilEvent(/^UpdateApproved UpdateRequest /);
    await scene.untilEvent(/^UpdateApplied Deployment /);
  });

  it('applies once what the API approves, however often it is approved', async (t) => {
    const scene = await openScene(t, 'api-approves');
    const { digest, name } = await pendingUpdate(scene);
    const refused = await decide(scene, name, 'approve', { digest: `sha256:${'1'.repeat(64)}` });
    assert.equal(`${refused.status} ${refused.json.reason}`, '409 DigestChanged');
    const answers = await Promise.all([1, 2, 3].map(() => decide(scene, name, 'approve', { approver: 'alice', digest })));
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [200, 409, 409],
    );
    const approved = answers.find(({ status }) => status === 200)?.json;
    assert.equal(approved.status.phase, 'Completed');
    assert.equal(approved.status.approvedBy, 'alice');
    assert.equal(approved.updateRequest.metadata.name, name);
    const again = await decide(scene, name, 'approve');
    assert.deepEqual([again.status, again.json.current_phase], [409, 'Completed']);
    const after = await scene.cluster.untilRolledOut(scene.pathOf());
    assert.deepEqual(imagesOf(after), [scene.image('1.1.0')]);
    assert.deepEqual(
      writtenOn(after).history.map(({ approvedBy }) => approvedBy),
      ['alice'],
    );
    assert.equal(await scene.revisions(), 2);
  });

  it('lists requests, and answers 404 for one that does not exist', async (t) => {
    const scene = await openScene(t, 'api-lists');
    const { name } = await pendingUpdate(scene);
    const { status, json } = await call(`${scene.operator.api}/api/v1/updates`);
    assert.equal(status, 200);
    assert.deepEqual(
      json.map(({ metadata, phase, deployment }: any) => [metadata.name, phase, deployment]),
      [[name, 'Pending', 'app']],
    );
    const missing = await decide(scene, 'missing', 'approve');
    assert.deepEqual([missing.status, missing.json.reason], [404, 'NotFound']);
  });

  it('does not offer again what was rejected, over webhooks, polling and a restart, until something newer exists', async (t) => {
    const env = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '1' };
    const scene = await openScene(t, 'rejected', { env });
    const { name } = await pendingUpdate(scene, { 'event-source': 'both' });
    const { status, json } = await decide(scene, name, 'reject', { approver: 'bob', reason: 'not on a Friday' });
    assert.equal(status, 200);
    assert.equal(json.status.phase, 'Rejected');
    assert.deepEqual(
      [json.status.rejectedBy, json.status.message, json.status.rejectionReason],
      ['bob', 'not on a Friday', 'not on a Friday'],
    );
    const generation = (await scene.get()).metadata['generation'];

    await scene.untilDecided(() => scene.announce('1.1.0'));
    await scene.operator.restart();
    const { operator } = scene;
    await operator.untilMetric('polls_total', { result: 'ok' }, (value) => value >= 2);
    await scene.untilDecided(() => scene.announce('1.1.0'));
    assert.deepEqual(
      (await scene.requests()).map(({ status: { phase } }) => phase),
      ['Rejected'],
    );
    assert.equal((await scene.get()).metadata['generation'], generation);

    await scene.release('1.2.0');
    const offered = await scene.untilRequest('1.2.0', 'Pending');
    assert.deepEqual([offered['spec'].currentImage, offered['spec'].newImage], [scene.image('1.0.0'), scene.image('1.2.0')]);
    assert.equal((await scene.requests()).length, 2);
  });

  it('takes a rejection by kubectl, with a default reason', async (t) => {
    const scene = await openScene(t, 'kubectl-rejects');
    const { name } = await pendingUpdate(scene);
    const rejection = JSON.stringify({ status: { phase: 'Rejected' } });
    await scene.cluster.kubectl('patch', 'ur', name, '-n', scene.namespace, '--subresource=status', '--type=merge', '-p', rejection);
    const { status } = await scene.untilRequest('1.1.0', 'Rejected', (request) => request['status'].rejectedAt !== undefined);
    assert.deepEqual([status.rejectedBy, status.message], ['unknown', 'Rejected by user']);
    const table = await scene.cluster.kubectl('get', 'ur', '-n', scene.namespace);
    assert.match(table, / Rejected /);
    const again = await decide(scene, name, 'approve');
    assert.deepEqual([again.status, again.json.current_phase], [409, 'Rejected']);
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
  });

  it('puts back a phase that nobody may set', async (t) => {
    const scene = await openScene(t, 'put-back');
    const { name } = await pendingUpdate(scene);
    const completed = JSON.stringify({ status: { phase: 'Completed' } });
    await scene.cluster.kubectl('patch', 'ur', name, '-n', scene.namespace, '--subresource=status', '--type=merge', '-p', completed);
    await scene.untilEvent(/^InvalidTransition UpdateRequest /);
    await scene.untilRequest('1.1.0', 'Pending');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
  });

  it('expires what nobody decides, and does not offer it again', async (t) => {
    const scene = await openScene(t, 'expiry', { env: { HEADWIND_REQUEST_EXPIRY: '2s' } });
    await pendingUpdate(scene);
    const expired = await scene.untilRequest('1.1.0', 'Expired');
    assert.equal(conditionOf(expired, 'Superseded'), undefined);
    await scene.untilEvent(/^UpdateExpired Deployment /);
    await scene.untilDecided(() => scene.announce('1.1.0'));
    assert.equal((await scene.requests()).length, 1);
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
  });

  it('replaces a waiting request when something newer is pushed', async (t) => {
    const scene = await openScene(t, 'superseded');
    const { name } = await pendingUpdate(scene);
    await scene.release('1.2.0');
    const newer = await scene.untilRequest('1.2.0', 'Pending');
    const older = await scene.untilRequest('1.1.0', 'Expired');
    assert.equal(conditionOf(older, 'Superseded')?.status, 'True');
    const late = await decide(scene, name, 'approve');
    assert.deepEqual([late.status, late.json.current_phase], [409, 'Expired']);
    assert.equal((await decide(scene, newer.metadata.name, 'approve')).json.status.phase, 'Completed');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.2.0')]);
    assert.equal(writtenOn(await scene.get()).history.length, 1);
  });

  it('replaces a waiting request when somebody else changes the image', async (t) => {
    const scene = await openScene(t, 'changed');
    await pendingUpdate(scene);
    await scene.registry.push(scene.repository, '1.1.5');
    await scene.cluster.kubectl('set', 'image', 'deployment/app', `app=${scene.image('1.1.5')}`, '-n', scene.namespace);
    const older = await scene.untilRequest('1.1.0', 'Expired');
    assert.equal(conditionOf(older, 'Superseded')?.status, 'True');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.1.5')]);
  });

  it('waits for the interval, over a restart, and then applies what is newest', async (t) => {
    const scene = await openScene(t, 'interval');
    await scene.deploy('1.0.0', { settings: { 'require-approval': 'false', 'min-update-interval': '14s' } });
    await scene.release('1.1.0');
    await scene.untilRequest('1.1.0', 'Completed');
    const first = writtenOn(await scene.get());
    await scene.release('1.2.0');
    const waiting = await scene.untilRequest('1.2.0', 'Approved');
    assert.deepEqual([conditionOf(waiting, 'Applied')?.status, conditionOf(waiting, 'Applied')?.reason], ['False', 'TooSoon']);
    await scene.operator.untilMetric('updates_skipped_interval_total', {}, (value) => value === 1);
    await scene.operator.restart();
    await scene.untilRequest('1.2.0', 'Completed');
    const { history, lastUpdate } = writtenOn(await scene.get());
    assert.deepEqual(
      history.map(({ image }) => image),
      [scene.image('1.2.0'), scene.image('1.1.0')],
    );
    const waitedMs = Date.parse(lastUpdate!) - Date.parse(first.lastUpdate!);
    assert.ok(waitedMs >= 14_000 && waitedMs <= 22_000, `waited ${waitedMs} ms`);
    assert.equal(await scene.revisions(), 3);
  });
});
