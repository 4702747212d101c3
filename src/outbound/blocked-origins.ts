import { isIP } from 'node:net';
import { blockList } from './addresses.ts';

/** Origins nobody may be led to, by whatever scheme, or by another name of their address. */
export interface BlockedOrigins {
  /** Does the URL itself name one? */
  names(url: URL): boolean;
  /** The check for addresses that a connection to this URL needs; undefined where no blocked address has its port. */
  at(url: URL): ((address: string) => boolean) | undefined;
}

/** Origins with an IP address are blocked under every name. Others by their name only: what else has the address of a shared ingress is not theirs. */
export function createBlockedOrigins(origins: readonly string[]): BlockedOrigins {
  const hosts = origins.flatMap((origin) => {
    const url = URL.parse(origin);
    return url === null ? [] : [{ hostname: bare(url.hostname), port: portOf(url) }];
  });

  function at(url: URL): ((address: string) => boolean) | undefined {
    const port = portOf(url);
    const addresses = hosts.filter((host) => host.port === port && isIP(host.hostname) !== 0).map(({ hostname }) => hostname);
    if (addresses.length === 0) return undefined;
    const list = blockList(addresses.map((address) => `${address}/${isIP(address) === 6 ? 128 : 32}`));
    return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  function names(url: URL): boolean {
    const [hostname, port] = [bare(url.hostname), portOf(url)];
    return hosts.some((host) => host.hostname === hostname && host.port === port) || at(url)?.(hostname) === true;
  }

  return { names, at };
}

/** The port that a URL leads to, also where it does not say so. */
export function portOf(url: URL): string {
  return url.port || (url.protocol === 'http:' ? '80' : '443');
}

function bare(hostname: string): string {
  const inner = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return inner.toLowerCase().replace(/\.$/, '');
}
