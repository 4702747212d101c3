import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import type { PushHint } from '../core/push-hint.ts';
import { parseDockerHub } from '../webhooks/dockerhub.ts';
import { parseRegistryDelivery } from '../webhooks/registry.ts';
import { type Acceptance, createWebhookApp, type RawDelivery } from './webhooks.ts';

const json = 'application/json';
const vendor = 'application/vnd.docker.distribution.events.v1+json';

function aWorld(answer: Acceptance | (() => Promise<Acceptance>) = 'accepted') {
  const log = new RecordingLog();
  const metrics = new RecordingMetrics();
  const taken: { hints: readonly PushHint[]; raw: RawDelivery }[] = [];
  const app = createWebhookApp({
    receivers: [
      { path: '/webhook/dockerhub', provider: 'dockerhub', parse: parseDockerHub },
      { path: '/webhook/registry', provider: 'registry', parse: parseRegistryDelivery },
    ],
    accept(hints, raw) {
      taken.push({ hints, raw });
      return typeof answer === 'string' ? answer : answer();
    },
    health: { version: '1', isLeader: () => true, alive: () => true, checks: () => [] },
    log,
    metrics,
  });
  const send = (path: string, type: string | undefined, body: string | Uint8Array<ArrayBuffer>, method = 'POST') =>
    app.request(path, { method, ...(method === 'GET' ? {} : { body }), headers: type === undefined ? {} : { 'content-type': type } });
  return { app, log, metrics, taken, send };
}

const push = '{"events":[{"action":"push","target":{"repository":"team/app","tag":"1.4.2"},"request":{"host":"reg.example.com"}}]}';
const pull = '{"events":[{"action":"pull","target":{"repository":"team/app","tag":"1.4.2"}}]}';
const broken = '{"events":[{"action":"push"}]}';
const huge = `{"events":[],"padding":"${'x'.repeat(3 * 1024 * 1024)}"}`;
const hub = '{"push_data":{"tag":"v1.2.3"},"repository":{"repo_name":"myimage"}}';

type Row = readonly [title: string, path: string, type: string | undefined, body: string, status: number, result: string];
const table: readonly Row[] = [
  ['Docker Hub', '/webhook/dockerhub', json, hub, 200, 'accepted'],
  ['Docker Hub to the other route', '/webhook/registry', json, hub, 200, 'accepted'],
  ['flat', '/webhook/registry', json, '{"repository":"myimage","tag":"v1.2.3"}', 200, 'accepted'],
  ['flat with image', '/webhook/registry', json, '{"repository":"acme/app","tag":"1.4.2","image":"ghcr.io/acme/app"}', 200, 'accepted'],
  ['distribution', '/webhook/registry', vendor, push, 200, 'accepted'],
  ['distribution as plain JSON with a charset', '/webhook/registry', `${json}; charset=utf-8`, push, 200, 'accepted'],
  ['distribution of version 2', '/webhook/registry', 'application/vnd.docker.distribution.events.v2+json', push, 200, 'accepted'],
  ['JSON that curl calls a form', '/webhook/registry', 'application/x-www-form-urlencoded', push, 200, 'accepted'],
  ['a byte order mark', '/webhook/registry', json, `\u{FEFF}${push}`, 200, 'accepted'],
  ['a pull', '/webhook/registry', json, pull, 204, 'ignored'],
  ['no events', '/webhook/registry', vendor, '{"events":[]}', 204, 'ignored'],
  ['an unknown object', '/webhook/registry', json, '{"hello":"world"}', 204, 'ignored'],
  ['an unknown list', '/webhook/registry', json, '[]', 204, 'ignored'],
  ['an empty body', '/webhook/registry', json, '', 400, 'malformed'],
  ['no JSON', '/webhook/dockerhub', json, '{"push_data":', 400, 'malformed'],
  ['a text', '/webhook/dockerhub', json, '"x"', 400, 'malformed'],
  ['null', '/webhook/registry', json, 'null', 400, 'malformed'],
  ['a list for Docker Hub', '/webhook/dockerhub', json, '[]', 400, 'malformed'],
  ['Docker Hub without tag', '/webhook/dockerhub', json, '{"push_data":{},"repository":{"repo_name":"x"}}', 400, 'malformed'],
  ['only broken events', '/webhook/registry', json, broken, 400, 'malformed'],
  ['a flood of tiny values', '/webhook/registry', json, `{"events":[${'{},'.repeat(900_000)}{}]}`, 400, 'malformed'],
  ['a flood of elements', '/webhook/registry', json, `{"images":[${'{},'.repeat(150_000)}{}]}`, 400, 'malformed'],
  ['too deep', '/webhook/registry', json, '['.repeat(65) + ']'.repeat(65), 400, 'malformed'],
  ['too large', '/webhook/registry', json, huge, 413, 'too_large'],
  ['XML', '/webhook/registry', 'application/xml', '<push/>', 415, 'unsupported'],
  ['a real form', '/webhook/registry', 'application/x-www-form-urlencoded', 'payload=1', 415, 'unsupported'],
  ['from distribution: only broken events', '/webhook/registry', vendor, broken, 204, 'malformed'],
  ['from distribution: no JSON', '/webhook/registry', vendor, '{', 204, 'malformed'],
  ['from distribution: nothing', '/webhook/registry', vendor, '', 204, 'malformed'],
  ['from distribution: too large', '/webhook/registry', vendor, huge, 204, 'too_large'],
];

