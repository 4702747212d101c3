import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRealm } from './realm.ts';

const table = [
  // realm, origin, outcome: own host, other host, or refused
  ['https://auth.docker.io/token', 'https://registry-1.docker.io', 'other'],
  ['https://ghcr.io/token', 'https://ghcr.io', 'own'],
  ['https://reg.example.com:8443/auth?x=1', 'https://reg.example.com', 'own'],
  ['/token', 'https://reg.example.com', 'own'],
  ['//evil.example/token', 'https://reg.example.com', 'other'],
  ['http://reg.example.com/token', 'https://reg.example.com', 'refused'],
  ['http://reg.local/token', 'http://reg.local:5000', 'own'],
  ['http://other.local/token', 'http://reg.local:5000', 'other'],
  ['file:///etc/passwd', 'http://reg.local:5000', 'refused'],
  ['javascript:alert(1)', 'https://reg.example.com', 'refused'],
  ['https://user:password@auth.example.com/token', 'https://reg.example.com', 'refused'],
  ['https://', 'https://reg.example.com', 'refused'],
  [`https://a/${'x'.repeat(3_000)}`, 'https://reg.example.com', 'refused'],
] as const;

describe('registry/realm', () => {
  for (const [realm, origin, outcome] of table) {
    it(`${realm.slice(0, 60)} from ${origin}: ${outcome}`, () => {
      const parsed = parseRealm(realm, new URL(origin));
      assert.equal('invalid' in parsed ? 'refused' : parsed.isOwnHost ? 'own' : 'other', outcome);
    });
  }
});
