import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';

/** How to talk TLS with one origin. The same object (or equal content) shares connections; a changed Secret means a new object. */
export interface TlsOptions {
  /** PEM. Trusted in addition to the system's authorities, or instead of them with `onlyThisCa`. */
  readonly ca?: string | undefined;
  readonly onlyThisCa?: boolean | undefined;
  /** PEM, for client certificates. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name expected in the server's certificate. */
  readonly servername?: string | undefined;
  /** No check of the server's certificate at all. */
  readonly insecure?: boolean | undefined;
}

/** PEM, trusted beside the system's authorities and those of a host. Keep the object: it identifies connections. */
export interface Authorities {
  readonly ca: string;
}

/** `login` is `user:password`; without it that of the URL counts. */
export interface ProxyTarget {
  readonly url: string;
  readonly login?: string | undefined;
}

export interface PoolOptions {
  readonly tls?: TlsOptions | undefined;
  readonly authorities?: Authorities | undefined;
  readonly proxy?: string | ProxyTarget | undefined;
  readonly lookup?: LookupFunction | undefined;
  readonly connectMs: number;
  readonly keepAliveMs: number;
  /** Sockets per origin. */
  readonly connections: number;
}

/** Keep-alive connections (HTTP/1.1) of one TLS configuration and proxy; pools per origin are inside. */
export function openPool(options: PoolOptions): Dispatcher {
  const shared = {
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: options.keepAliveMs,
    keepAliveMaxTimeout: Math.max(options.keepAliveMs, 600_000),
    maxHeaderSize: 32 * 1024,
  };
  const connect = {
    timeout: options.connectMs,
    keepAliveInitialDelay: 15_000,
    allowH2: false,
    ...tlsConnect(options.tls, options.authorities),
  };
  if (options.proxy !== undefined) {
    const proxyTls = { allowH2: false, ...tlsConnect(undefined, options.authorities) };
    // Who gave up does not end a CONNECT that the proxy never answers: it would stay open for minutes.
    const clientFactory = (origin: URL, given: object): Dispatcher => new Pool(origin, { ...given, headersTimeout: options.connectMs });
    return new ProxyAgent({
      ...shared,
      ...proxyAddress(options.proxy),
      connectTimeout: options.connectMs,
      requestTls: connect,
      proxyTls,
      clientFactory,
    });
  }
  return new Agent({ ...shared, connect: options.lookup === undefined ? connect : { ...connect, lookup: options.lookup } });
}

const proxySchemes = new Set(['http:', 'https:', 'socks5:', 'socks:']);

function proxyAddress(proxy: string | ProxyTarget): { uri: string; token?: string } {
  const { url, login } = typeof proxy === 'string' ? { url: proxy } : proxy;
  const uri = URL.parse(url);
  // The error of the URL parser would show the login.
  if (uri === null) throw new TypeError('the URL of the proxy cannot be read');
  if (!proxySchemes.has(uri.protocol)) throw new TypeError(`the proxy has the scheme "${uri.protocol}"; write http://host:port`);
  if (login === undefined) return { uri: uri.href };
  uri.username = '';
  uri.password = '';
  return { uri: uri.href, token: `Basic ${Buffer.from(login, 'utf8').toString('base64')}` };
}

/** Equal for equal proxies; holds no secret. */
export function proxyKey(proxy: ProxyTarget | undefined): string {
  if (proxy === undefined) return '';
  return createHmac('sha256', processKey)
    .update(`${proxy.url}\0${proxy.login ?? ''}`)
    .digest('base64url');
}

const processKey = randomBytes(32);

/** Equal for TLS options with equal content; holds no secret. */
export function tlsFingerprint(tls: TlsOptions | undefined): string {
  if (tls === undefined) return '';
  const known = fingerprints.get(tls);
  if (known !== undefined) return known;
  const content = [tls.ca, tls.onlyThisCa, tls.cert, tls.key, tls.servername, tls.insecure].map((part) => part ?? null);
  const fingerprint = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  fingerprints.set(tls, fingerprint);
  return fingerprint;
}

const fingerprints = new WeakMap<TlsOptions, string>();

interface TlsConnect {
  readonly secureContext?: SecureContext;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

function tlsConnect(tls: TlsOptions | undefined, authorities: Authorities | undefined): TlsConnect {
  if (tls === undefined && authorities === undefined) return {};
  return {
    secureContext: contextOf(tls ?? {}, authorities),
    ...(tls?.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls?.insecure === true ? { rejectUnauthorized: false } : {}),
  };
}

/** Reading the authorities takes milliseconds and memory, so pools that differ in other things share what came of it. */
const contexts = new LRUCache<string, SecureContext>({ max: 32 });

function contextOf(tls: TlsOptions, authorities: Authorities | undefined): SecureContext {
  const key = `${tlsFingerprint(tls)} ${tlsFingerprint(authorities)}`;
  const known = contexts.get(key);
  if (known) return known;
  const added = [tls.ca, tls.onlyThisCa === true ? undefined : authorities?.ca].filter((pem) => pem !== undefined);
  const ca = added.length === 0 ? undefined : tls.onlyThisCa === true ? added : [...getCACertificates('default'), ...added];
  const context = createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
  contexts.set(key, context);
  return context;
}
