import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readQuota } from './rate-limit-headers.ts';

const now = Date.parse('2026-01-15T10:00:00Z');
const window = 21_600_000;

const table: readonly (readonly [string, Record<string, string>, object | undefined])[] = [
  ['nothing', {}, undefined],
  [
    'Docker Hub',
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600', 'docker-ratelimit-source': '192.0.2.1' },
    { remaining: 76, limit: 100, windowMs: window, countsPulls: true },
  ],
  ['remaining alone', { 'ratelimit-remaining': '5' }, { remaining: 5 }],
  [
    'a draft of the IETF',
    { 'ratelimit-limit': '100', 'ratelimit-remaining': '50', 'ratelimit-reset': '30' },
    { remaining: 50, limit: 100, resetMs: 30_000 },
  ],
  [
    'several windows',
    { 'ratelimit-limit': '10;w=1, 100;w=60', 'ratelimit-remaining': '9;w=1, 3;w=60' },
    { remaining: 3, limit: 100, windowMs: 60_000 },
  ],
  [
    'a later draft',
    { ratelimit: '"default";r=50;t=30', 'ratelimit-policy': '"burst";q=9;w=1, "default";q=100;w=60' },
    { remaining: 50, limit: 100, windowMs: 60_000, resetMs: 30_000 },
  ],
  ['several policies', { ratelimit: '"a";r=50;t=30, "b";r=0;t=7' }, { remaining: 0, resetMs: 7_000 }],
  ['an old draft in one header', { ratelimit: 'limit=100, remaining=50, reset=5' }, { remaining: 50, limit: 100, resetMs: 5_000 }],
  [
    'GitHub',
    { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 + 60) },
    { remaining: 0, limit: 5000, resetMs: 60_000 },
  ],
  [
    'GitLab, whose reset is a time',
    { 'ratelimit-limit': '60', 'ratelimit-remaining': '0', 'ratelimit-reset': String(now / 1000 + 60) },
    { remaining: 0, limit: 60, resetMs: 60_000 },
  ],
  ['a time in one header', { ratelimit: `limit=60, remaining=0, reset=${now / 1000 + 5}` }, { remaining: 0, limit: 60, resetMs: 5_000 }],
  ['a reset that is past', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now / 1000 - 60) }, { remaining: 0, resetMs: 0 }],
  ['a reset in seconds', { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '17' }, { remaining: 1, resetMs: 17_000 }],
  ['less than nothing', { 'ratelimit-remaining': '-3' }, { remaining: 0 }],
  ['no number', { 'ratelimit-remaining': 'many', ratelimit: ';;=,,', 'x-ratelimit-remaining': '1e9' }, undefined],
  ['names of Object', { ratelimit: 'constructor=1, __proto__=2' }, undefined],
  ['a number of another world', { 'ratelimit-remaining': '9'.repeat(400) }, undefined],
];

describe('registry/rate-limit-headers', () => {
  for (const [title, headers, expected] of table) {
    it(title, () => {
      const quota = readQuota(headers, now);
      const known = quota && Object.fromEntries(Object.entries(quota).filter(([, value]) => value !== undefined));
      assert.deepEqual(known, expected && { countsPulls: false, ...expected });
    });
  }
});
