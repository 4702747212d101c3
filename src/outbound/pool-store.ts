import type { Dispatcher } from 'undici';
import { type RefuseAddress, guardedLookup, type Resolve } from './addresses.ts';
import { type BlockedOrigins, portOf } from './blocked-origins.ts';
import { allowsPrivate, type Hop, refusalOf } from './hop.ts';
import { isMetadataAddress, isMetadataService } from './metadata.ts';
import { openPool, type ProxyTarget, proxyKey, type TlsOptions, tlsFingerprint } from './pools.ts';
import type { OutboundRequest } from '../outbound.ts';

/** The connections of the one client: one pool per TLS configuration, proxy and set of addresses that may be reached. */
export interface PoolStore {
  /** The pool for a hop, and the proxy it goes through without its login. */
  of(request: OutboundRequest, hop: Hop): { readonly pool: Dispatcher; readonly via: string | undefined };
  /** Ends all connections, also those in use. */
  destroy(): Promise<void>;
}

export interface PoolStoreOptions {
  readonly chooseProxy: (url: URL) => string | undefined;
  readonly resolve: Resolve;
  readonly blocked: BlockedOrigins;
  readonly authorities: () => OutboundRequest['authorities'];
  readonly connectMs: number;
}

const mostPools = 64;

/** Pools that nobody asks for any more (rotated certificates, another proxy) are the first to go. */
export function createPoolStore(options: PoolStoreOptions): PoolStore {
  /** In order of their last use. */
  const pools = new Map<string, Dispatcher>();

  function of(request: OutboundRequest, hop: Hop): { pool: Dispatcher; via: string | undefined } {
    const tls = hop.isNamedHost ? request.tls : undefined;
    const proxy = proxyOf(request, hop);
    const mayBePrivate = allowsPrivate(request, hop);
    const isMetadata = isMetadataService(request, hop.url);
    const isBlocked = options.blocked.at(hop.url);
    const authorities = request.authorities ?? options.authorities();
    const key = [
      mayBePrivate,
      isMetadata,
      isBlocked === undefined ? '' : portOf(hop.url),
      proxyKey(proxy),
      tlsFingerprint(tls),
      tlsFingerprint(authorities),
    ].join(' ');
    const refuse: RefuseAddress = (kind, address) => {
      if (isMetadata) return isMetadataAddress(address) ? undefined : 'is not that of a metadata service';
      return refusalOf(kind, mayBePrivate) ?? (isBlocked?.(address) ? 'is that of an origin nobody may be led to' : undefined);
    };
    const pool = pools.get(key) ?? open(tls, authorities, proxy, refuse);
    pools.delete(key);
    pools.set(key, pool);
    retireOldest(pools);
    return { pool, via: proxy === undefined ? undefined : nameOfProxy(proxy.url) };
  }

  function open(
    tls: TlsOptions | undefined,
    authorities: OutboundRequest['authorities'],
    proxy: ProxyTarget | undefined,
    refuse: RefuseAddress,
  ): Dispatcher {
    // Through a proxy, names are resolved by the proxy: the operator who set it decides what it reaches.
    const lookup = guardedLookup(options.resolve, refuse);
    return openPool({ tls, authorities, proxy, lookup, connectMs: options.connectMs, keepAliveMs: 30_000, connections: 128 });
  }

  function proxyOf({ proxy, metadataService }: OutboundRequest, hop: Hop): ProxyTarget | undefined {
    if (proxy === false || metadataService === true) return undefined;
    if (proxy !== undefined) return typeof proxy === 'string' ? { url: proxy } : proxy;
    const url = options.chooseProxy(hop.url);
    return url === undefined ? undefined : { url };
  }

  async function destroy(): Promise<void> {
    const open = [...pools.values()];
    pools.clear();
    await Promise.all(open.map((pool) => pool.destroy()));
  }

  return { of, destroy };
}

/** Without its login. The origin of a SOCKS proxy would be the text `null`. */
function nameOfProxy(text: string): string {
  const url = URL.parse(text);
  return url === null ? 'a proxy' : `${url.protocol}//${url.host}`;
}

/** What runs in it may end; the next request opens a new one. */
function retireOldest(pools: Map<string, Dispatcher>): void {
  const [oldest] = pools;
  if (pools.size <= mostPools || oldest === undefined) return;
  pools.delete(oldest[0]);
  oldest[1].close().catch(() => undefined);
}
