import { lookup } from 'node:dns';
import type { Dispatcher } from 'undici';
import { guardedLookup, type Resolve } from './outbound/addresses.ts';
import { decodedBody } from './outbound/body.ts';
import { startDeadline } from './outbound/deadline.ts';
import { outboundFailure } from './outbound/failure.ts';
import { allowsPrivate, checkTarget, failure, firstHop, type Hop, isAllowed, nameOf, nextHop, redirectOf } from './outbound/hop.ts';
import { openPool, type TlsOptions, tlsFingerprint } from './outbound/pools.ts';
import { type ProxySettings, proxyChooser } from './outbound/proxy.ts';

export { decodedBody } from './outbound/body.ts';
export { startDeadline } from './outbound/deadline.ts';
export { outboundFailure, redactUrl } from './outbound/failure.ts';
export { openPool, type PoolOptions, type TlsOptions } from './outbound/pools.ts';
export type { ProxySettings } from './outbound/proxy.ts';

export interface OutboundOptions {
  readonly userAgent: string;
  readonly proxy?: ProxySettings | undefined;
  /** Origins nobody may be led to, for example that of the API server. */
  readonly blockedOrigins?: readonly string[];
  /** Name resolution, for tests. */
  readonly resolve?: Resolve;
  readonly connectMs?: number;
}

export interface OutboundTimeouts {
  /** Until the headers of one answer; default 15 s. */
  readonly headersMs?: number;
  /** Between two pieces of the body; default 15 s, 0 = unlimited. */
  readonly idleMs?: number;
  /** The whole call with its redirects and body; default 30 s, 0 = unlimited. */
  readonly callMs?: number;
}

export interface OutboundRequest {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string | URL;
  /** Names in lower case. `accept-encoding: identity` is respected, else compression is offered. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeouts?: OutboundTimeouts;
  /** Limit on the decoded body. */
  readonly maxBytes: number;
  /** The host stands literally in an image, a URL of a source object or the configuration: private and loopback addresses are allowed for it. */
  readonly directlyNamed?: boolean;
  /** Private and loopback addresses are allowed on every hop. Link-local and metadata addresses never are. */
  readonly allowPrivate?: boolean;
  /** For the host of `url` only; other hosts get the defaults. */
  readonly tls?: TlsOptions | undefined;
  /** Instead of the configured one; `false` goes directly. */
  readonly proxy?: string | false | undefined;
  /** Redirects of GET and HEAD that are followed; default 5. With 0 the 3xx itself is the answer. */
  readonly maxRedirects?: number;
  /** False forbids this hop (`Blocked`). */
  readonly allowRedirect?: (from: URL, to: URL) => boolean;
  /** The path is a secret (chat webhooks): errors name the origin only. */
  readonly secretPath?: boolean;
}

export interface OutboundHead {
  readonly status: number;
  /** Names in lower case, repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

export interface OutboundResponse extends OutboundHead {
  readonly body: Buffer;
}

export interface OutboundStream extends OutboundHead {
  /** Decoded and limited. Whoever does not read it to its end calls `close`. */
  readonly body: AsyncIterable<Buffer>;
  close(): void;
}

/** The one HTTP client to the outside. Throws OutboundError, or the reason of `signal` when that aborted. Never retries. */
export interface Outbound {
  request(request: OutboundRequest): Promise<OutboundResponse>;
  stream(request: OutboundRequest): Promise<OutboundStream>;
  /** Ends all connections, also those in use. */
  close(): Promise<void>;
}

