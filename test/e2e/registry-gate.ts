import { createServer, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { atEnd } from './at-end.ts';

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly byOperator: boolean;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** The way to a registry, on which everything is seen, and can be stopped or led elsewhere. */
export interface RegistryGate {
  /** What stands in image references. */
  readonly host: string;
  readonly url: string;
  readonly seen: readonly SeenRequest[];
  /** Requests that wait for their answer, and the most that ever did. */
  readonly waiting: { now: number; most: number };
  /** Gives the path to ask the registry for; undefined when it has answered itself, or never will. */
  route: (seen: SeenRequest, response: ServerResponse) => string | undefined;
  /** Ends every connection, and lets through what comes from now on. */
  open(): void;
  /** What the operator sent. */
  byOperator(path?: RegExp): readonly SeenRequest[];
}

export async function openGate(t: TestContext, registry: { readonly url: string }): Promise<RegistryGate> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const waiting = { now: 0, most: 0 };
  const server = createServer((incoming, response) => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const byOperator = headers['user-agent']?.startsWith('headwind/') === true;
    const one: SeenRequest = { method, path, authorization: headers.authorization, byOperator, at: performance.now() };
    seen.push(one);
    waiting.now += 1;
    waiting.most = Math.max(waiting.most, waiting.now);
    response.on('close', () => (waiting.now -= 1));
    const target = gate.route(one, response);
    if (target === undefined) return;
    const outgoing = request(new URL(target, registry.url), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  const gate: RegistryGate = {
    host,
    url: `http://${host}`,
    seen,
    waiting,
    route: straight,
    open() {
      gate.route = straight;
      for (const socket of sockets) socket.destroy();
    },
    byOperator: (path = /./) => seen.filter((each) => each.byOperator && path.test(each.path)),
  };
  return gate;
}

function straight({ path }: SeenRequest): string {
  return path;
}

/** What a person would write into the header. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
