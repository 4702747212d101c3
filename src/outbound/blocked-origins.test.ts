import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createBlockedOrigins } from './blocked-origins.ts';

const blocked = createBlockedOrigins(['https://10.96.0.1', 'https://[fd00::1]:6443', 'https://api.example.com:6443', 'no URL']);

const named = [
  ['https://10.96.0.1/', true],
  ['http://10.96.0.1:443/', true],
  ['http://10.96.0.1/', false],
  ['https://10.96.0.1:5000/', false],
  ['https://0x0a600001/', true],
  ['https://[::ffff:10.96.0.1]/', true],
  ['http://[fd00::1]:6443/', true],
  ['https://[fd00:0:0:0::1]:6443/', true],
  ['https://API.example.com:6443/', true],
  ['https://api.example.com.:6443/', true],
  ['https://api.example.com/', false],
  ['https://other.example.com:6443/', false],
] as const;

const addresses = [
  // URL that is connected to, address of its name, is it blocked
  ['https://kubernetes.default.svc/', '10.96.0.1', true],
  ['https://kubernetes.default.svc/', '::ffff:10.96.0.1', true],
  ['https://kubernetes.default.svc/', '10.96.0.2', false],
  ['https://kubernetes.default.svc:5000/', '10.96.0.1', false],
  ['http://any.test:6443/', 'fd00::1', true],
  ['http://any.test:6443/', 'not an address', false],
] as const;

describe('outbound/blocked-origins', () => {
  for (const [url, isBlocked] of named)
    it(`${url} is ${isBlocked ? '' : 'not '}blocked`, () => assert.equal(blocked.names(new URL(url)), isBlocked));

  for (const [url, address, isBlocked] of addresses) {
    it(`${url} at ${address} is ${isBlocked ? '' : 'not '}blocked`, () =>
      assert.equal(blocked.at(new URL(url))?.(address) ?? false, isBlocked));
  }
});