/** The client with its connection pools; one per process. */
export function createOutbound(options: OutboundOptions): Outbound {
  const pools = new Map<string, Dispatcher>();
  let isClosed = false;
  const chooseProxy = proxyChooser(options.proxy ?? {});
  const blocked = new Set(options.blockedOrigins);
  const resolve: Resolve = options.resolve ?? ((hostname, done) => lookup(hostname, { all: true }, done));

  function poolFor(request: OutboundRequest, hop: Hop): Dispatcher {
    const tls = hop.isNamedHost ? request.tls : undefined;
    const proxy = request.proxy === false ? undefined : (request.proxy ?? chooseProxy(hop.url));
    const mayBePrivate = allowsPrivate(request, hop);
    const key = [mayBePrivate, proxy ?? '', tlsFingerprint(tls)].join(' ');
    const known = pools.get(key);
    if (known) return known;
    // Through a proxy, names are resolved by the proxy: the operator who set it decides what it reaches.
    const guard = guardedLookup(resolve, (kind) => isAllowed(kind, mayBePrivate));
    const pool = openPool({ tls, proxy, lookup: guard, connectMs: options.connectMs ?? 5_000, keepAliveMs: 30_000, connections: 32 });
    pools.set(key, pool);
    retireOldest(pools);
    return pool;
  }

  async function send(request: OutboundRequest, hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, pathname, search } = hop.url;
    return await poolFor(request, hop).request({
      origin,
      path: pathname + search,
      method: request.method ?? 'GET',
      headers: hop.headers,
      body: request.body ?? null,
      signal,
      headersTimeout: request.timeouts?.headersMs ?? 15_000,
      bodyTimeout: request.timeouts?.idleMs ?? 15_000,
    });
  }

  async function follow(request: OutboundRequest, signal: AbortSignal): Promise<{ hop: Hop; answer: Dispatcher.ResponseData }> {
    let hop = firstHop(request, options.userAgent);
    for (let redirects = 0; ; redirects++) {
      checkTarget(request, hop, blocked);
      if (isClosed) throw failure('Unreachable', request, hop, 'the client is closed');
      const answer = await send(request, hop, signal).catch((error: unknown) => {
        throw outboundFailure(error, nameOf(request, hop));
      });
      const location = redirectOf(request, answer);
      if (location === undefined) return { hop, answer };
      await answer.body.dump({ limit: 16_384, signal }).catch(() => undefined);
      if (redirects >= (request.maxRedirects ?? 5)) throw failure('Protocol', request, hop, 'too many redirects');
      hop = nextHop(request, hop, location);
    }
  }

  async function stream(request: OutboundRequest): Promise<OutboundStream> {
    const deadline = startDeadline(request.timeouts?.callMs ?? 30_000, request.signal);
    try {
      const { hop, answer } = await follow(request, deadline.signal);
      const headers = joinHeaders(answer.headers);
      const limits = {
        where: nameOf(request, hop),
        encoding: hasBody(request, answer.statusCode) ? headers['content-encoding'] : undefined,
        length: hasBody(request, answer.statusCode) ? headers['content-length'] : undefined,
        maxBytes: request.maxBytes,
      };
      answer.body.on('error', ignore).once('close', deadline.end);
      const body = deadline.explain(decodedBody(answer.body, limits), limits.where);
      return { status: answer.statusCode, headers, url: hop.url, body, close: () => void answer.body.destroy() };
    } catch (error) {
      deadline.end();
      throw deadline.reasonFor(error, nameOf(request));
    }
  }

  async function request(request: OutboundRequest): Promise<OutboundResponse> {
    const { body, ...head } = await stream(request);
    const parts: Buffer[] = [];
    for await (const chunk of body) parts.push(chunk);
    return { status: head.status, headers: head.headers, url: head.url, body: Buffer.concat(parts) };
  }

  async function close(): Promise<void> {
    isClosed = true;
    const open = [...pools.values()];
    pools.clear();
    await Promise.all(open.map((pool) => pool.destroy()));
  }

  return { request, stream, close };
}

/** Rotated certificates leave pools behind that nobody asks for again. */
function retireOldest(pools: Map<string, Dispatcher>): void {
  const [oldest] = pools;
  if (pools.size <= 64 || oldest === undefined) return;
  pools.delete(oldest[0]);
  oldest[1].close().catch(ignore);
}

function hasBody(request: OutboundRequest, status: number): boolean {
  return request.method !== 'HEAD' && status !== 204 && status !== 304;
}

function joinHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const joined: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) joined[name] = Array.isArray(value) ? value.join(', ') : value;
  return joined;
}

function ignore(): void {
  // Who reads the body sees its errors; closing is not a failure.
}
