import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { selfSigned } from '../../test/fakes/certificate.ts';
import type { FakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { RegistryError } from '../errors.ts';
import type { OutboundOptions } from '../outbound.ts';

const timeouts = { headersMs: 300, idleMs: 300, callMs: 600 };
type Intercept = NonNullable<FakeRegistry['switches']['intercept']>;

/** A server below HTTP; it counts who connects. */
async function serveRaw(t: TestContext, onConnection: (socket: Socket) => void): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) socket.destroy();
    });
  });
  const address = server.address();
  return { port: address !== null && typeof address === 'object' ? address.port : 0, connections: () => connections };
}

function redirectTo(location: string): Intercept {
  return (request, response) => Boolean(response.writeHead(307, { location: location.replace('<path>', request.url) }).end());
}

const toThisMachine: NonNullable<OutboundOptions['resolve']> = (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);

/** Repeats a piece for as long as somebody reads. */
function endlessly(encoding: string, piece: Buffer): Intercept {
  return (_, response) => {
    response.writeHead(200, { 'content-encoding': encoding });
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
    return true;
  };
}

/** Sends text drop by drop, for ever. */
function drip(start: string, drop: () => string): (socket: Socket) => void {
  return (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(drop()), 10);
    socket.on('close', () => clearInterval(timer));
  };
}

const zeros = Buffer.alloc(32 * 1024 * 1024);
const bombs = [
  ['gzip', gzipSync(zeros)],
  ['br', brotliCompressSync(zeros)],
  ['zstd', zstdCompressSync(zeros)],
] as const;

