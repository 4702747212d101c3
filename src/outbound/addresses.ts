import { BlockList, isIP, type LookupFunction } from 'node:net';

export type AddressKind = 'public' | 'private' | 'never';
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}
/** Gives every address of a name. */
export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly ResolvedAddress[]) => void,
) => void;

const nowhere = blockList([
  '0.0.0.0/8', // unspecified
  '169.254.0.0/16', // link-local, the metadata service of most clouds
  '100.100.100.200/32', // metadata (Alibaba)
  '168.63.129.16/32', // metadata (Azure)
  '192.0.0.192/32', // metadata (Oracle)
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '::/128',
  'fe80::/10',
  'fd00:ec2::254/128', // metadata (AWS)
  'fd20:ce::254/128', // metadata (Google Cloud)
  'fd00:c1::a9fe:a9fe/128', // metadata (Oracle)
  'fd00:42::42/128', // metadata (Scaleway)
  'ff00::/8',
  '2002::/16', // 6to4 hides an IPv4 address
]);
const inside = blockList([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fec0::/10',
]);
const metadataNames = new Set(['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data', 'instance-data.ec2.internal']);

/** Where an IP address lies: `never` is never contacted (link-local, metadata, multicast, unspecified), `private` only when named directly. */
export function addressKind(address: string): AddressKind {
  const family = isIP(address);
  if (family === 0) return 'never';
  const behindNat64 = family === 6 ? nat64Target(address) : undefined;
  if (behindNat64 !== undefined) return addressKind(behindNat64);
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (nowhere.check(address, type)) return 'never';
  return inside.check(address, type) ? 'private' : 'public';
}

/** The kind of a URL's host if it needs no DNS: an IP literal, or a name that always means a metadata service. */
export function literalKind(hostname: string): AddressKind | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  if (isIP(bare) !== 0) return addressKind(bare);
  return metadataNames.has(bare.toLowerCase().replace(/\.$/, '')) ? 'never' : undefined;
}

/** The connection was not made because no address of the host may be contacted. */
export class BlockedAddressError extends Error {
  readonly code = 'HEADWIND_BLOCKED';
}

/** What is wrong with an address, as the end of a sentence; undefined: it may be contacted. */
export type RefuseAddress = (kind: AddressKind, address: string) => string | undefined;

/** A `lookup` for sockets that gives allowed addresses only: what was checked is what is connected to. */
export function guardedLookup(resolve: Resolve, refuse: RefuseAddress): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, found) => {
      if (error !== null) return callback(error, '', 0);
      const fitting = found.filter(({ family }) => fits(family, options.family));
      const usable = fitting.filter(({ address }) => refuse(addressKind(address), address) === undefined);
      const first = usable[0];
      if (first === undefined) return callback(blockedName(hostname, fitting[0]?.address, refuse), '', 0);
      return options.all === true ? callback(null, [...usable]) : callback(null, first.address, first.family);
    });
  };
}

function blockedName(hostname: string, address: string | undefined, refuse: RefuseAddress): BlockedAddressError {
  const why = address === undefined ? 'it has no address' : `the address ${address} ${refuse(addressKind(address), address) ?? ''}`;
  return new BlockedAddressError(`${hostname} cannot be contacted: ${why}`);
}

/** Builds a matcher from `address/prefix` texts. */
export function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', prefix = ''] = subnet.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

function fits(family: number, wanted: number | 'IPv4' | 'IPv6' | undefined): boolean {
  const number = wanted === 'IPv4' ? 4 : wanted === 'IPv6' ? 6 : (wanted ?? 0);
  return number === 0 || number === family;
}

/** The IPv4 address inside `64:ff9b::/96`. */
function nat64Target(address: string): string | undefined {
  const host = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname;
  const groups = /^\[64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})?\]$/.exec(host);
  if (!groups) return undefined;
  const [high, low] = [Number.parseInt(groups[1] ?? '0', 16), Number.parseInt(groups[2] ?? '0', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
