import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type ApiServerOptions, type FakeApiServer, startApiServer } from '../../test/fakes/api-server.ts';
import { bookmarkLine } from '../../test/fakes/api-wire.ts';
import { selfSigned } from '../../test/fakes/certificate.ts';
import { KubeClient } from './client.ts';
import { type ClusterAccess, loadClusterAccess } from './kubeconfig.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';
import { Reflector, type ReflectorOptions, type StoreEvent } from './reflector.ts';

const path = '/apis/apps/v1/deployments';

interface Trimmed {
  readonly name: string;
  readonly value: unknown;
}

function trim(raw: RawObject): Trimmed | undefined {
  const name = textOf(recordAt(raw, 'metadata')['name']) ?? '';
  return name.startsWith('ignored') ? undefined : { name, value: recordAt(raw, 'spec')['value'] };
}

function put(server: FakeApiServer, name: string, value: number) {
  return server.objects.put(path, { metadata: { namespace: 'shop', name }, spec: { value } });
}

async function startServer(t: TestContext, count = 200, options?: ApiServerOptions): Promise<FakeApiServer> {
  const server = await startApiServer(t, options);
  for (let index = 0; index < count; index++) put(server, `web-${index}`, 0);
  return server;
}

function plainAccess(server: FakeApiServer): ClusterAccess {
  const tls = {};
  return {
    server: server.url,
    namespace: 'default',
    source: 'test',
    proxy: undefined,
    tls: () => Promise.resolve(tls),
    authorization: () => Promise.resolve(undefined),
  };
}

type Options = Partial<ReflectorOptions<Trimmed>> & { access?: ClusterAccess };

/** A running reflector that stops with the test, and what came out of it. */
function startReflector(t: TestContext, server: FakeApiServer, { access = plainAccess(server), ...options }: Options = {}) {
  const stop = new AbortController();
  const events: StoreEvent<Trimmed>[] = [];
  const states: string[] = [];
  const errors: any[] = [];
  const { waiters } = server;
  const codes: string[] = [];
  const client = new KubeClient(access, {
    version: 'test',
    backoff: { minMs: 5, maxMs: 20 },
    onRequest: ({ code }) => codes.push(code),
  });
  const quiet = (): void => undefined;
  const reflector = new Reflector<Trimmed>({
    client,
    path,
    transform: trim,
    log: { debug: quiet, info: quiet, warn: quiet, error: (fields) => errors.push(fields) },
    times: { minMs: 20, maxMs: 100, absentMs: 20 },
    ...options,
    onEvent: (event) => {
      events.push(event);
      try {
        options.onEvent?.(event);
      } finally {
        waiters.notify();
      }
    },
    onState: (state, problem) => {
      states.push(state);
      options.onState?.(state, problem);
      waiters.notify();
    },
  });
  const done = reflector.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await done;
    await client.close();
  });
  /** Waits for an event, a change of state, or a request. */
  const until = async (condition: () => boolean): Promise<void> => await waiters.until(condition);
  return { reflector, events, states, errors, codes, until, stop, done };
}

type Running = ReturnType<typeof startReflector>;

/** Synced, its watch open, the events of the list forgotten. */
async function whenWatching(server: FakeApiServer, running: Running): Promise<void> {
  await running.reflector.synced;
  await server.until(() => server.watches.size === 1);
  running.events.length = 0;
}

function lastOf<T>(items: readonly T[]): T {
  const last = items.at(-1);
  assert.ok(last !== undefined);
  return last;
}

function since(startedAt: number): number {
  return performance.now() - startedAt;
}