const raw: readonly (readonly [string, (socket: Socket) => void, string])[] = [
  ['headers that come drop by drop', drip('HTTP/1.1 200 OK\r\nX: ', () => 'x'), 'Timeout'],
  ['a header after the other', drip('HTTP/1.1 200 OK\r\n', () => `X-${Math.random()}: x\r\n`), 'Timeout'],
  ['early hints without end', drip('', () => 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'), 'Timeout'],
  [
    'two answers at once',
    (socket) => void socket.on('data', () => socket.write(ok('{"tags":null}') + ok('{"tags":["evil"]}'))),
    'answered',
  ],
  ['an answer before the question', (socket) => void socket.write(ok('{"tags":["evil"]}')), 'any'],
  ['two lengths', (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x'), 'Protocol'],
  [
    'a length and chunks',
    (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}'),
    'Protocol',
  ],
  ['a chunk of a negative size', (socket) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n'), 'Protocol'],
  ['no HTTP at all', (socket) => void socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'Protocol'],
  [
    'another protocol',
    (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    'any',
  ],
];

describe('registry/hostile-transport', () => {
  for (const [title, onConnection, code] of raw) {
    it(`${title}: ${code}, in time`, async (t) => {
      const { port } = await serveRaw(t, onConnection);
      const { tags, repository } = await setUpRegistry(t, { limits: { timeouts } });
      const started = performance.now();
      const outcome = await tags([], repository('acme/app', `127.0.0.1:${port}`)).then(
        (list) => list,
        (error: unknown) => error,
      );
      if (code === 'answered') assert.deepEqual(outcome, { tags: [], truncated: false });
      else if (outcome instanceof Error || code !== 'any') {
        assert.ok(outcome instanceof RegistryError, String(outcome));
        if (code !== 'any') assert.equal(outcome.code, code, outcome.message);
      }
      assert.ok(performance.now() - started < 3_000);
    });
  }

  for (const [encoding, piece] of bombs) {
    it(`a bomb in ${encoding} (${Math.round(zeros.length / piece.length)}:1, without end) costs no memory`, async (t) => {
      const { fake, tags } = await setUpRegistry(t, { limits: { timeouts: { callMs: 20_000 }, listing: { pageBytes: 16 * 1024 * 1024 } } });
      fake.switches.intercept = endlessly(encoding, piece);
      const before = process.memoryUsage().rss;
      const list = await tags();
      const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
      t.diagnostic(`${Math.round(grown)} MiB more`);
      assert.deepEqual(list, { tags: [], truncated: true });
      assert.ok(grown < 160, `${grown} MiB`);
    });
  }

  const encodings = ['gzip, gzip', 'deflate', 'compress', 'gzip;q=1', '__proto__', 'constructor'];
  for (const encoding of encodings) {
    it(`the encoding "${encoding}" is Protocol`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      fake.switches.intercept = (_, response) => Boolean(response.writeHead(200, { 'content-encoding': encoding }).end('{"tags":[]}'));
      await assert.rejects(tags(), { code: 'Protocol', message: /unknown content encoding/ });
    });
  }

  describe('the API server', () => {
    const ways = [
      'directly',
      'by another scheme',
      'by a name',
      'by a redirect',
      'by a redirect to a name',
      'as token endpoint',
      'as token endpoint by a name',
    ];
    for (const way of ways) {
      it(`is not reached ${way}: Blocked, and no connection is made`, async (t) => {
        const { port, connections } = await serveRaw(t, (socket) => socket.end());
        const { fake, tags, repository } = await setUpRegistry(t, {
          outbound: { resolve: toThisMachine, blockedOrigins: [`https://127.0.0.1:${port}`] },
          insecureHosts: ['kubernetes.default.svc'],
        });
        const [address, alias] = [`http://127.0.0.1:${port}`, `http://kubernetes.default.svc:${port}`];
        if (way.includes('redirect')) fake.switches.intercept = redirectTo(`${way.includes('name') ? alias : address}<path>`);
        if (way.includes('token'))
          Object.assign(fake.switches, { auth: 'bearer', realm: `${way.includes('name') ? alias : address}/token` });
        const host = way === 'by a name' ? `kubernetes.default.svc:${port}` : way.includes('scheme') ? `127.0.0.1:${port}` : fake.host;
        const asked = way === 'directly' ? `127.0.0.1:${port}` : host;
        await assert.rejects(tags([aLogin(asked, 'bot', 'canary')], repository('acme/app', asked)), { code: 'Blocked' });
        assert.equal(connections(), 0);
      });
    }

    it('does not shut out another port of its machine', async (t) => {
      const { fake, resolve } = await setUpRegistry(t, { outbound: { blockedOrigins: ['https://127.0.0.1:1'] } });
      fake.push('acme/app', '1.0.0');
      assert.ok(await resolve('1.0.0'));
    });
  });

  it('a name that is public first and private then is not followed inside', async (t) => {
    const inside = await serveRaw(t, (socket) => socket.end());
    let asked = 0;
    const { fake, tags } = await setUpRegistry(t, {
      outbound: {
        // An address that is public for the rules, and that nobody answers at.
        resolve: (_, done) => done(null, [{ address: asked++ === 0 ? '192.0.2.1' : '127.0.0.1', family: 4 }]),
        connectMs: 100,
      },
      limits: { timeouts },
    });
    fake.switches.intercept = redirectTo(`http://rebind.test:${inside.port}<path>`);
    await assert.rejects(tags(), RegistryError);
    await assert.rejects(tags(), { code: 'Blocked' });
    assert.equal(inside.connections(), 0);
  });

  it('a redirect from HTTPS to HTTP is Blocked and says so', async (t) => {
    const identity = selfSigned(['127.0.0.1']);
    const trusting = await setUpRegistry(t, { tls: identity, isTrusted: true });
    trusting.fake.switches.intercept = redirectTo('http://127.0.0.1:1<path>');
    await assert.rejects(trusting.resolve('1.0.0'), { code: 'Blocked', message: /redirect from https to http/ });
  });

  it('a TLS handshake that never ends is a Timeout', async (t) => {
    const { port } = await serveRaw(t, () => undefined);
    const { resolve, repository } = await setUpRegistry(t, { outbound: { resolve: toThisMachine, connectMs: 100 }, limits: { timeouts } });
    await assert.rejects(resolve('1.0.0', [], repository('acme/app', `registry.test:${port}`)), { code: 'Timeout' });
  });

  const retryAfters = [
    // header, requests of the first call, cool-down afterwards in seconds
    ['-5', 3, 0],
    ['0', 3, 0],
    ['1e9', 3, 0],
    ['soon', 3, 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 3, 0],
    ['999999', 1, 3_600],
    ['9'.repeat(15), 1, 3_600],
    ['9'.repeat(400), 1, 3_600],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 1, 3_600],
    ['31', 1, 31],
  ] as const;
  for (const [header, requests, seconds] of retryAfters) {
    it(`503 with Retry-After ${header.slice(0, 30)}: ${requests} requests, then ${seconds} s of silence`, async (t) => {
      const { fake, resolve, registry, clock } = await setUpRegistry(t);
      fake.switches.failures = Array.from({ length: 3 }, () => ({ status: 503, headers: { 'retry-after': header } }));
      await assert.rejects(resolve('1.0.0'), { code: 'Unavailable' });
      const { coolDownUntilMs } = registry.budgetReport(fake.host) ?? {};
      assert.deepEqual([fake.requests.length, coolDownUntilMs], [requests, seconds === 0 ? undefined : clock.ms + seconds * 1000]);
    });
  }

  it('cookies are not kept', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.headers = { 'set-cookie': 'session=canary; Path=/' };
    await resolve('1.0.0');
    await resolve('1.0.0');
    assert.ok(fake.requests.every(({ headers }) => headers['cookie'] === undefined));
  });

  it('a token endpoint that redirects a refresh token elsewhere gets nothing sent there', async (t) => {
    const { port, connections } = await serveRaw(t, (socket) => socket.end());
    const { fake, resolve } = await setUpRegistry(t);
    Object.assign(fake.switches, { auth: 'bearer', identityTokens: ['canary'] });
    fake.switches.intercept = ({ url }, response) =>
      url.startsWith('/token') && Boolean(response.writeHead(307, { location: `http://127.0.0.1:${port}/token` }).end());
    await assert.rejects(resolve('1.0.0', [aPullSecret({ [fake.host]: { identitytoken: 'canary' } })]), RegistryError);
    assert.equal(connections(), 0);
  });
});

function ok(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
