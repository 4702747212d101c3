import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressKind, literalKind } from './addresses.ts';

const addresses = [
  // address, kind
  ['8.8.8.8', 'public'],
  ['172.15.0.1', 'public'],
  ['172.32.0.1', 'public'],
  ['2606:4700::1', 'public'],
  ['64:ff9b::808:808', 'public'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['127.0.0.1', 'private'],
  ['127.8.8.8', 'private'],
  ['::1', 'private'],
  ['fd00::1', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['64:ff9b::a00:1', 'private'],
  ['0.0.0.0', 'never'],
  ['::', 'never'],
  ['169.254.169.254', 'never'],
  ['::ffff:169.254.169.254', 'never'],
  ['64:ff9b::a9fe:a9fe', 'never'],
  ['fe80::1', 'never'],
  ['fe80::1%eth0', 'never'],
  ['fd00:ec2::254', 'never'],
  ['fd20:ce::254', 'never'],
  ['fd20:ce::255', 'private'],
  ['fd00:c1::a9fe:a9fe', 'never'],
  ['fd00:42::42', 'never'],
  ['100.100.100.200', 'never'],
  ['224.0.0.1', 'never'],
  ['255.255.255.255', 'never'],
  ['ff02::1', 'never'],
  ['2002:a00:1::', 'never'],
  ['not an address', 'never'],
] as const;

const hosts = [
  // URL, kind of its host
  ['http://0x7f.1/', 'private'],
  ['http://2852039166/', 'never'],
  ['http://[::ffff:a9fe:a9fe]/', 'never'],
  ['http://metadata.google.internal/', 'never'],
  ['http://Metadata.Google.Internal./', 'never'],
  ['http://example.com/', undefined],
  ['http://localhost/', undefined],
] as const;

describe('outbound/addresses', () => {
  for (const [address, kind] of addresses) it(`${address} is ${kind}`, () => assert.equal(addressKind(address), kind));
  for (const [url, kind] of hosts) it(`${url} is ${kind ?? 'a name'}`, () => assert.equal(literalKind(new URL(url).hostname), kind));
});
