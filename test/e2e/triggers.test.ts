import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { freePort } from '../cluster/ports.ts';
import { startRegistry } from '../cluster/registry.ts';
import { atEnd } from './at-end.ts';
import { call } from './call.ts';
import { imagesOf, openScene, writtenOn } from './scene.ts';
import type { Scene } from './scene.ts';

const direct = { 'require-approval': 'false', 'min-update-interval': '0' };
const polling = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '1' };

/** One request, one history entry, one further ReplicaSet: one update. */
async function assertOneUpdate(scene: Scene, trigger: RegExp): Promise<void> {
  await scene.untilRequest('1.1.0', 'Completed');
  const after = await scene.cluster.untilRolledOut(scene.pathOf());
  assert.equal((await scene.requests()).length, 1);
  assert.deepEqual(
    writtenOn(after).history.map(({ image }) => image),
    [scene.image('1.1.0')],
  );
  assert.match(writtenOn(after).history[0].trigger, trigger);
  assert.equal(await scene.revisions(), 2);
  await scene.operator.untilMetric('updates_applied_total', {}, (value) => value === 1);
}

describe('test/e2e/triggers', { concurrency: 3 }, () => {
  it('learns of a push from the notifications of a real registry', async (t) => {
    const port = await freePort();
    const registry = await startRegistry({ webhooks: [{ url: `http://127.0.0.1:${port}/webhook/registry` }] });
    atEnd(t, () => registry.stop());
    const scene = await openScene(t, 'notified', { registry, env: { HEADWIND_WEBHOOK_PORT: String(port) } });
    await scene.deploy('1.0.0', { settings: direct });
    await registry.push(scene.repository, '1.1.0');
    await assertOneUpdate(scene, /^webhook$/);
    // Our own questions made `pull` events, which must not make us ask again.
    await scene.operator.untilMetric('webhook_deliveries_total', { result: 'ignored' }, (value) => value > 0);
  });

  it('learns by polling alone', async (t) => {
    const scene = await openScene(t, 'polling-only', { env: polling });
    await scene.deploy('1.0.0', { settings: { ...direct, 'event-source': 'polling' } });
    await scene.registry.push(scene.repository, '1.1.0');
    await assertOneUpdate(scene, /^polling$/);
    await scene.operator.untilMetric('polls_total', {}, (value) => value >= 4);
    await assertOneUpdate(scene, /^polling$/);
  });

  it('does not tell a workload that polls what only a webhook said, and the other way round', async (t) => {
    const scene = await openScene(t, 'event-source', { env: polling });
    await scene.deploy('1.0.0', { settings: { ...direct, 'event-source': 'webhook' } });
    await scene.run({ name: 'none', image: scene.image('1.0.0'), settings: { ...direct, 'event-source': 'none' } });
    await scene.run({ name: 'polls', image: scene.image('1.0.0'), settings: { ...direct, 'event-source': 'polling' } });
    await scene.registry.push(scene.repository, '1.1.0');
    await scene.untilImage(scene.image('1.1.0'), 'polls');
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
    await scene.untilDecided(() => scene.announce('1.1.0'));
    await scene.untilImage(scene.image('1.1.0'));
    assert.deepEqual(imagesOf(await scene.get('none')), [scene.image('1.0.0')]);
    assert.equal((await scene.requests()).length, 2);
  });

  it('updates once what it learns by polling and webhooks', async (t) => {
    const scene = await openScene(t, 'both', { env: polling });
    await scene.deploy('1.0.0', { settings: { ...direct, 'event-source': 'both' } });
    await scene.operator.untilMetric('polls_total', { result: 'ok' }, (value) => value >= 1);
    await Promise.all([scene.release('1.1.0'), scene.announce('1.1.0')]);
    await assertOneUpdate(scene, /^(webhook|polling)$/);
    const polls = await scene.operator.metric('polls_total');
    await scene.operator.untilMetric('polls_total', {}, (value) => value >= polls + 2);
    await scene.untilDecided(() => scene.announce('1.1.0'));
    await assertOneUpdate(scene, /^(webhook|polling)$/);
  });

  it('updates all workloads of a repository, and no other', async (t) => {
    const scene = await openScene(t, 'several');
    await scene.deploy('1.0.0', { name: 'one', settings: direct });
    await scene.run({ name: 'two', image: scene.image('1.0.0'), settings: direct });
    await scene.registry.push(`${scene.repository}-other`, '1.0.0');
    await scene.run({ name: 'other', image: scene.image('1.0.0', `${scene.repository}-other`), settings: direct });
    await scene.run({ name: 'off', image: scene.image('1.0.0'), settings: { ...direct, policy: 'none' } });
    await scene.release('1.1.0');
    for (const name of ['one', 'two']) await scene.untilImage(scene.image('1.1.0'), name);
    for (const name of ['other', 'off']) assert.match(imagesOf(await scene.get(name))[0]!, /:1\.0\.0$/);
  });

  it('ignores a webhook about a tag that the registry does not have', async (t) => {
    const scene = await openScene(t, 'no-such-tag');
    await scene.deploy('1.0.0', { settings: direct });
    await scene.operator.untilMetric('queue_depth', {}, (value) => value === 0);
    await scene.announce('1.9.9');
    await scene.operator.untilMetric('reconciles_total', { controller: 'hints' }, (value) => value > 0);
    assert.deepEqual(await scene.requests(), []);
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
  });

  it('answers odd deliveries with the right code, and goes on', async (t) => {
    const scene = await openScene(t, 'odd-bodies');
    await scene.deploy('1.0.0', { settings: direct });
    const deliveries: readonly (readonly [title: string, route: string, body: unknown, status: number])[] = [
      ['nothing', 'registry', '', 400],
      ['no JSON', 'registry', '{"events":[', 400],
      ['a number', 'registry', '1', 400],
      ['null', 'registry', 'null', 400],
      ['an unknown object', 'registry', {}, 204],
      ['an empty envelope', 'registry', { events: [] }, 204],
      ['events that are no objects', 'registry', { events: [null, 1, 'x', []] }, 400],
      ['depth', 'registry', '['.repeat(100_000), 400],
      ['__proto__', 'registry', '{"__proto__":{"repository":"x"},"constructor":1}', 204],
      ['3 MiB and more', 'registry', `{"x":"${'x'.repeat(3 * 1024 * 1024)}"}`, 413],
      ['a push without a tag', 'dockerhub', { push_data: {}, repository: { repo_name: 'a/b' } }, 400],
      ['an impossible tag', 'registry', { repository: 'acme/app', tag: '../../etc' }, 400],
      ['an unknown path', 'unknown', {}, 404],
    ];
    for (const [title, route, body, status] of deliveries) {
      const answer = await scene.deliver(body, route);
      assert.equal(answer.status, status, `${title}: ${answer.text}`);
    }
    assert.equal((await call(`${scene.operator.webhook}/webhook/registry`)).status, 405);
    assert.deepEqual(await scene.requests(), []);
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
  });
});