describe('kubernetes/reflector', () => {
  it('lists as a stream, then follows: put, change, delete', async (t) => {
    const server = await startServer(t, 3);
    const running = startReflector(t, server);
    const { reflector, events } = running;
    await reflector.synced;
    assert.deepEqual(
      events.map(({ type, key, initial }) => [type, key, initial]),
      [0, 1, 2].map((index) => ['put', `shop/web-${index}`, true]),
    );
    await whenWatching(server, running);
    put(server, 'web-1', 7);
    put(server, 'new', 1);
    put(server, 'ignored', 1);
    server.objects.delete(path, 'shop/web-0');
    await running.until(() => events.length === 3);
    assert.deepEqual(events, [
      { type: 'put', key: 'shop/web-1', object: { name: 'web-1', value: 7 }, old: { name: 'web-1', value: 0 }, initial: false },
      { type: 'put', key: 'shop/new', object: { name: 'new', value: 1 }, old: undefined, initial: false },
      { type: 'delete', key: 'shop/web-0', object: undefined, old: { name: 'web-0', value: 0 }, initial: false },
    ]);
    assert.deepEqual(
      [...reflector.values()].map(({ name }) => name),
      ['web-1', 'web-2', 'new'],
    );
    assert.equal(reflector.state, 'synced');
    const [request] = server.of('watch');
    const asked = ['sendInitialEvents', 'resourceVersionMatch', 'allowWatchBookmarks'].map((name) => request?.query.get(name));
    assert.deepEqual(asked, ['true', 'NotOlderThan', 'true']);
    const seconds = Number(request?.query.get('timeoutSeconds'));
    assert.ok(seconds >= 300 && seconds <= 600);
  });

  it('F1 connection reset: resumes from the last resourceVersion, no list, nothing lost or doubled', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { times: { minMs: 80 } });
    await whenWatching(server, running);
    put(server, 'web-1', 1);
    await running.until(() => running.events.length === 1);
    const version = String(server.objects.version);
    const startedAt = performance.now();
    server.resetWatches();
    await server.until(() => server.watches.size === 0);
    put(server, 'web-2', 2);
    await running.until(() => running.events.length === 2);
    assert.ok(since(startedAt) >= 80 && since(startedAt) < 500, `${since(startedAt)} ms with a backoff of 80 to 160 ms`);
    assert.deepEqual(
      running.events.map(({ key }) => key),
      ['shop/web-1', 'shop/web-2'],
    );
    assert.equal(running.reflector.stats.lists, 1);
    assert.equal(lastOf(server.of('watch')).query.get('resourceVersion'), version);
  });

  it('F2 clean end: resumes within tens of milliseconds', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { times: {} });
    await whenWatching(server, running);
    server.bookmark();
    put(server, 'web-1', 1);
    await running.until(() => running.events.length === 1);
    const startedAt = performance.now();
    server.endWatches();
    await server.until(() => server.of('watch').length === 2);
    assert.ok(since(startedAt) < 600, `${since(startedAt)} ms`);
    put(server, 'web-2', 2);
    await running.until(() => running.events.length === 2);
    assert.equal(running.reflector.stats.lists, 1);
    assert.equal(running.reflector.stats.errors, 0);
  });

  it('F3 410 as an ERROR event: lists again, the silent deletion is delivered, the others are untouched', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { times: {} });
    await whenWatching(server, running);
    server.objects.vanish(path, 'shop/web-7');
    const startedAt = performance.now();
    server.sendLine(JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } }));
    await running.until(() => running.events.length === 1);
    assert.ok(since(startedAt) < 600, `${since(startedAt)} ms`);
    assert.deepEqual(
      running.events.map(({ type, key }) => [type, key]),
      [['delete', 'shop/web-7']],
    );
    assert.equal(running.reflector.size, 199);
    assert.equal(running.reflector.stats.relists, 1);
    assert.deepEqual(running.states, ['synced'], 'a list does not make it less synced');
  });

  it('F4 410 as an HTTP status: lists again at once; with backoff when it repeats', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { streaming: false, times: { minMs: 200, maxMs: 1000 } });
    await whenWatching(server, running);
    server.fail({ on: 'watch', status: 410, times: 2 });
    server.bookmark();
    const startedAt = performance.now();
    server.endWatches();
    await server.until(() => server.of('watch').length === 3);
    assert.ok(since(startedAt) < 200, `${since(startedAt)} ms`);
    await server.until(() => server.of('watch').length === 4);
    assert.ok(since(startedAt) >= 200, `${since(startedAt)} ms`);
    assert.equal(running.events.length, 0);
    assert.equal(running.reflector.stats.relists, 2);
  });

  for (const streaming of [true, false]) {
    const way = streaming ? 'stream' : 'pages';

    it(`F5 list (${way}) answers 429 twice: Retry-After is obeyed, complete afterwards`, async (t) => {
      const server = await startServer(t);
      server.fail({ on: streaming ? 'watch' : 'list', status: 429, times: 2, headers: { 'retry-after': '0.1' } });
      const startedAt = performance.now();
      const { reflector } = startReflector(t, server, { streaming, times: {} });
      await reflector.synced;
      assert.ok(since(startedAt) >= 195 && since(startedAt) < 700, `${since(startedAt)} ms`);
      assert.equal(reflector.size, 200);
    });

    it(`F6 list (${way}) answers 500 twice: asks again, 200 of 200 objects`, async (t) => {
      const server = await startServer(t);
      server.fail({ on: streaming ? 'watch' : 'list', status: 500, times: 2 });
      const { reflector } = startReflector(t, server, { streaming });
      await reflector.synced;
      assert.equal(reflector.size, 200);
      assert.equal(reflector.problem, undefined);
    });

    it(`F13 the list (${way}) breaks before its end: begins again, never synced with half of it, no deletion`, async (t) => {
      const server = await startServer(t);
      if (streaming) server.cutInitialStream = { after: 50, how: 'reset' };
      else {
        // The second page is gone: its token has expired.
        server.fail({
          on: 'list',
          status: 200,
          raw: JSON.stringify({ metadata: { resourceVersion: '1', continue: '1@50' }, items: server.objects.all(path).slice(0, 50) }),
        });
        server.objects.oldest = 1000;
      }
      let syncedWith = 0;
      const running: Running = startReflector(t, server, {
        streaming,
        onState: (state) => (syncedWith = state === 'synced' ? running.reflector.size : 0),
      });
      await running.reflector.synced;
      assert.equal(syncedWith, 200);
      assert.deepEqual([...new Set(running.events.map(({ type }) => type))], ['put']);
      assert.equal(running.events.length, 200, 'nothing twice');
    });
  }

  it('F7 watch answers 429 three times: Retry-After is obeyed', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { times: {} });
    await whenWatching(server, running);
    server.fail({ on: 'watch', status: 429, times: 3, headers: { 'retry-after': '0.1' } });
    const startedAt = performance.now();
    server.endWatches();
    await server.until(() => server.watches.size === 0);
    put(server, 'web-1', 1);
    await running.until(() => running.events.length === 1);
    assert.ok(since(startedAt) >= 295 && since(startedAt) < 900, `${since(startedAt)} ms`);
    assert.equal(running.reflector.stats.lists, 1);
  });

  it('F8 a broken line: resumes from the last resourceVersion, nothing lost; twice at one version it lists again', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server);
    await whenWatching(server, running);
    const version = String(server.objects.version);
    server.sendLine('{"type":"MODIFIED","object":{"metadata":{"na');
    await server.until(() => server.of('watch').length === 2 && server.watches.size === 1);
    assert.equal(lastOf(server.of('watch')).query.get('resourceVersion'), version);
    server.objects.vanish(path, 'shop/web-3');
    server.sendLine('garbage');
    await running.until(() => running.events.length === 1);
    assert.deepEqual(
      running.events.map(({ type, key }) => [type, key]),
      [['delete', 'shop/web-3']],
    );
    assert.equal(running.reflector.stats.lists, 2);
    put(server, 'web-4', 4);
    await running.until(() => running.events.length === 2);
  });

  it('F9 token rotated, the old one refused at once: exactly one 401, then on with the new one', async (t) => {
    const identity = selfSigned();
    const server = await startServer(t, 200, { identity });
    const folder = await mkdtemp(join(tmpdir(), 'headwind-'));
    t.after(() => rm(folder, { recursive: true }));
    for (const [file, content] of Object.entries({ token: 'old\n', namespace: 'here\n', 'ca.crt': identity.cert })) {
      await writeFile(join(folder, file), content);
    }
    const environment = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(server.port) };
    server.tokens = new Set(['old']);
    const access = await loadClusterAccess({ environment, serviceAccountFolder: folder });
    const running = startReflector(t, server, { access, times: {} });
    await whenWatching(server, running);
    server.tokens = new Set(['new']);
    await writeFile(join(folder, 'token'), 'new\n');
    const startedAt = performance.now();
    server.endWatches();
    put(server, 'web-1', 1);
    await server.until(() => server.watches.size === 1 && server.of('watch').length === 3);
    assert.ok(since(startedAt) < 500, `${since(startedAt)} ms`);
    await running.until(() => running.events.length === 1);
    assert.deepEqual(running.codes, ['200', '401', '200']);
  });

  it('F10 half-open connection: the watchdog ends it and resumes', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { idleMs: 150 });
    await whenWatching(server, running);
    const startedAt = performance.now();
    server.silenceWatches();
    put(server, 'web-1', 1);
    await running.until(() => running.events.length === 1);
    assert.ok(since(startedAt) >= 100 && since(startedAt) < 1000, `${since(startedAt)} ms`);
    assert.equal(running.reflector.stats.lists, 1);
    assert.ok(running.states.includes('synced'));
  });

  it('F11 a quiet resource: one connection per timeout, the resourceVersion follows the bookmarks', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { watchSeconds: () => 0.1 });
    await whenWatching(server, running);
    const startedAt = performance.now();
    for (let turn = 1; turn <= 4; turn++) {
      server.objects.version += 10;
      const version = String(server.objects.version);
      server.bookmark();
      await server.until(() => server.of('watch').length === turn + 1);
      assert.equal(lastOf(server.of('watch')).query.get('resourceVersion'), version);
      await server.until(() => server.watches.size === 1);
    }
    assert.ok(since(startedAt) >= 350, `${since(startedAt)} ms for four connections of 100 ms`);
    assert.equal(running.events.length, 0);
    assert.equal(running.reflector.stats.errors, 0);
    assert.ok(server.connections <= 2, `${server.connections} TCP connections`);
  });

  const refusals = [
    { title: 'the 422 of a server without WatchList', status: 422, message: 'sendInitialEvents: Forbidden' },
    { title: 'a 400', status: 400, message: 'unknown parameter' },
    { title: 'the 500 of an old etcd', status: 500, message: 'required storage feature RequestWatchProgress is disabled' },
  ];
  for (const { title, status, message } of refusals) {
    it(`F12 ${title}: falls back to pages once, for good`, async (t) => {
      const server = await startServer(t, 250);
      server.fail({ on: 'watch', status, message });
      const running = startReflector(t, server);
      await whenWatching(server, running);
      assert.equal(running.reflector.size, 250);
      assert.deepEqual(
        server.of('list').map(({ query }) => query.get('limit')),
        ['100', '100', '100'],
      );
      assert.equal(lastOf(server.of('list')).headers['accept-encoding'], 'gzip');
      server.sendLine(JSON.stringify({ type: 'ERROR', object: { code: 410 } }));
      await server.until(() => server.of('watch').length === 3);
      assert.equal(server.of('list').length, 6);
      assert.equal(server.of('watch').filter(({ query }) => query.has('sendInitialEvents')).length, 1);
      assert.equal(running.events.length, 0);
    });
  }

  for (const how of ['stall in the stream', 'stall between pages'] as const) {
    it(`F14 stop during the initial list (${how}): run resolves, no watch is left`, async (t) => {
      const server = await startServer(t);
      const streaming = how === 'stall in the stream';
      if (streaming) server.cutInitialStream = { after: 50, how: 'stall' };
      else server.fail({ on: 'list', status: 200, handle: () => undefined });
      const running = startReflector(t, server, { streaming });
      await running.until(() => (streaming ? running.events.length === 50 : server.of('list').length === 1));
      running.stop.abort();
      await running.done;
      await server.until(() => server.watches.size === 0 && server.sockets.size === 0);
      assert.equal(running.reflector.state, 'syncing');
    });
  }

  it('F15 the event callback throws: logged with its key, the next events arrive', async (t) => {
    const server = await startServer(t);
    const failing = ({ key, initial }: StoreEvent<Trimmed>): void => {
      if (key === 'shop/web-1' && !initial) throw new Error('a bug');
    };
    const running = startReflector(t, server, { onEvent: failing });
    await whenWatching(server, running);
    put(server, 'web-1', 1);
    put(server, 'web-2', 2);
    await running.until(() => running.events.length === 2);
    assert.deepEqual(
      running.errors.map(({ key, error }) => `${key}: ${error}`),
      ['shop/web-1: Error: a bug'],
    );
    assert.deepEqual(running.reflector.get('shop/web-1'), { name: 'web-1', value: 1 });
    assert.equal(running.reflector.stats.errors, 0);
  });

  it('F16 150,000 objects: order kept, memory linear, no RangeError', async (t) => {
    const count = 150_000;
    const server = await startServer(t, 0);
    server.fail({
      on: 'watch',
      status: 200,
      handle: (_, response) => {
        let index = 0;
        const more = (): void => {
          while (index < count) {
            const lines: string[] = [];
            for (const end = Math.min(count, index + 500); index < end; index++) {
              const metadata = { namespace: 'shop', name: `web-${index}`, uid: `uid-${index}`, resourceVersion: String(index + 1) };
              lines.push(`${JSON.stringify({ type: 'ADDED', object: { metadata, spec: { value: index } } })}\n`);
            }
            if (!response.write(lines.join(''))) return;
          }
          response.off('drain', more);
          response.write(`${bookmarkLine(count, true)}\n`);
        };
        response.on('drain', more);
        more();
      },
    });
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    collect();
    const before = process.memoryUsage().heapUsed;
    let next = 0;
    const running = startReflector(t, server, {
      transform: (raw) => ({ name: '', value: recordAt(raw, 'spec')['value'] }),
      onEvent: ({ object }) => assert.equal(object?.value, next++),
    });
    await running.reflector.synced;
    running.events.length = 0;
    collect();
    const perObject = (process.memoryUsage().heapUsed - before) / count;
    assert.equal(running.reflector.size, count);
    assert.equal(next, count);
    assert.equal(running.errors.length, 0);
    assert.ok(perObject < 600, `${perObject.toFixed()} bytes of heap per object`);
  });

  describe('F17 refused and absent', () => {
    it('403 on the watch: visible, asked again, store kept, healed without a list', async (t) => {
      const server = await startServer(t);
      const running = startReflector(t, server);
      await whenWatching(server, running);
      server.fail({ on: 'watch', status: 403, message: 'deployments.apps is forbidden: User "x" cannot watch', times: 2 });
      server.bookmark();
      server.endWatches();
      await running.until(() => running.reflector.state === 'forbidden');
      assert.match(running.reflector.problem ?? '', /^GET \/apis\/apps\/v1\/deployments: deployments.apps is forbidden/);
      assert.equal(running.reflector.size, 200);
      await running.until(() => running.reflector.state === 'synced' && running.reflector.problem === undefined);
      assert.equal(running.reflector.stats.lists, 1);
    });

    it('403 on the list: not synced until it is allowed', async (t) => {
      const server = await startServer(t);
      server.fail({ on: 'any', status: 403, times: 2 });
      const running = startReflector(t, server, { streaming: false });
      await running.until(() => running.reflector.state === 'forbidden');
      assert.equal(running.reflector.size, 0);
      await running.reflector.synced;
      assert.equal(running.reflector.state, 'synced');
      assert.equal(running.reflector.size, 200);
    });

    for (const streaming of [true, false]) {
      it(`404 on the list (${streaming ? 'stream' : 'pages'}): absent, looked for again until it is there`, async (t) => {
        const server = await startServer(t, 5);
        server.fail({ on: 'any', status: 404, times: 2 });
        const running = startReflector(t, server, { streaming });
        await running.until(() => running.reflector.state === 'absent');
        await running.reflector.synced;
        assert.equal(running.reflector.state, 'synced');
        assert.equal(running.reflector.size, 5);
      });
    }
  });

  it('a server that is not there is a problem, not an end', async (t) => {
    const server = await startServer(t, 1);
    const access = { ...plainAccess(server), server: 'http://127.0.0.1:1' };
    const running = startReflector(t, server, { access });
    await running.until(() => running.reflector.problem !== undefined);
    assert.match(running.reflector.problem ?? '', /ECONNREFUSED/);
    assert.equal(running.reflector.state, 'syncing');
  });

  it('an answer that is no list deletes nothing', async (t) => {
    const server = await startServer(t);
    const running = startReflector(t, server, { streaming: false });
    await whenWatching(server, running);
    server.fail({ on: 'list', status: 200, raw: '{}' });
    server.fail({ on: 'list', status: 200, raw: '<html>welcome</html>' });
    server.fail({ on: 'watch', status: 410 });
    server.endWatches();
    await server.until(() => server.of('watch').length === 3);
    assert.equal(running.events.length, 0);
    assert.equal(running.reflector.size, 200);
  });

  it('cannot be started twice', async (t) => {
    const server = await startServer(t, 1);
    const { reflector } = startReflector(t, server);
    await assert.rejects(reflector.run(new AbortController().signal), /runs already/);
  });

  describe('own writes', () => {
    it('are visible at once, and an event from before does not undo them', async (t) => {
      const server = await startServer(t);
      const running = startReflector(t, server);
      await whenWatching(server, running);
      server.silenceWatches();
      put(server, 'web-1', 1);
      const ours = put(server, 'web-1', 2);
      running.reflector.wrote(ours);
      assert.deepEqual(running.reflector.get('shop/web-1'), { name: 'web-1', value: 2 });
      assert.equal(running.events.length, 1);
      // Now the watch catches up: first the older change, then ours, then a later one.
      server.resetWatches();
      put(server, 'web-1', 3);
      await running.until(() => running.events.length === 2);
      assert.deepEqual(
        running.events.map(({ object }) => object?.value),
        [2, 3],
      );
      assert.equal(running.reflector.stats.lists, 1);
    });

    it('change nothing when their event came before their answer', async (t) => {
      const server = await startServer(t);
      const running = startReflector(t, server);
      await whenWatching(server, running);
      const ours = put(server, 'web-1', 1);
      put(server, 'web-1', 2);
      await running.until(() => running.events.length === 2);
      running.reflector.wrote(ours);
      assert.deepEqual(running.reflector.get('shop/web-1')?.value, 2);
    });

    it('that the watch never confirms lead to a list', async (t) => {
      const server = await startServer(t);
      const running = startReflector(t, server, { ownWriteMs: 30 });
      await whenWatching(server, running);
      running.reflector.wrote({ metadata: { namespace: 'shop', name: 'web-1', uid: 'x', resourceVersion: 'never' }, spec: { value: 9 } });
      assert.equal(running.reflector.get('shop/web-1')?.value, 9);
      await running.until(() => running.reflector.get('shop/web-1')?.value === 0);
      assert.equal(running.reflector.stats.lists, 2);
      assert.equal(running.reflector.problem, undefined);
    });

    it('deleted objects are gone at once and do not come back', async (t) => {
      const server = await startServer(t);
      const running = startReflector(t, server);
      await whenWatching(server, running);
      server.silenceWatches();
      const before = put(server, 'web-1', 1);
      server.objects.delete(path, 'shop/web-1');
      running.reflector.deleted(before);
      assert.equal(running.reflector.get('shop/web-1'), undefined);
      server.resetWatches();
      put(server, 'web-2', 2);
      await running.until(() => running.events.length === 2);
      assert.deepEqual(
        running.events.map(({ type, key }) => [type, key]),
        [
          ['delete', 'shop/web-1'],
          ['put', 'shop/web-2'],
        ],
      );
    });
  });
});
