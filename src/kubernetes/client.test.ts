import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type FakeApiServer, startApiServer } from '../../test/fakes/api-server.ts';
import { selfSigned } from '../../test/fakes/certificate.ts';
import { ApiError } from '../errors.ts';
import { KubeClient, type KubeClientOptions, type KubeMethod } from './client.ts';
import { type ClusterAccess, loadClusterAccess } from './kubeconfig.ts';

const path = '/apis/apps/v1/namespaces/shop/deployments';
const web = `${path}/web`;

async function startWithWeb(t: TestContext, identity?: ReturnType<typeof selfSigned>): Promise<FakeApiServer> {
  const server = await startApiServer(t, identity === undefined ? {} : { identity });
  server.objects.put('/apis/apps/v1/deployments', { metadata: { namespace: 'shop', name: 'web' }, spec: { replicas: 1 } });
  return server;
}

function accessTo(server: FakeApiServer, overrides: Partial<ClusterAccess> = {}): ClusterAccess {
  const tls = {};
  return {
    server: server.url,
    namespace: 'default',
    source: 'test',
    proxy: undefined,
    tls: () => Promise.resolve(tls),
    authorization: () => Promise.resolve(undefined),
    ...overrides,
  };
}

function clientOf(t: TestContext, access: ClusterAccess, options: Partial<KubeClientOptions> = {}): KubeClient {
  const client = new KubeClient(access, { version: '1.2.3', backoff: { minMs: 5, maxMs: 20 }, ...options });
  t.after(() => client.close());
  return client;
}

