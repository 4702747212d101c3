import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { createApp, type Route } from './app.ts';
import { readMembers } from './body.ts';
import { ListenError, type RunningServer, startServer } from './server.ts';

const log = new RecordingLog();

async function aServer(t: TestContext, routes: readonly Route[] = []): Promise<RunningServer> {
  const echo: Route = { method: 'POST', path: '/api/echo', handle: async (c) => c.json(await readMembers(c.req.raw)) };
  const app = createApp({ name: 'api', log, metrics: new RecordingMetrics(), routes: [echo, ...routes] });
  const server = await startServer({ name: 'api', host: '127.0.0.1', port: 0, app, log });
  t.after(() => server.close(0));
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function send(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; chunks?: (string | Buffer)[] } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'POST', headers = {}, chunks = [] } = options;
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode, text }), reject);
    });
    request.on('error', reject);
    for (const chunk of chunks) request.write(chunk);
    request.end();
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

describe('http/server', () => {
  it('listens on a free port and says which', async (t) => {
    const { port } = await aServer(t);
    assert.ok(port > 0);
    const line = log.lines.findLast(({ message }) => message === 'listening');
    assert.deepEqual(line?.fields, { server: 'api', host: '127.0.0.1', port });
  });

  it('listens on all interfaces when no host is given', async (t) => {
    const app = createApp({ name: 'metrics', log, metrics: new RecordingMetrics(), routes: [] });
    const server = await startServer({ name: 'metrics', host: undefined, port: 0, app, log });
    t.after(() => server.close(0));
    assert.equal((await send(server.port, '/x', { method: 'GET' })).status, 404);
  });

  it('an occupied port is an error that names server, port and variable', async (t) => {
    const { port } = await aServer(t);
    const app = createApp({ name: 'metrics', log, metrics: new RecordingMetrics(), routes: [] });
    await assert.rejects(startServer({ name: 'metrics', host: '127.0.0.1', port, app, log }), (error) => {
      assert.ok(error instanceof ListenError);
      assert.equal(
        error.message,
        `the metrics server cannot listen on port ${port} of 127.0.0.1: it is in use; set HEADWIND_METRICS_PORT or HEADWIND_BIND_ADDRESS`,
      );
      return true;
    });
  });

  it('reads a body with and without a length', async (t) => {
    const { port } = await aServer(t);
    const headers = { 'content-type': 'application/json' };
    assert.deepEqual(await send(port, '/api/echo', { headers, chunks: ['{"a":', '1}'] }), { status: 200, text: '{"a":1}' });
    assert.deepEqual(await send(port, '/api/echo', { headers: { ...headers, 'content-length': '7' }, chunks: ['{"a":1}'] }), {
      status: 200,
      text: '{"a":1}',
    });
  });

  for (const [title, method, path, status] of [
    ['an answer', 'POST', '/api/echo', 200],
    ['a wrong method', 'PUT', '/api/echo', 405],
    ['no such route', 'GET', '/api/nothing', 404],
    ['a bug', 'GET', '/api/bug', 500],
  ] as const) {
    it(`${title} has its request id, and what a browser is to know`, async (t) => {
      const bug: Route = {
        method: 'GET',
        path: '/api/bug',
        handle() {
          throw new Error('a bug');
        },
      };
      const { port } = await aServer(t, [bug]);
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: { 'x-request-id': 'abc' }, agent: false }).end();
      const [answer]: IncomingMessage[] = await once(request, 'response');
      answer?.resume();
      assert.equal(answer?.statusCode, status);
      const { 'x-request-id': id, 'x-content-type-options': options, 'cache-control': cache } = answer?.headers ?? {};
      assert.deepEqual([id, options, cache], ['abc', 'nosniff', 'no-store']);
    });
  }

  it('a body over the limit is 413, announced or not', async (t) => {
    const { port } = await aServer(t);
    const large = Buffer.alloc(2 * 1024 * 1024 + 1, 0x20);
    const headers = { 'content-type': 'application/json' };
    assert.equal(
      (await send(port, '/api/echo', { headers, chunks: [large.subarray(0, 1_000_000), large.subarray(1_000_000)] })).status,
      413,
    );
    assert.equal(
      (await send(port, '/api/echo', { headers: { ...headers, 'content-length': String(large.length) }, chunks: [large] })).status,
      413,
    );
  });

  it('headers over 32 KiB are 431, an impossible Host is 400', async (t) => {
    const { port } = await aServer(t);
    assert.equal((await send(port, '/api/echo', { headers: { 'x-large': 'x'.repeat(33_000) } })).status, 431);
    assert.equal((await send(port, '/api/echo', { headers: { 'x-large': 'x'.repeat(30_000) } })).status, 200);
    assert.equal((await send(port, '/api/echo', { headers: { host: 'a b' } })).status, 400);
  });

  it('a sender that gives up in the middle of a body disturbs nobody', async (t) => {
    const { port } = await aServer(t);
    const errors = log.lines.filter(({ level }) => level === 'error').length;
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"');
    await send(port, '/api/echo', {});
    socket.destroy();
    await once(socket, 'close');
    assert.equal((await send(port, '/api/echo', {})).status, 200);
    assert.equal(log.lines.filter(({ level }) => level === 'error').length, errors);
  });

  it('closing lets a running request end, and takes no new ones', async (t) => {
    let started = (): void => {};
    let finish = (): void => {};
    const hasStarted = new Promise<void>((resolve) => (started = resolve));
    const mayFinish = new Promise<void>((resolve) => (finish = resolve));
    const slow: Route = {
      method: 'GET',
      path: '/slow',
      async handle(c) {
        started();
        await mayFinish;
        return c.text('done');
      },
    };
    const server = await aServer(t, [slow]);
    const answer = send(server.port, '/slow', { method: 'GET' });
    await hasStarted;
    const closing = server.close();
    await assert.rejects(send(server.port, '/slow', { method: 'GET' }), { code: 'ECONNREFUSED' });
    finish();
    assert.deepEqual(await answer, { status: 200, text: 'done' });
    await closing;
  });

  it('closing does not wait for requests longer than told', async (t) => {
    let started = (): void => {};
    const hasStarted = new Promise<void>((resolve) => (started = resolve));
    const stuck: Route = {
      method: 'GET',
      path: '/stuck',
      handle() {
        started();
        return new Promise(() => {});
      },
    };
    const server = await aServer(t, [stuck]);
    const answer = send(server.port, '/stuck', { method: 'GET' });
    await hasStarted;
    await Promise.all([assert.rejects(answer, { code: 'ECONNRESET' }), server.close(10)]);
  });
});
