import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Server as TlsServer } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { type ApiEvent, type ApiObject, ApiObjects } from './api-objects.ts';
import { bookmarkLine, describeRequest, reasons, type RequestKind, type SeenRequest, sendJson, sendStatus } from './api-wire.ts';
import { carryOut, Refusal } from './api-writes.ts';
import type { SelfSigned } from './certificate.ts';
import { matchesLabels } from './label-query.ts';
import { Waiters } from './waiters.ts';

/** An answer in place of the usual one. */
export interface Fault {
  readonly on: RequestKind | 'any';
  /** How often; default once. */
  times?: number;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The message of a Status object, or any other body as it is. */
  readonly message?: string;
  readonly raw?: string;
  /** Takes the whole request over instead. */
  readonly handle?: (request: SeenRequest, response: ServerResponse) => void;
}

interface Watch {
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly response: ServerResponse;
  /** A dead connection: nothing is written any more, and nobody hears of it. */
  isSilent: boolean;
}

export interface ApiServerOptions {
  readonly identity?: SelfSigned;
}

/** The API server as far as a client can tell: objects, lists in pages and as streams, watches, and a fault for every row of the table. */
export class FakeApiServer {
  readonly objects = new ApiObjects();
  readonly requests: SeenRequest[] = [];
  readonly watches = new Set<Watch>();
  readonly waiters = new Waiters();
  readonly sockets = new Set<Socket>();
  /** Connections ever made. */
  connections = 0;
  /** Knows `sendInitialEvents`. */
  supportsStreaming = true;
  /** Tokens that are accepted; undefined = all. */
  tokens: Set<string> | undefined;
  /** The next initial stream ends, or stands still, after so many objects. */
  cutInitialStream: { after: number; how: 'reset' | 'end' | 'stall' } | undefined;
  /** Answers requests for single objects instead, or throws a Refusal; undefined = the usual answer. */
  intercept: ((request: SeenRequest) => { code: number; body: object } | undefined) | undefined;
  readonly #faults: Fault[] = [];
  readonly #server: Server;
  readonly #scheme: string;