/** encoding, type, body, status, result */
const encoded: readonly (readonly [string, string, string | Uint8Array<ArrayBuffer>, number, string])[] = [
  ['gzip', json, new Uint8Array(gzipSync(push)), 415, 'Send the body without Content-Encoding gzip\n'],
  ['GZIP', vendor, new Uint8Array(gzipSync(push)), 204, ''],
  ['br', json, 'no JSON', 415, 'Send the body without Content-Encoding br\n'],
  ['identity', json, 'no JSON', 400, 'Unusable body: the body is not JSON\n'],
  ['gzip', json, push, 200, 'Webhook processed'],
];

describe('http/webhooks', () => {
  for (const [title, path, type, body, status, result] of table) {
    it(`${title}: ${status} ${result}`, async () => {
      const { send, metrics, taken } = aWorld();
      const response = await send(path, type, body);
      const text = await response.text();
      assert.equal(response.status, status, text);
      if (status === 200) assert.equal(text, 'Webhook processed');
      if (status >= 400) assert.match(text, /^[A-Z][^{]+\n$/);
      assert.equal(taken.length, status === 200 ? 1 : 0);
      assert.equal(metrics.value('webhook_events_total'), 1);
      const counted = ['dockerhub', 'registry', 'flat', 'generic', 'unknown_format'].map((provider) =>
        metrics.value('webhook_deliveries_total', { provider, result }),
      );
      assert.equal(
        counted.reduce((sum, value) => sum + value),
        1,
      );
    });
  }

  for (const [encoding, type, body, status, answer] of encoded) {
    it(`Content-Encoding ${encoding}, ${typeof body === 'string' ? 'plain' : 'packed'}, as ${type}: ${status}`, async () => {
      const headers = { 'content-type': type, 'content-encoding': encoding };
      const response = await aWorld().app.request('/webhook/registry', { method: 'POST', headers, body });
      assert.deepEqual([response.status, await response.text()], [status, answer]);
    });
  }

  it('hands over the hints and the delivery as it came', async () => {
    const { send, taken } = aWorld();
    await send('/webhook/registry', vendor, push);
    assert.deepEqual(taken[0]?.hints, [{ provider: 'registry', registry: 'reg.example.com', repository: 'team/app', tag: '1.4.2' }]);
    assert.equal(taken[0]?.raw.path, '/webhook/registry');
    assert.equal(taken[0]?.raw.headers.get('content-type'), vendor);
    assert.equal(Buffer.from(taken[0]?.raw.body ?? []).toString(), push);
  });

  it('when nobody can take the delivery every sender is asked to try again, distribution too', async () => {
    for (const type of [json, vendor]) {
      const { send, metrics } = aWorld(async () => 'unavailable');
      const response = await send('/webhook/registry', type, push);
      assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '5']);
      assert.equal(metrics.value('webhook_deliveries_total', { provider: 'registry', result: 'dropped' }), 1);
    }
  });

  it('a fault of the receiver is 500 and tells nothing', async () => {
    const { send } = aWorld(() => Promise.reject(new Error('secret detail')));
    const response = await send('/webhook/registry', json, push);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  });

  it('other methods are refused with Allow, unknown receivers are not found', async () => {
    const { send } = aWorld();
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const response = await send('/webhook/dockerhub', json, hub, method);
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST']);
    }
    assert.equal((await send('/webhook/harbor', json, hub)).status, 404);
    assert.equal((await send('/health', undefined, '', 'GET')).status, 200);
  });

  it('many long bodies at once are asked to come again, and short ones go on', async () => {
    const { app, send } = aWorld();
    const stop = new AbortController();
    const stalled = Array.from({ length: 20 }, () => {
      let pieces = 0;
      const body = new ReadableStream({
        pull: (controller) => (pieces++ < 29 ? controller.enqueue(new Uint8Array(100 * 1024)) : never(stop.signal, controller)),
      });
      return Promise.resolve(app.request('/webhook/registry', { method: 'POST', body, duplex: 'half' } as RequestInit));
    });
    const first = await Promise.race(stalled);
    assert.deepEqual([first.status, first.headers.get('retry-after')], [503, '5']);
    assert.equal((await send('/webhook/registry', json, hub)).status, 200);
    stop.abort();
    await Promise.all(stalled);
    assert.equal((await send('/webhook/registry', json, `${hub}${' '.repeat(2_000_000)}`)).status, 200);
  });

  it('of an unknown format the names of members are logged, never values', async () => {
    const { send, log } = aWorld();
    await send('/webhook/registry', json, '{"password":"c4nary"}');
    const line = log.lines.find(({ level }) => level === 'info');
    assert.deepEqual(line && 'members' in line.fields && line.fields.members, ['password']);
    assert.doesNotMatch(JSON.stringify(log.lines), /c4nary/);
  });
});

/** The sender says nothing more, until the test ends. */
function never(signal: AbortSignal, controller: ReadableStreamDefaultController): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      controller.error(new Error('gone'));
      resolve();
    });
  });
}
