import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextPageOf, parseNextLink } from './link.ts';

const headers = [
  // header, target
  [undefined, undefined],
  ['', undefined],
  ['</v2/a/tags/list?last=x&n=2>; rel="next"', '/v2/a/tags/list?last=x&n=2'],
  ['</a?last=x>; rel=next', '/a?last=x'],
  ['</a>;REL="NEXT"', '/a'],
  ['</a>; title="a, b; rel=\\"next\\""; rel="prev", </b>; rel="next"', '/b'],
  ['</a>; rel="last next"', '/a'],
  ['</a>; rel="nextish"', undefined],
  ['</a>; rel="prev"', undefined],
  ['/a; rel="next"', undefined],
  ['</a', undefined],
  ['</a>; title="open, </b>; rel="next"', undefined],
  ['</a>; title="open, </b>; rel=next', undefined],
  ['</a>; title="x; rel=next"; rel="prev", </b>; rel="next"', '/b'],
  ['</a>; rel="prev"; rel="next"', undefined],
  ['</a>; x; rel = "next" ; y', '/a'],
  ['</a?tags=x,y>; rel="next"', '/a?tags=x,y'],
] as const;

const asked = 'https://reg.example.com/v2/docker/acme/app/tags/list?n=100';
const pages = [
  // link, where it leads
  ['/v2/docker/acme/app/tags/list?last=b&n=100', 'https://reg.example.com/v2/docker/acme/app/tags/list?last=b&n=100'],
  ['?last=b', 'https://reg.example.com/v2/docker/acme/app/tags/list?last=b'],
  [
    'https://reg.example.com/v2/docker/acme/app/tags/list?last=a%2Bb%3D%3D&n=5#x',
    'https://reg.example.com/v2/docker/acme/app/tags/list?last=a%2Bb%3D%3D&n=5',
  ],
  ['https://reg.example.com:443/v2/docker/acme/app/tags/list?last=b', 'https://reg.example.com/v2/docker/acme/app/tags/list?last=b'],
  ['/v2/docker/acme%2Fapp/tags/list?last=b', 'https://reg.example.com/v2/docker/acme%2Fapp/tags/list?last=b'],
  ['/v2/docker/acme/app/tags/list?next_page=opaque', 'https://reg.example.com/v2/docker/acme/app/tags/list?next_page=opaque'],
  ['/v2/acme/app/tags/list?last=b&n=50', 'https://reg.example.com/v2/docker/acme/app/tags/list?n=50&last=b'],
  ['/v2/acme/app/tags/list?last=b', 'https://reg.example.com/v2/docker/acme/app/tags/list?n=100&last=b'],
  ['/v2/acme/app/tags/list', 'invalid'],
  ['https://evil.example/v2/docker/acme/app/tags/list?last=b', 'off host'],
  ['//evil.example/v2/docker/acme/app/tags/list?last=b', 'off host'],
  ['http://reg.example.com/v2/docker/acme/app/tags/list?last=b', 'off host'],
  ['https://reg.example.com:8443/v2/docker/acme/app/tags/list?last=b', 'off host'],
  ['https://user:password@reg.example.com/v2/docker/acme/app/tags/list?last=b', 'off host'],
  ['file:///etc/passwd', 'off host'],
  ['https://', 'invalid'],
] as const;

describe('registry/link', () => {
  for (const [header, target] of headers) {
    it(`${header ?? 'no header'} names ${target ?? 'nothing'}`, () => assert.equal(parseNextLink(header), target));
  }

  for (const [link, expected] of pages) {
    it(`${link} leads to ${expected}`, () => {
      const next = nextPageOf(link, new URL(asked));
      assert.equal('url' in next ? next.url.href : 'offHost' in next ? 'off host' : 'invalid', expected);
    });
  }

  for (const piece of ['<a>\\"', '\\"<a>;', '<a>"', '<a>; rel="', '"<', '<']) {
    it(`256 KiB of ${piece} are read at once`, () => {
      const header = piece.repeat(262_144 / piece.length);
      const started = performance.now();
      parseNextLink(header);
      assert.ok(performance.now() - started < 1_000);
    });
  }

  it('answers for every header and link, in bounded time', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseNextLink(text)));
    fc.assert(fc.property(fc.webUrl(), (text) => void nextPageOf(text, new URL(asked))));
    const started = performance.now();
    parseNextLink('<a>;"'.repeat(6_000));
    parseNextLink(`<a>${'; '.repeat(16_000)}`);
    assert.ok(performance.now() - started < 1_000);
  });
});