  constructor(options: ApiServerOptions = {}) {
    const listener: RequestListener = (request, response) => this.#receive(request, response);
    this.#scheme = options.identity === undefined ? 'http' : 'https';
    this.#server = options.identity === undefined ? createServer(listener) : createTlsServer(options.identity, listener);
    this.#server.on(options.identity === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.waiters.notify();
      });
      socket.on('error', () => undefined);
    });
    this.objects.listen((collection, event) => this.#publish(collection, event));
  }

  get port(): number {
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return address.port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await new Promise((resolve) => this.#server.once('listening', resolve));
  }

  /** Another certificate from now on. */
  rotate(identity: SelfSigned): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(identity);
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The next requests of this kind get this answer. */
  fail(fault: Fault): void {
    this.#faults.push({ times: 1, ...fault });
  }

  of(kind: RequestKind): SeenRequest[] {
    return this.requests.filter((request) => request.kind === kind);
  }

  async until(condition: () => boolean): Promise<void> {
    await this.waiters.until(condition);
  }

  endWatches(): void {
    for (const { response } of this.watches) response.end();
  }

  resetWatches(): void {
    for (const { response } of this.watches) response.socket?.resetAndDestroy();
  }

  silenceWatches(): void {
    for (const watch of this.watches) watch.isSilent = true;
  }

  /** A raw line to every watch. */
  sendLine(line: string): void {
    for (const watch of this.watches) if (!watch.isSilent) watch.response.write(`${line}\n`);
  }

  bookmark(): void {
    this.sendLine(bookmarkLine(this.objects.version));
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('end', () => {
      const seen = describeRequest(request, Buffer.concat(parts).toString());
      this.requests.push(seen);
      this.#answer(seen, response);
      this.waiters.notify();
    });
  }

  #answer(request: SeenRequest, response: ServerResponse): void {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    if (this.tokens !== undefined && !this.tokens.has(token)) return sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
    const fault = this.#faults.find(({ on, times = 1 }) => times > 0 && (on === 'any' || on === request.kind));
    if (fault !== undefined) return this.#sendFault(fault, request, response);
    if (request.kind === 'watch') return this.#watch(request, response);
    if (request.kind === 'list') return this.#list(request, response);
    return this.#single(request, response);
  }

  #sendFault(fault: Fault, request: SeenRequest, response: ServerResponse): void {
    fault.times = (fault.times ?? 1) - 1;
    if (fault.handle !== undefined) return fault.handle(request, response);
    if (fault.raw !== undefined) return void response.writeHead(fault.status, { ...fault.headers }).end(fault.raw);
    return sendStatus(response, fault.status, reasons[fault.status] ?? '', fault.message ?? 'a fault', fault.headers);
  }

  #list({ collection, namespace, query, headers }: SeenRequest, response: ServerResponse): void {
    const [listVersion = this.objects.version, from = 0] = (query.get('continue') ?? '').split('@').filter(Boolean).map(Number);
    if (query.has('continue') && listVersion < this.objects.oldest)
      return sendStatus(response, 410, 'Expired', 'the continue token is too old');
    const limit = Number(query.get('limit') ?? Number.MAX_SAFE_INTEGER);
    const labels = query.get('labelSelector') ?? '';
    const inNamespace = this.objects.all(collection).filter((object) => isIn(object, namespace));
    const all = inNamespace.filter(({ metadata }) => matchesLabels(metadata['labels'] ?? {}, labels));
    const rest = all.length > from + limit ? `${listVersion}@${from + limit}` : undefined;
    const metadata = { resourceVersion: String(listVersion), ...(rest === undefined ? {} : { continue: rest }) };
    const body = JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata, items: all.slice(from, from + limit) });
    const gzip = headers['accept-encoding'] === 'gzip';
    response.writeHead(200, { 'content-type': 'application/json', ...(gzip ? { 'content-encoding': 'gzip' } : {}) });
    response.end(gzip ? gzipSync(body, { level: 1 }) : body);
  }

  #watch({ collection, namespace, query }: SeenRequest, response: ServerResponse): void {
    const isStream = query.get('sendInitialEvents') === 'true';
    if (isStream && !this.supportsStreaming) return sendStatus(response, 422, 'Invalid', streamingForbidden);
    const from = Number(query.get('resourceVersion') ?? this.objects.version);
    if (!isStream && from < this.objects.oldest) return sendStatus(response, 410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const watch: Watch = { collection, namespace, response, isSilent: false };
    this.watches.add(watch);
    const timer = setTimeout(() => response.end(), Number(query.get('timeoutSeconds') ?? 600) * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      this.watches.delete(watch);
      this.waiters.notify();
    });
    if (isStream) return this.#sendInitial(watch);
    for (const event of this.objects.since(collection, from)) send(watch, event);
    return undefined;
  }

  #sendInitial(watch: Watch): void {
    const cut = this.cutInitialStream;
    this.cutInitialStream = undefined;
    const all = this.objects.all(watch.collection).filter((object) => isIn(object, watch.namespace));
    for (const object of all.slice(0, cut?.after)) send(watch, { type: 'ADDED', object, version: 0 });
    if (cut === undefined) return void watch.response.write(`${bookmarkLine(this.objects.version, true)}\n`);
    watch.isSilent = true;
    if (cut.how === 'end') watch.response.end();
    // Only what was written may be lost, so the reset waits for the client to have it.
    if (cut.how === 'reset') watch.response.write('', () => setImmediate(() => watch.response.socket?.resetAndDestroy()));
    return undefined;
  }

  #publish(collection: string, event: ApiEvent): void {
    for (const watch of this.watches) if (watch.collection === collection && isIn(event.object, watch.namespace)) send(watch, event);
  }

  #single(request: SeenRequest, response: ServerResponse): void {
    try {
      const { code, body } = this.intercept?.(request) ?? carryOut(this.objects, request);
      sendJson(response, code, body);
    } catch (error) {
      const { code, reason, message } = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      sendStatus(response, code, reason, message);
    }
  }
}

/** A running server that ends with the test. */
export async function startApiServer(t: TestContext, options?: ApiServerOptions): Promise<FakeApiServer> {
  const server = new FakeApiServer(options);
  await server.listen();
  t.after(() => server.close());
  return server;
}

const streamingForbidden =
  'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled';

function send({ response, isSilent }: Watch, { type, object }: ApiEvent): void {
  if (!isSilent) response.write(`${JSON.stringify({ type, object })}\n`);
}

function isIn({ metadata }: ApiObject, namespace: string | undefined): boolean {
  return namespace === undefined || metadata['namespace'] === namespace;
}
