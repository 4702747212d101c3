import { blockList } from './addresses.ts';
import type { OutboundRequest } from '../outbound.ts';

/** The metadata services from which a cloud gives identities: AWS (instances, pods, tasks), Google, Azure. */
const addresses = blockList([
  '169.254.169.254/32',
  '169.254.170.2/32',
  '169.254.170.23/32',
  'fd00:ec2::254/128',
  'fd00:ec2::23/128',
  'fd20:ce::254/128',
]);
const names = new Set(['metadata.google.internal']);

/** Does the request say that it is for a metadata service, and is its URL that of one? */
export function isMetadataService({ metadataService }: OutboundRequest, url: URL): boolean {
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return metadataService === true && url.protocol === 'http:' && (names.has(host) || isMetadataAddress(host));
}

/** Not any link-local address, but one of those that clouds have given to their services. */
export function isMetadataAddress(address: string): boolean {
  return addresses.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
