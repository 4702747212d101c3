import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { startRegistry } from '../cluster/registry.ts';
import { startFakeRegistry } from '../fakes/registry.ts';
import type { FakeRegistry } from '../fakes/registry.ts';
import { atEnd } from './at-end.ts';
import { conditionOf, imagesOf, openScene, writtenOn } from './scene.ts';
import type { PushTarget } from './scene.ts';

const settings = { 'require-approval': 'false', 'min-update-interval': '0' };
/** The operator looks again after 15 s, or after 30 s when a registry has failed five times. */
const patient = { timeoutMs: 75_000 };

/** One answer to everything. */
function always(status: number, body: string, headers: Record<string, string> = {}) {
  return (_request: unknown, response: ServerResponse) => {
    response.writeHead(status, headers).end(body);
    return true;
  };
}

/** Every page has a tag nobody has seen, and a link to the next one. */
function endlessly({ url }: { url: string }, response: ServerResponse): boolean {
  const page = Number(new URL(url, 'http://x').searchParams.get('page') ?? 0);
  if (!url.includes('/tags/list')) return false;
  const link = `<${url.split('?')[0]}?page=${page + 1}>; rel="next"`;
  response.writeHead(200, { 'content-type': 'application/json', link }).end(JSON.stringify({ name: 'x', tags: [`9.${page}.0`] }));
  return true;
}

const html = '<!doctype html><title>Sign in</title>';
const faults = [
  // what the registry answers, the answer, what people are told
  ['401', always(401, '', { 'www-authenticate': 'Basic realm="closed"' }), /NoCredentialAccepted|RegistryUnavailable/],
  ['404', always(404, '{"errors":[{"code":"NAME_UNKNOWN"}]}'), /RegistryUnavailable|TagNotFound/],
  ['429', always(429, '{"errors":[{"code":"TOOMANYREQUESTS"}]}', { 'retry-after': '2' }), /RegistryUnavailable/],
  ['500', always(500, 'oops'), /RegistryUnavailable/],
  ['HTML', always(200, html, { 'content-type': 'text/html' }), /RegistryUnavailable/],
  ['an endless list', endlessly, /TagListTruncated/],
] as const;

async function fakeRegistry(t: TestContext): Promise<{ fake: FakeRegistry; registry: PushTarget }> {
  const fake = await startFakeRegistry();
  atEnd(t, () => fake.close());
  return { fake, registry: { host: fake.host, push: (repository, tag) => fake.push(repository, tag) } };
}

describe('test/e2e/faulty-registry', { concurrency: 6 }, () => {
  for (const [title, answer, told] of faults) {
    it(`survives polling a registry that answers ${title}`, async (t) => {
      const { fake, registry } = await fakeRegistry(t);
      const env = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '1' };
      const scene = await openScene(t, 'faulty-poll', { registry, env });
      fake.switches.intercept = answer;
      const before = await scene.deploy('1.0.0', { settings: { ...settings, 'event-source': 'polling' } });
      await registry.push(scene.repository, '1.1.0');
      await scene.untilEvent(told);
      assert.deepEqual(await scene.requests(), []);
      assert.equal((await scene.get()).metadata['generation'], before.metadata['generation']);
      fake.switches.intercept = undefined;
      await scene.cluster.until('polling goes on', async () => imagesOf(await scene.get()).includes(scene.image('1.1.0')), patient);
      assert.equal(writtenOn(await scene.get()).history.length, 1);
    });
  }

  for (const [title, answer] of faults.slice(0, 5)) {
    it(`survives a webhook from a registry that answers ${title}`, async (t) => {
      const { fake, registry } = await fakeRegistry(t);
      const scene = await openScene(t, 'faulty-push', { registry });
      const before = await scene.deploy('1.0.0', { settings });
      fake.switches.intercept = answer;
      await scene.release('1.1.0');
      await scene.cluster.until('the registry was asked', () => fake.requests.length > 0);
      await scene.operator.untilMetric('reconciles_total', { controller: 'hints' }, (value) => value > 0);
      assert.equal((await scene.get()).metadata['generation'], before.metadata['generation']);
      fake.switches.intercept = undefined;
      await scene.cluster.until('the update is made', async () => imagesOf(await scene.get()).includes(scene.image('1.1.0')), patient);
      assert.equal(writtenOn(await scene.get()).history.length, 1);
    });
  }

  for (const fault of ['down', 'pause'] as const) {
    it(`lets a person or the registry decide when it cannot be asked during a webhook (${fault})`, async (t) => {
      const registry = await startRegistry();
      atEnd(t, () => registry.stop());
      const scene = await openScene(t, `registry-${fault}`, { registry });
      const before = await scene.deploy('1.0.0', { settings });
      const digest = await registry.push(scene.repository, '1.1.0');
      await registry[fault]();
      await scene.announce('1.1.0', digest);
      const request = await scene.cluster.until('a request waits', async () => (await scene.requests())[0], patient);
      assert.deepEqual([request['spec'].newImage, request['spec'].newDigest], [scene.image('1.1.0'), digest]);
      const waiting = await scene.untilRequest('1.1.0', 'Pending');
      const { status, reason } = conditionOf(waiting, 'Verified')!;
      assert.deepEqual([status, reason], ['Unknown', 'RegistryUnavailable']);
      assert.equal((await scene.get()).metadata['generation'], before.metadata['generation']);
      await registry[fault === 'down' ? 'up' : 'resume']();
      await scene.cluster.until(
        'the request is carried out',
        async () => imagesOf(await scene.get()).includes(scene.image('1.1.0')),
        patient,
      );
      const [only, ...others] = await scene.requests();
      assert.deepEqual(others, []);
      assert.equal(conditionOf(only!, 'Verified')?.status, 'True');
    });
  }
});
