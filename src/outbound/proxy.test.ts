import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { proxyChooser } from './proxy.ts';

const table = [
  // NO_PROXY, URL, goes through
  ['', 'https://ghcr.io/v2/', 'http://secure:3128'],
  ['', 'http://ghcr.io/v2/', 'http://plain:3128'],
  ['', 'http://localhost:5000/', undefined],
  ['', 'http://127.0.0.1:5000/', undefined],
  ['', 'http://[::1]:5000/', undefined],
  ['*', 'https://ghcr.io/', undefined],
  ['ghcr.io', 'https://ghcr.io/', undefined],
  ['GHCR.io', 'https://ghcr.IO/', undefined],
  ['ghcr.io', 'https://eu.ghcr.io/', undefined],
  ['ghcr.io', 'https://notghcr.io/', 'http://secure:3128'],
  ['.svc', 'http://registry.dev.svc/', undefined],
  ['.cluster.local', 'http://registry.dev.svc.cluster.local/', undefined],
  ['.example.com', 'https://example.com/', 'http://secure:3128'],
  ['*.example.com', 'https://a.example.com/', undefined],
  ['example.com:8443', 'https://example.com:8443/', undefined],
  ['example.com:8443', 'https://example.com/', 'http://secure:3128'],
  ['example.com:443', 'https://example.com/', undefined],
  ['10.0.0.0/8', 'https://10.20.30.40/', undefined],
  ['10.0.0.0/8', 'https://11.0.0.1/', 'http://secure:3128'],
  ['10.0.0.0/8', 'https://ten.example.com/', 'http://secure:3128'],
  ['fd00::/8', 'https://[fd12::1]/', undefined],
  ['10.1.2.3', 'https://10.1.2.3:5000/', undefined],
  ['10.0.0.0/99', 'https://10.1.2.3/', 'http://secure:3128'],
  ['10.0.0.0/8,.svc, .cluster.local ', 'http://r.x.svc.cluster.local/', undefined],
] as const;

describe('outbound/proxy', () => {
  for (const [noProxy, url, expected] of table) {
    it(`NO_PROXY=${noProxy}: ${url} goes ${expected === undefined ? 'directly' : `through ${expected}`}`, () => {
      const choose = proxyChooser({ httpProxy: 'http://plain:3128', httpsProxy: 'secure:3128', noProxy });
      assert.equal(choose(new URL(url)), expected);
    });
  }

  it('goes directly when no proxy is set', () => {
    assert.equal(proxyChooser({})(new URL('https://ghcr.io/')), undefined);
  });
});