async function errorOf(work: Promise<unknown>): Promise<ApiError> {
  const error = await work.then(
    () => assert.fail('no failure'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ApiError, String(error));
  return error;
}

/** The files a pod finds, and a way to reach the server with them. */
async function inCluster(t: TestContext, server: FakeApiServer, ca: string) {
  const folder = await mkdtemp(join(tmpdir(), 'headwind-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = async (file: string, content: string): Promise<void> => await writeFile(join(folder, file), content);
  for (const [file, content] of Object.entries({ token: 'one', namespace: 'here', 'ca.crt': ca })) await write(file, content);
  const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
  return { access: await loadClusterAccess({ environment, serviceAccountFolder: folder }), write };
}

const after = { 'retry-after': '0.02' };
const retries: readonly {
  title: string;
  method: KubeMethod;
  fault: { status: number; headers?: Record<string, string>; times: number };
  requests: number;
  status?: number;
}[] = [
  { title: '429 is repeated', method: 'GET', fault: { status: 429, times: 2 }, requests: 3 },
  { title: '429 is repeated for a write, too', method: 'PATCH', fault: { status: 429, headers: after, times: 2 }, requests: 3 },
  { title: '503 with Retry-After is repeated', method: 'PATCH', fault: { status: 503, headers: after, times: 1 }, requests: 2 },
  { title: '503 without it is not', method: 'GET', fault: { status: 503, times: 1 }, requests: 1, status: 503 },
  { title: 'after four repetitions it is an error', method: 'GET', fault: { status: 429, times: 9 }, requests: 5, status: 429 },
  {
    title: 'a long Retry-After is left to the caller',
    method: 'GET',
    fault: { status: 429, headers: { 'retry-after': '31' }, times: 1 },
    requests: 1,
    status: 429,
  },
  { title: '404 is not repeated', method: 'GET', fault: { status: 404, times: 1 }, requests: 1, status: 404 },
  { title: '409 is not repeated', method: 'PATCH', fault: { status: 409, times: 1 }, requests: 1, status: 409 },
];

describe('kubernetes/client', () => {
  it('reads, creates, patches and deletes', async (t) => {
    const server = await startWithWeb(t);
    const seen: string[] = [];
    const client = clientOf(t, accessTo(server), { onRequest: ({ verb, resource, code }) => seen.push(`${verb} ${resource} ${code}`) });
    assert.partialDeepStrictEqual(await client.json('GET', web), { spec: { replicas: 1 } });
    const contentType = 'application/merge-patch+json';
    const patched = await client.json('PATCH', web, {
      body: { spec: { replicas: 2 } },
      contentType,
      query: { fieldManager: 'headwind', dryRun: undefined },
    });
    assert.partialDeepStrictEqual(patched, { spec: { replicas: 2 } });
    await client.json('POST', path, { body: { metadata: { name: 'new' } } });
    assert.equal((await errorOf(client.json('POST', path, { body: { metadata: { name: 'new' } } }))).isConflict, true);
    await client.json('DELETE', `${path}/new`, { body: { propagationPolicy: 'Background' } });
    assert.equal((await errorOf(client.json('GET', `${path}/new`))).isNotFound, true);
    assert.deepEqual(seen, [
      'get deployments 200',
      'patch deployments 200',
      'create deployments 201',
      'create deployments 409',
      'delete deployments 200',
      'get deployments 404',
    ]);
    const [read, patch, , , remove] = server.requests;
    assert.equal(read?.headers['user-agent'], 'headwind/1.2.3');
    assert.equal(patch?.headers['content-type'], contentType);
    assert.equal(patch?.query.toString(), 'fieldManager=headwind');
    assert.equal(remove?.headers['content-length'], '34', 'the body of a DELETE would spoil the next request otherwise');
    assert.ok(server.connections <= 2);
  });

  it('keeps the path of a server address with a path', async (t) => {
    const server = await startWithWeb(t);
    const client = clientOf(t, accessTo(server, { server: `${server.url}/k8s/clusters/c-1/` }));
    await errorOf(client.json('GET', '/api/v1/nodes'));
    assert.equal(server.requests[0]?.path, '/k8s/clusters/c-1/api/v1/nodes');
  });

  describe('retries', () => {
    for (const { title, method, fault, requests, status } of retries) {
      it(title, async (t) => {
        const server = await startWithWeb(t);
        server.fail({ on: 'any', ...fault });
        const call = clientOf(t, accessTo(server)).json(method, web, method === 'PATCH' ? { body: {} } : {});
        if (status === undefined) await call;
        else assert.equal((await errorOf(call)).status, status);
        assert.equal(server.requests.length, requests);
      });
    }

    for (const [method, requests] of [
      ['GET', 2],
      ['PATCH', 1],
    ] as const) {
      it(`a network error of ${method} leads to ${requests} request(s)`, async (t) => {
        const server = await startWithWeb(t);
        server.fail({ on: 'any', status: 0, handle: (_, response) => response.socket?.resetAndDestroy() });
        const call = clientOf(t, accessTo(server)).json(method, web, method === 'PATCH' ? { body: {} } : {});
        if (method === 'GET') await call;
        else assert.equal((await errorOf(call)).code, 'Unreachable');
        assert.equal(server.requests.length, requests);
      });
    }
  });

  describe('errors', () => {
    it('come from the Status object', async (t) => {
      const server = await startWithWeb(t);
      server.fail({ on: 'get', status: 403, message: 'deployments.apps "web" is forbidden' });
      const error = await errorOf(clientOf(t, accessTo(server)).json('GET', web));
      assert.deepEqual([error.status, error.reason, error.message], [403, 'Forbidden', `GET ${web}: deployments.apps "web" is forbidden`]);
    });

    it('cut other bodies, and read no more than 64 KiB of them', async (t) => {
      const server = await startWithWeb(t);
      server.fail({
        on: 'get',
        status: 502,
        handle: (_, response) => {
          response.writeHead(502);
          const more = (): void => {
            while (!response.destroyed && response.write('<html>'.repeat(1000)));
          };
          response.on('drain', more);
          more();
        },
      });
      const error = await errorOf(clientOf(t, accessTo(server)).json('GET', web));
      assert.equal(error.status, 502);
      assert.ok(error.message.length < 700);
      await server.until(() => server.sockets.size === 0);
    });

    it('say so when the answer is not JSON', async (t) => {
      const server = await startWithWeb(t);
      server.fail({ on: 'get', status: 200, raw: '<html>', times: 9 });
      assert.equal((await errorOf(clientOf(t, accessTo(server)).json('GET', web))).status, 0);
    });
  });

  describe('time', () => {
    it('a request that is not answered is an error with status 0', async (t) => {
      const server = await startWithWeb(t);
      server.fail({ on: 'any', status: 0, handle: () => undefined, times: 9 });
      const error = await errorOf(clientOf(t, accessTo(server)).json('GET', web, { timeoutMs: 30 }));
      assert.equal(error.status, 0);
      assert.match(error.message, /no complete answer within 30 ms/);
      assert.equal(server.requests.length, 1);
    });

    it('the caller who aborts sees the own reason', async (t) => {
      const server = await startWithWeb(t);
      const stop = new AbortController();
      const reason = new Error('the end');
      server.fail({ on: 'any', status: 0, handle: () => stop.abort(reason) });
      await assert.rejects(clientOf(t, accessTo(server)).json('GET', web, { signal: stop.signal }), reason);
    });

    it('aborting also ends the wait before a retry', async (t) => {
      const server = await startWithWeb(t);
      const stop = new AbortController();
      const reason = new Error('the end');
      server.fail({ on: 'any', status: 429, headers: { 'retry-after': '20' } });
      const call = clientOf(t, accessTo(server), { onRequest: () => setImmediate(() => stop.abort(reason)) }).json('GET', web, {
        signal: stop.signal,
      });
      await assert.rejects(call, reason);
    });
  });

  describe('budget', () => {
    it('makes requests wait, but not the urgent ones', async (t) => {
      const server = await startWithWeb(t);
      const waits: number[] = [];
      const client = clientOf(t, accessTo(server), { budget: { perSecond: 50, burst: 1 }, onThrottle: (ms) => waits.push(ms) });
      const startedAt = performance.now();
      await client.json('GET', web);
      for (let call = 0; call < 3; call++) await client.json('GET', web, { isUrgent: true });
      assert.equal(waits.length, 0);
      await client.json('GET', web);
      await client.json('GET', web);
      assert.ok(waits.length >= 1 && performance.now() - startedAt >= 19, `${waits.length} waits`);
    });
  });

  describe('credentials', () => {
    it('a 401 with nothing newer to show is an error at once', async (t) => {
      const server = await startWithWeb(t);
      server.tokens = new Set(['other']);
      const error = await errorOf(clientOf(t, accessTo(server, { authorization: () => Promise.resolve('Bearer x') })).json('GET', web));
      assert.equal(error.status, 401);
      assert.equal(server.requests.length, 1);
    });

    it('a write answered with 401 is repeated once with the new token', async (t) => {
      const server = await startWithWeb(t);
      server.tokens = new Set(['new']);
      const authorization = (refused?: string) => Promise.resolve(refused === undefined ? 'Bearer old' : 'Bearer new');
      await clientOf(t, accessTo(server, { authorization })).json('PATCH', web, { body: { spec: { replicas: 3 } } });
      assert.equal(server.requests.length, 2);
    });

    it('a rotated authority is read again at once after a failed handshake', async (t) => {
      const [first, second] = [selfSigned(), selfSigned()];
      const server = await startWithWeb(t, first);
      const { access, write } = await inCluster(t, server, first.cert);
      const client = clientOf(t, access);
      await client.json('GET', web);
      server.rotate(second);
      await write('ca.crt', second.cert);
      await client.json('GET', web);
      assert.equal(server.requests.length, 2);
    });

    it('an unknown authority is an error that says so', async (t) => {
      const server = await startWithWeb(t, selfSigned());
      const { access } = await inCluster(t, server, selfSigned().cert);
      const error = await errorOf(clientOf(t, access).json('GET', web, { retries: 0 }));
      assert.match(error.message, /self.signed|certificate/i);
    });
  });

  it('opens streams without a time limit, and ends them on close()', async (t) => {
    const server = await startWithWeb(t);
    const client = clientOf(t, accessTo(server));
    const stream = await client.open('GET', path, { query: { watch: true, sendInitialEvents: true } });
    let bytes = 0;
    for await (const chunk of stream.body) {
      bytes += chunk.length;
      break;
    }
    assert.ok(bytes > 0);
    stream.close();
    await server.until(() => server.watches.size === 0);
    assert.equal((await errorOf(client.open('GET', '/apis/apps/v1/deployments/none'))).status, 404);
  });

  it('ends requests under way on close(), and takes no more', async (t) => {
    const server = await startWithWeb(t);
    const client = clientOf(t, accessTo(server));
    server.fail({ on: 'any', status: 0, handle: () => void client.close() });
    assert.equal((await errorOf(client.json('GET', web))).status, 0);
    assert.match((await errorOf(client.json('GET', web))).message, /closed/);
    assert.equal(server.requests.length, 1);
  });

  it('F18 500 GETs over TLS: at most 2 connections', async (t) => {
    const identity = selfSigned();
    const server = await startWithWeb(t, identity);
    const { access } = await inCluster(t, server, identity.cert);
    const client = clientOf(t, access);
    const before = process.cpuUsage();
    for (let call = 0; call < 500; call++) await client.json('GET', web);
    const { user, system } = process.cpuUsage(before);
    t.diagnostic(`${((user + system) / 500_000).toFixed(2)} ms CPU per GET, client and server together`);
    assert.ok(server.connections <= 2, `${server.connections} connections`);
    assert.equal(server.requests.length, 500);
  });
});
