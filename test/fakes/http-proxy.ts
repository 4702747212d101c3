import { createServer, request as forward } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface FakeProxy {
  readonly url: string;
  /** `CONNECT host:port` and `GET http://…`, with the login if there was one. */
  readonly seen: string[];
}

/** A proxy that resolves every name to this machine. With `login` it answers 407 to everybody else. */
export async function startFakeProxy(
  t: TestContext,
  { login, tls }: { login?: string; tls?: { key: string; cert: string } } = {},
): Promise<FakeProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = tls ? createTlsServer(tls) : createServer();
  const wanted = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
  const record = (what: string, authorization: string | undefined): boolean => {
    const given = authorization === undefined ? '' : ` as ${Buffer.from(authorization.replace('Basic ', ''), 'base64').toString()}`;
    seen.push(what + given);
    return wanted === undefined || authorization === wanted;
  };

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.on('request', (request, response) => {
    if (!record(`${request.method} ${request.url}`, request.headers['proxy-authorization'])) return void response.writeHead(407).end();
    const url = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const target = { host: '127.0.0.1', port: url.port, path: url.pathname + url.search, method: request.method, headers };
    const upstream = forward(target, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', () => response.writeHead(502).end());
    request.pipe(upstream);
  });
  server.on('connect', (request, socket) => {
    if (!record(`CONNECT ${request.url}`, request.headers['proxy-authorization'])) {
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    }
    const upstream = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  t.after(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) socket.destroy();
    });
  });
  return { url: tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, seen };
}
