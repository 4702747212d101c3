import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { connect, createServer as createRawServer, type Server as RawServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { selfSigned } from '../test/fakes/certificate.ts';
import { OutboundError, type OutboundErrorCode } from './errors.ts';
import { createOutbound, type Outbound, type OutboundOptions, type OutboundRequest, redactUrl } from './outbound.ts';

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return portOf(server);
}

function portOf(server: RawServer): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

async function serve(t: TestContext, handler: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(t, createServer(handler))}`;
}

async function serveTls(t: TestContext, options: ServerOptions, handler: RequestListener): Promise<number> {
  return await listen(t, createTlsServer(options, handler));
}

function outbound(t: TestContext, options: Partial<OutboundOptions> = {}): Outbound {
  const client = createOutbound({ userAgent: 'headwind/test', ...options });
  t.after(() => client.close());
  return client;
}

async function get(client: Outbound, url: string, more: Partial<OutboundRequest> = {}) {
  return await client.request({ url, maxBytes: 1_000_000, directlyNamed: true, ...more });
}

async function failsWith(code: OutboundErrorCode, work: Promise<unknown>): Promise<OutboundError> {
  const error = await work.then(
    () => assert.fail('no failure'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OutboundError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

function redirect(to: string): RequestListener {
  return (_, response) => response.writeHead(302, { location: to }).end();
}

function endless(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536);
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}

describe('outbound', () => {
  it('sends method, headers and body, and gives status, headers and body', async (t) => {
    const url = await serve(t, (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { 'user-agent': agent, 'content-length': length } = request.headers;
        response.writeHead(201, { 'x-twice': ['a', 'b'] });
        response.end(`${request.method} ${agent} ${length} ${Buffer.concat(parts).toString()}`);
      });
    });
    const answer = await get(outbound(t), `${url}/x?y=1`, { method: 'POST', body: 'hello', headers: { 'content-type': 'text/plain' } });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['x-twice'], 'a, b');
    assert.equal(answer.body.toString(), 'POST headwind/test 5 hello');
  });

  for (const method of ['GET', 'HEAD'] as const) {
    it(`keeps the connection after ${method}`, async (t) => {
      const ports = new Set<number>();
      const url = await serve(t, (request, response) => {
        ports.add(request.socket.remotePort ?? 0);
        // Go's servers do not say `Connection: keep-alive`.
        response.sendDate = false;
        response.removeHeader('connection');
        response.writeHead(200, { 'content-length': 2 }).end(request.method === 'HEAD' ? undefined : 'ok');
      });
      const client = outbound(t);
      for (let call = 0; call < 5; call++) await get(client, url, { method });
      // Not always one: the next call may begin in the tick in which the first connection becomes free.
      assert.ok(ports.size <= 2, `${ports.size} connections`);
    });
  }

  it('takes no body that a server wrongly sends after HEAD for an answer', async (t) => {
    const answer = 'HTTP/1.1 200 OK\r\nx-answer: head\r\ncontent-length: 40\r\n\r\n';
    const body = 'HTTP/1.1 200 OK\r\nx-answer: forged\r\n\r\n';
    const server = createRawServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.on('data', () => socket.write(answer + body));
    });
    const sockets = new Set<Socket>();
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const client = outbound(t);
    for (let call = 0; call < 3; call++) {
      const seen = await get(client, `http://127.0.0.1:${portOf(server)}/`, { method: 'HEAD' });
      assert.equal(seen.headers['x-answer'], 'head');
    }
  });

  it('ends requests under way on close(), and takes no more', async (t) => {
    const client = outbound(t);
    const url = await serve(t, () => void client.close());
    await failsWith('Unreachable', get(client, url));
    await failsWith('Unreachable', get(client, url));
  });

  describe('bodies', () => {
    const text = 'headwind '.repeat(1000);
    const encodings = { gzip: gzipSync(text), br: brotliCompressSync(text), zstd: zstdCompressSync(text), identity: Buffer.from(text) };
    for (const [encoding, bytes] of Object.entries(encodings)) {
      it(`decodes ${encoding}`, async (t) => {
        const url = await serve(t, (_, response) => response.writeHead(200, { 'content-encoding': encoding }).end(bytes));
        assert.equal((await get(outbound(t), url)).body.toString(), text);
      });
    }

    const tooLarge: Record<string, RequestListener> = {
      'announced by Content-Length': (_, response) => response.writeHead(200, { 'content-length': 2_000_000 }).end(Buffer.alloc(2_000_000)),
      'endless and chunked': (_, response) => endless(response),
      'a gzip bomb': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50_000_000))),
    };
    for (const [title, handler] of Object.entries(tooLarge)) {
      it(`TooLarge: ${title}`, async (t) => {
        await failsWith('TooLarge', get(outbound(t), await serve(t, handler)));
      });
    }

    const broken: Record<string, RequestListener> = {
      'unknown content encoding': (_, response) => response.writeHead(200, { 'content-encoding': 'lzma' }).end('x'),
      'gzip that is none': (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all'),
      'a status line that is none': (request) => request.socket.end('HELLO\r\n\r\n'),
    };
    for (const [title, handler] of Object.entries(broken)) {
      it(`Protocol: ${title}`, async (t) => {
        await failsWith('Protocol', get(outbound(t), await serve(t, handler)));
      });
    }

    it('Unreachable: the connection breaks in the middle of the body', async (t) => {
      const url = await serve(t, (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half', () => response.socket?.resetAndDestroy());
      });
      await failsWith('Unreachable', get(outbound(t), url));
    });

    it('has no body after HEAD, whatever the headers say', async (t) => {
      const url = await serve(t, (_, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 9_000_000 }).end(),
      );
      const answer = await get(outbound(t), url, { method: 'HEAD' });
      assert.equal(answer.body.length, 0);
      assert.equal(answer.headers['content-length'], '9000000');
    });

    it('streams, and close() ends the connection', async (t) => {
      const closed = Promise.withResolvers<void>();
      const url = await serve(t, (_, response) => {
        response.on('close', () => closed.resolve());
        endless(response);
      });
      const stream = await outbound(t).stream({ url, maxBytes: Number.POSITIVE_INFINITY, directlyNamed: true });
      for await (const chunk of stream.body) {
        assert.ok(chunk.length > 0);
        break;
      }
      await closed.promise;
      const unread = await outbound(t).stream({ url, maxBytes: 1, directlyNamed: true });
      unread.close();
    });
  });

  describe('time', { concurrency: true }, () => {
    it('Timeout: no headers', async (t) => {
      const url = await serve(t, () => undefined);
      await failsWith('Timeout', get(outbound(t), url, { timeouts: { headersMs: 30 } }));
    });

    it('Timeout: the body stops', async (t) => {
      const url = await serve(t, (_, response) => void response.write('half'));
      await failsWith('Timeout', get(outbound(t), url, { timeouts: { idleMs: 30 } }));
    });

    it('Timeout: a body that trickles for ever', async (t) => {
      const url = await serve(t, (_, response) => {
        const timer = setInterval(() => response.write('x'), 5);
        response.on('close', () => clearInterval(timer));
      });
      const error = await failsWith('Timeout', get(outbound(t), url, { timeouts: { callMs: 60 } }));
      assert.match(error.message, /no complete answer within 60 ms/);
    });

    it('rejects with the reason of the caller who aborts', async (t) => {
      const stop = new AbortController();
      const reason = new Error('we are closing');
      const url = await serve(t, () => stop.abort(reason));
      await assert.rejects(get(outbound(t), url, { signal: stop.signal }), reason);
      await assert.rejects(get(outbound(t), url, { signal: stop.signal }), reason);
    });
  });

  it('Unreachable: nobody listens', async (t) => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = portOf(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failsWith('Unreachable', get(outbound(t), `http://127.0.0.1:${port}/v2/?token=canary`));
    assert.match(error.message, /^GET http:\/\/127\.0\.0\.1:\d+\/v2\/\?token=\[redacted\]: .*ECONNREFUSED/i);
  });

  describe('addresses', () => {
    const never = [
      'http://169.254.169.254/latest',
      'http://[fe80::1]/',
      'http://0.0.0.0/',
      'http://metadata.google.internal/',
      'http://224.0.0.1/',
    ];
    for (const url of never) {
      it(`Blocked: ${url}, even when named directly`, async (t) => {
        await failsWith('Blocked', get(outbound(t), url, { allowPrivate: true }));
      });
    }

    for (const url of ['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://10.0.0.1/', 'http://0x7f.1/']) {
      it(`Blocked: ${url}, unless named directly`, async (t) => {
        await failsWith('Blocked', get(outbound(t), url, { directlyNamed: false }));
      });
    }

    for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'http://user:canary@127.0.0.1/']) {
      it(`Blocked: ${url}`, async (t) => {
        const error = await failsWith('Blocked', get(outbound(t), url));
        assert.doesNotMatch(error.message, /canary/);
      });
    }

    it('Blocked: a name that resolves to a private address, unless named directly', async (t) => {
      const url = await serve(t, (_, response) => response.end('inside'));
      const client = outbound(t, { resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) });
      const named = url.replace('127.0.0.1', 'registry.example.com');
      assert.equal((await get(client, named)).body.toString(), 'inside');
      const error = await failsWith('Blocked', get(client, named, { directlyNamed: false }));
      assert.match(error.message, /: registry\.example\.com cannot be contacted: the address 127\.0\.0\.1 is private$/);
    });

    const nowhere = [
      // addresses of the name, end of the message
      [['169.254.169.254', '10.0.0.1'], 'the address 169.254.169.254 is link-local, multicast or a metadata service'],
      [[], 'it has no address'],
    ] as const;
    for (const [addresses, why] of nowhere) {
      it(`Blocked: ${why}`, async (t) => {
        const client = outbound(t, {
          resolve: (_, done) =>
            done(
              null,
              addresses.map((address) => ({ address, family: 4 })),
            ),
        });
        const error = await failsWith('Blocked', get(client, 'http://reg.example.com/', { directlyNamed: false }));
        assert.equal(error.message, `GET http://reg.example.com/: reg.example.com cannot be contacted: ${why}`);
      });
    }

    it('connects to the address that was checked: a name is resolved once', async (t) => {
      const url = await serve(t, (_, response) => response.end('checked'));
      let calls = 0;
      const client = outbound(t, {
        resolve: (_, done) => done(null, [{ address: ++calls === 1 ? '127.0.0.1' : '169.254.169.254', family: 4 }]),
      });
      assert.equal((await get(client, url.replace('127.0.0.1', 'rebind.example.com'))).body.toString(), 'checked');
      assert.equal(calls, 1);
    });

    it('uses the allowed addresses of a name only', async (t) => {
      const url = await serve(t, (_, response) => response.end('good'));
      const addresses = [
        { address: '169.254.169.254', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ];
      const client = outbound(t, { resolve: (_, done) => done(null, addresses) });
      assert.equal((await get(client, url.replace('127.0.0.1', 'both.example.com'))).body.toString(), 'good');
    });

    it('Blocked: an origin nobody may be led to', async (t) => {
      const url = await serve(t, (_, response) => response.end());
      await failsWith('Blocked', get(outbound(t, { blockedOrigins: [url] }), url));
      const client = outbound(t, { blockedOrigins: [url], resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) });
      const error = await failsWith('Blocked', get(client, url.replace('127.0.0.1', 'alias.example.com')));
      assert.match(error.message, /the address 127\.0\.0\.1 is that of an origin nobody may be led to$/);
    });
  });

  describe('redirects', () => {
    it('are followed on the same origin with all headers', async (t) => {
      const url = await serve(t, (request, response) => {
        if (request.url === '/a') return response.writeHead(307, { location: '/b' }).end();
        return response.end(`${request.url} ${request.headers.authorization}`);
      });
      const answer = await get(outbound(t), `${url}/a`, { headers: { authorization: 'Bearer x' } });
      assert.equal(answer.body.toString(), '/b Bearer x');
      assert.equal(answer.url.href, `${url}/b`);
    });

    it('carry no credential and no header of ours to another origin', async (t) => {
      let seen: IncomingMessage['headers'] = {};
      const other = await serve(t, (request, response) => {
        seen = request.headers;
        response.end('blob');
      });
      const url = await serve(t, redirect(other));
      const headers = { authorization: 'Bearer canary', cookie: 'canary', 'x-own': 'canary', accept: 'text/plain' };
      assert.equal((await get(outbound(t), url, { headers })).body.toString(), 'blob');
      assert.equal(seen.accept, 'text/plain');
      assert.doesNotMatch(JSON.stringify(seen), /canary/);
    });

    it('Protocol after 5', async (t) => {
      let requests = 0;
      const url = await serve(t, (_, response) => {
        requests++;
        response.writeHead(302, { location: '/' }).end();
      });
      await failsWith('Protocol', get(outbound(t), url));
      assert.equal(requests, 6);
    });

    const targets = ['http://169.254.169.254/', 'http://localhost:1/', 'http://10.0.0.1/', 'ftp://127.0.0.1/', 'http://u:p@127.0.0.1/'];
    for (const target of targets) {
      it(`Blocked: to ${target}`, async (t) => {
        const url = await serve(t, redirect(target));
        await failsWith('Blocked', get(outbound(t), url));
      });
    }

    it('Blocked: from https to http, and where the caller says no', async (t) => {
      const identity = selfSigned();
      const port = await serveTls(t, identity, redirect('http://127.0.0.1:1/'));
      const client = outbound(t);
      const error = await failsWith('Blocked', get(client, `https://127.0.0.1:${port}/`, { tls: { ca: identity.cert } }));
      assert.match(error.message, /from https to http/);
      const url = await serve(t, redirect('/elsewhere'));
      await failsWith('Blocked', get(client, url, { allowRedirect: () => false }));
    });

    it('are the answer itself for other methods, and with maxRedirects 0', async (t) => {
      const url = await serve(t, redirect('/x'));
      assert.equal((await get(outbound(t), url, { method: 'POST', body: '' })).status, 302);
      assert.equal((await get(outbound(t), url, { maxRedirects: 0 })).headers.location, '/x');
    });
  });

  describe('TLS', () => {
    const identity = selfSigned();

    it('trusts the given authority, and Tls without it', async (t) => {
      const port = await serveTls(t, identity, (_, response) => response.end('secret'));
      const client = outbound(t);
      const url = `https://localhost:${port}/`;
      const error = await failsWith('Tls', get(client, url));
      assert.match(error.message, /self-signed certificate/);
      assert.doesNotMatch(error.message, /Node\.js/, 'no advice about flags of the runtime');
      assert.equal((await get(client, url, { tls: { ca: identity.cert } })).status, 200);
      assert.equal((await get(client, url, { tls: { insecure: true } })).status, 200);
      await failsWith('Tls', get(client, url));
    });

    it('trusts the authorities of the client, as they are now, unless the request brings its own', async (t) => {
      const port = await serveTls(t, identity, (_, response) => response.end());
      let known: { ca: string } | undefined;
      const client = outbound(t, { authorities: () => known });
      const url = `https://localhost:${port}/`;
      await failsWith('Tls', get(client, url));
      known = { ca: identity.cert };
      assert.equal((await get(client, url)).status, 200);
      await failsWith('Tls', get(client, url, { authorities: { ca: selfSigned().cert } }));
      known = undefined;
      await failsWith('Tls', get(client, url));
    });

    it('Tls: wrong name, unless servername says so', async (t) => {
      const other = selfSigned(['registry.example.com']);
      const port = await serveTls(t, other, (_, response) => response.end());
      const url = `https://127.0.0.1:${port}/`;
      const error = await failsWith('Tls', get(outbound(t), url, { tls: { ca: other.cert } }));
      assert.match(error.message, /does not match|altnames/i);
      assert.equal((await get(outbound(t), url, { tls: { ca: other.cert, servername: 'registry.example.com' } })).status, 200);
    });

    it('Tls: plain HTTP, without the words of OpenSSL about its own source', async (t) => {
      const url = await serve(t, (_, response) => response.end());
      const error = await failsWith('Tls', get(outbound(t), url.replace('http:', 'https:')));
      assert.match(error.message, /: wrong version number \(ERR_SSL_WRONG_VERSION_NUMBER\)$/);
    });

    it('Tls: expired', async (t) => {
      const expired = selfSigned(['127.0.0.1'], new Date(Date.now() - 60_000));
      const port = await serveTls(t, expired, (_, response) => response.end());
      const error = await failsWith('Tls', get(outbound(t), `https://127.0.0.1:${port}/`, { tls: { ca: expired.cert } }));
      assert.match(error.message, /expired/);
    });

    it('shows a client certificate to its host only', async (t) => {
      const client = selfSigned(['me']);
      const port = await serveTls(t, { ...identity, requestCert: true, ca: client.cert, rejectUnauthorized: true }, (_, response) =>
        response.end('hi'),
      );
      const url = `https://127.0.0.1:${port}/`;
      const tls = { ca: identity.cert, ...client };
      assert.equal((await get(outbound(t), url, { tls })).body.toString(), 'hi');
      await assert.rejects(get(outbound(t), url, { tls: { ca: identity.cert } }), OutboundError);
    });
  });

  describe('proxy', () => {
    async function startProxy(t: TestContext): Promise<{ url: string; seen: string[] }> {
      const seen: string[] = [];
      const server = createServer((request, response) => {
        seen.push(`${request.method} ${request.url}`);
        response.end('from the proxy');
      });
      server.on('connect', (request, socket) => {
        seen.push(`CONNECT ${request.headers['proxy-authorization'] ?? ''}`.trim());
        const upstream = connect(Number(new URL(`http://${request.url}`).port), '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          upstream.pipe(socket).pipe(upstream);
        });
        upstream.on('error', () => socket.destroy());
        socket.on('error', () => upstream.destroy());
      });
      return { url: `http://127.0.0.1:${await listen(t, server)}`, seen };
    }

    const wrongProxies = [
      // URL, message after the URL
      ['socks5://bot:canary@127.0.0.1:1', / \(through the proxy socks5:\/\/127\.0\.0\.1:1\): connect ECONNREFUSED/],
      ['ftp://bot:canary@127.0.0.1:1', /: the proxy has the scheme "ftp:"; write http:\/\/host:port$/],
      ['http://bot:canary@[', /: the URL of the proxy cannot be read$/],
    ] as const;
    for (const [httpsProxy, message] of wrongProxies) {
      it(`Unreachable: ${httpsProxy}`, async (t) => {
        const error = await failsWith('Unreachable', get(outbound(t, { proxy: { httpsProxy } }), 'https://registry.example.com/'));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /canary/);
      });
    }

    it('Unreachable: a proxy that refuses the tunnel, with its status', async (t) => {
      const server = createServer().on('connect', (_, socket) => socket.end('HTTP/1.1 407 Nobody\r\nContent-Length: 0\r\n\r\n'));
      const proxy = `http://127.0.0.1:${await listen(t, server)}`;
      const client = outbound(t, { proxy: { httpsProxy: proxy.replace('//', '//bot:canary@') } });
      const error = await failsWith('Unreachable', get(client, 'https://registry.example.com/'));
      const where = `GET https://registry.example.com/ (through the proxy ${proxy})`;
      assert.equal(error.message, `${where}: the proxy refuses the connection (HTTP 407)`);
    });

    it('forwards http, tunnels https, and is passed by for NO_PROXY', async (t) => {
      const identity = selfSigned(['registry.example.com']);
      const port = await serveTls(t, identity, (_, response) => response.end('through the tunnel'));
      const proxy = await startProxy(t);
      const withUser = proxy.url.replace('http://', 'http://user:pass@');
      const resolve: OutboundOptions['resolve'] = (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
      const settings = { httpProxy: proxy.url, httpsProxy: withUser, noProxy: '.direct.example.com' };
      const client = outbound(t, { proxy: settings, resolve });
      assert.equal((await get(client, 'http://registry.example.com/v2/')).body.toString(), 'from the proxy');
      const tls = { ca: identity.cert };
      assert.equal((await get(client, `https://registry.example.com:${port}/`, { tls })).body.toString(), 'through the tunnel');
      assert.deepEqual(proxy.seen, ['GET http://registry.example.com/v2/', `CONNECT Basic ${Buffer.from('user:pass').toString('base64')}`]);
      const direct = await serve(t, (_, response) => response.end('direct'));
      assert.equal((await get(client, direct.replace('127.0.0.1', 'a.direct.example.com'))).body.toString(), 'direct');
      assert.equal(proxy.seen.length, 2);
    });

    it('never leads to a metadata address', async (t) => {
      const proxy = await startProxy(t);
      const client = outbound(t, { proxy: { httpProxy: proxy.url } });
      await failsWith('Blocked', get(client, 'http://169.254.169.254/'));
      assert.deepEqual(proxy.seen, []);
    });
  });

  describe('redaction', () => {
    const table = [
      // URL, as logged
      ['https://user:pw@host/p?scope=a%3Ab&sig=canary#frag', 'https://host/p?scope=a%3Ab&sig=[redacted]'],
      ['https://host/v2/x/tags/list?n=100&last=1.2', 'https://host/v2/x/tags/list?n=100&last=1.2'],
      ['https://s3.example/blob?X-Amz-Signature=canary', 'https://s3.example/blob?X-Amz-Signature=[redacted]'],
      ['file:///etc/passwd', 'file:/etc/passwd'],
      ['data:text/plain,x', 'data:text/plain,x'],
      ['no URL', '[unreadable URL]'],
    ] as const;
    for (const [url, expected] of table) it(`${url} becomes ${expected}`, () => assert.equal(redactUrl(url), expected));

    it('names the origin only when the path is a secret', async (t) => {
      const error = await failsWith(
        'Blocked',
        get(outbound(t), 'http://10.0.0.1/services/canary', { directlyNamed: false, secretPath: true }),
      );
      assert.equal(error.message, 'GET http://10.0.0.1: the address is private');
    });
  });
});
