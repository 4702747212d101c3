import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';

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

export interface PoolOptions {
  readonly tls?: TlsOptions | undefined;
  readonly proxy?: string | undefined;
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
  const connect = { timeout: options.connectMs, keepAliveInitialDelay: 15_000, allowH2: false, ...tlsConnect(options.tls) };
  if (options.proxy !== undefined) {
    const uri = options.proxy;
    return new ProxyAgent({ ...shared, uri, connectTimeout: options.connectMs, requestTls: connect, proxyTls: { allowH2: false } });
  }
  return new Agent({ ...shared, connect: options.lookup === undefined ? connect : { ...connect, lookup: options.lookup } });
}

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

function tlsConnect(tls: TlsOptions | undefined): { secureContext?: SecureContext; servername?: string; rejectUnauthorized?: boolean } {
  if (tls === undefined) return {};
  return {
    secureContext: contextOf(tls),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    ...(tls.insecure === true ? { rejectUnauthorized: false } : {}),
  };
}

/** Made once per pool: reading the authorities for each connection would cost milliseconds. */
function contextOf(tls: TlsOptions): SecureContext {
  const ca = tls.ca === undefined ? undefined : tls.onlyThisCa === true ? tls.ca : [...getCACertificates('default'), tls.ca];
  return createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
}
