import { lookup } from 'node:dns';
import type { Dispatcher } from 'undici';
import type { Resolve } from './outbound/addresses.ts';
import { createBlockedOrigins } from './outbound/blocked-origins.ts';
import { decodedBody } from './outbound/body.ts';
import { startDeadline } from './outbound/deadline.ts';
import { outboundFailure } from './outbound/failure.ts';
import { createNameLookup } from './outbound/name-lookup.ts';
import { checkTarget, failure, firstHop, type Hop, nameOf, nextHop, redirectOf } from './outbound/hop.ts';
import { createPoolStore } from './outbound/pool-store.ts';
import type { Authorities, ProxyTarget, TlsOptions } from './outbound/pools.ts';
import { type ProxySettings, proxyChooser } from './outbound/proxy.ts';

export { decodedBody } from './outbound/body.ts';
export { startDeadline } from './outbound/deadline.ts';
export { outboundFailure, redactUrl } from './outbound/failure.ts';
export { type Authorities, openPool, type PoolOptions, type ProxyTarget, type TlsOptions } from './outbound/pools.ts';
export type { ProxySettings } from './outbound/proxy.ts';

export interface OutboundOptions {
  readonly userAgent: string;
  readonly proxy?: ProxySettings | undefined;
  /** Origins nobody may be led to, for example that of the API server; where they hold an address, not by another name of it either. */
  readonly blockedOrigins?: readonly string[];
  /** Trusted by requests that bring none of their own; called per request, and the same object shares connections. */
  readonly authorities?: (() => Authorities | undefined) | undefined;
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
  /** For cloud identities alone: `url` is a metadata service, which nobody else may contact. Without a proxy and redirects. */
  readonly metadataService?: boolean;
  /** For the host of `url` only; other hosts get the defaults. */
  readonly tls?: TlsOptions | undefined;
  /** For every hop, beside the system's authorities; instead of those of the client. */
  readonly authorities?: Authorities | undefined;
  /** Instead of the configured one; `false` goes directly. */
  readonly proxy?: string | ProxyTarget | false | undefined;
  /** Redirects of GET and HEAD that are followed; default 5. With 0 the 3xx itself is the answer. */
  readonly maxRedirects?: number;
  /** False, or a sentence that says why, forbids this hop (`Blocked`). */
  readonly allowRedirect?: ((from: URL, to: URL) => boolean | string) | undefined;
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
  let isClosed = false;
  const blocked = createBlockedOrigins(options.blockedOrigins ?? []);
  const pools = createPoolStore({
    chooseProxy: proxyChooser(options.proxy ?? {}),
    resolve: createNameLookup(options.resolve ?? ((hostname, done) => lookup(hostname, { all: true }, done))),
    blocked,
    authorities: options.authorities ?? (() => undefined),
    connectMs: options.connectMs ?? 5_000,
  });

  async function send(request: OutboundRequest, hop: Hop, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, pathname, search } = hop.url;
    let where = nameOf(request, hop);
    try {
      const { pool, via } = pools.of(request, hop);
      if (via !== undefined) where += ` (through the proxy ${via})`;
      return await pool.request({
        origin,
        path: pathname + search,
        method: request.method ?? 'GET',
        headers: hop.headers,
        body: request.body ?? null,
        signal,
        headersTimeout: request.timeouts?.headersMs ?? 15_000,
        bodyTimeout: request.timeouts?.idleMs ?? 15_000,
        // undici closes a connection after HEAD otherwise: a TLS handshake for every look at a tag.
        reset: false,
      });
    } catch (error) {
      throw outboundFailure(error, where);
    }
  }

  async function follow(request: OutboundRequest, signal: AbortSignal): Promise<{ hop: Hop; answer: Dispatcher.ResponseData }> {
    let hop = firstHop(request, options.userAgent);
    for (let redirects = 0; ; redirects++) {
      checkTarget(request, hop, blocked);
      if (isClosed) throw failure('Unreachable', request, hop, 'the client is closed');
      const answer = await send(request, hop, signal);
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
    await pools.destroy();
  }

  return { request, stream, close };
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
