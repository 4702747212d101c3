import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RegistrySwitches } from '../../test/fakes/registry.ts';
import { setUpRegistry } from '../../test/fakes/registry-setup.ts';

const many = Array.from({ length: 25 }, (_, index) => `1.0.${String(index).padStart(2, '0')}`);

const complete: readonly (readonly [string, Partial<RegistrySwitches>, number])[] = [
  // title, switches, requests
  ['one page', {}, 1],
  ['relative links', { pageSize: 10 }, 3],
  ['absolute links', { pageSize: 10, link: 'absolute' }, 3],
  ['opaque positions', { pageSize: 10, link: 'absolute', opaqueLast: true }, 3],
  ['links that lost their prefix', { pageSize: 10, link: 'prefix-lost' }, 3],
  ['a full last page', { pageSize: 5 }, 5],
  ['n limited to 100 by 400', { maximumN: 100, pageSize: 10 }, 4],
  ['n limited to 100 by 405', { maximumN: 100, refusalOfN: 'UNSUPPORTED' }, 2],
  ['n refused altogether', { maximumN: 0, pageSize: 10, link: 'none' }, 3],
];

describe('registry/tags', () => {
  for (const [title, switches, requests] of complete) {
    it(`lists everything with ${title}`, async (t) => {
      const { fake, tags, repository } = await setUpRegistry(t);
      for (const tag of many) fake.push('docker/acme/app', tag);
      Object.assign(fake.switches, switches);
      const list = await tags([], repository('docker/acme/app'));
      const expected = switches.link === 'none' ? many.slice(0, 10) : many;
      assert.deepEqual(list, { tags: expected, truncated: false });
      assert.equal(fake.requests.length, requests);
    });
  }

  it('remembers which n a registry takes', async (t) => {
    const { fake, tags, seen } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.maximumN = 100;
    await tags();
    seen();
    await tags();
    assert.deepEqual(seen(), ['GET /v2/acme/app/tags/list?n=100']);
  });

  it('looks behind a full page without a link', async (t) => {
    const { fake, tags, seen } = await setUpRegistry(t);
    const names = Array.from({ length: 250 }, (_, index) => `t${String(index).padStart(3, '0')}`);
    for (const name of names) fake.push('acme/app', name);
    Object.assign(fake.switches, { maximumN: 100, link: 'none' });
    assert.deepEqual(await tags(), { tags: names, truncated: false });
    assert.deepEqual(seen().slice(1), [
      'GET /v2/acme/app/tags/list?n=100',
      'GET /v2/acme/app/tags/list?n=100&last=t099',
      'GET /v2/acme/app/tags/list?n=100&last=t199',
    ]);
  });

  const silent: readonly (readonly [pageSize: number, count: number, requests: number])[] = [
    [100, 250, 3],
    [50, 120, 3],
    [100, 100, 2],
    [100, 99, 1],
    [60, 120, 1],
  ];
  for (const [pageSize, count, requests] of silent) {
    it(`a registry that gives ${pageSize} of ${count} tags whatever n says, without a link, is asked ${requests} times`, async (t) => {
      const { fake, tags, seen } = await setUpRegistry(t);
      const names = Array.from({ length: count }, (_, index) => `t${String(index).padStart(3, '0')}`);
      for (const name of names) fake.push('acme/app', name);
      Object.assign(fake.switches, { pageSize, link: 'none' });
      const { tags: found, truncated } = await tags();
      assert.deepEqual([found, truncated], [requests === 1 ? names.slice(0, pageSize) : names, false]);
      assert.equal(seen().length, requests);
    });
  }

  for (const status of [400, 404, 405]) {
    it(`the guess that a page was cut is refused by ${status}: the list is complete`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      for (let index = 0; index < 100; index++) fake.push('acme/app', `t${index}`);
      fake.switches.intercept = ({ url }, response) => url.includes('last=') && Boolean(response.writeHead(status).end());
      const { tags: found, truncated } = await tags();
      assert.deepEqual([found.length, truncated], [100, false]);
    });
  }

  it('does not take a refused name for a refused n', async (t) => {
    const { fake, tags, seen } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.failures.push({ status: 400, body: '{"errors":[{"code":"NAME_INVALID"}]}' });
    await assert.rejects(tags(), { code: 'Protocol', httpStatus: 400 });
    assert.equal(seen().length, 1);
  });

  it('believes in no order of a registry', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    for (const tag of ['2.0.0', '1.0.0', '3.0.0']) fake.push('acme/app', tag);
    Object.assign(fake.switches, { tagOrder: 'oldest-first', pageSize: 1, linkExtra: '&orderby=' });
    assert.deepEqual(await tags(), { tags: ['2.0.0', '1.0.0', '3.0.0'], truncated: false });
  });

  for (const tagsValidator of ['etag', 'last-modified'] as const) {
    it(`asks only for a changed list where a registry gives it a word (${tagsValidator})`, async (t) => {
      const { fake, tags, clock } = await setUpRegistry(t);
      fake.push('acme/app', '1.0.0');
      fake.switches.tagsValidator = tagsValidator;
      let statuses: number[] = [];
      fake.switches.intercept = (_, response) => {
        response.on('finish', () => statuses.push(response.statusCode));
        return false;
      };
      const look = async (): Promise<readonly [string, string]> => {
        statuses = [];
        return [(await tags()).tags.join(), statuses.join()];
      };
      assert.deepEqual(
        [await look(), await look()],
        [
          ['1.0.0', '200'],
          ['1.0.0', '304'],
        ],
      );
      fake.push('acme/app', '1.0.1');
      assert.deepEqual(
        [await look(), await look()],
        [
          ['1.0.0,1.0.1', '200'],
          ['1.0.0,1.0.1', '304'],
        ],
      );
      clock.ms += 24 * 3_600_000;
      assert.deepEqual(await look(), ['1.0.0,1.0.1', '200']);
      // A word about one page says nothing about the others.
      fake.switches.pageSize = 1;
      assert.deepEqual(
        [await look(), await look()],
        [
          ['1.0.0,1.0.1', '200,200'],
          ['1.0.0,1.0.1', '200,200'],
        ],
      );
    });
  }

  it('"not modified" is no list when nothing is known', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.intercept = (_, response) => Boolean(response.writeHead(304).end());
    await assert.rejects(tags(), { code: 'Protocol' });
  });

  const behind = [
    // title, status and body of the answer to the guess
    ['refuses it', 400, ''],
    ['repeats itself', 200, undefined],
    ['has nothing more', 200, '{"tags":[]}'],
  ] as const;
  for (const [title, status, body] of behind) {
    it(`is done when the server ${title}`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      const names = Array.from({ length: 100 }, (_, index) => `t${String(index).padStart(3, '0')}`);
      for (const name of names) fake.push('acme/app', name);
      Object.assign(fake.switches, { maximumN: 100, link: 'none' });
      fake.switches.intercept = ({ url }, response) => {
        if (url.includes('last=')) response.writeHead(status).end(body ?? JSON.stringify({ tags: names }));
        return url.includes('last=');
      };
      assert.deepEqual(await tags(), { tags: names, truncated: false });
      assert.equal(fake.requests.length, 3);
    });
  }

  const pages = [
    // title, body, tags
    ['no tags', '{"tags":null}', []],
    ['an empty list', '{"name":"acme/app","tags":[]}', []],
    ['duplicates', '{"tags":["a","b","a"]}', ['a', 'b']],
    [
      'illegal tags',
      JSON.stringify({ tags: ['ok', '', '-x', 'a b', 'a+b', 'x'.repeat(129), 5, null, {}, 'a\r\nb', '__proto__'] }),
      ['ok', '__proto__'],
    ],
    ['a type that is text', '{"tags":["a"]}', ['a']],
    ['much more', '{"child":[],"manifest":{"sha256:x":{"tag":["a"],"timeCreatedMs":"1"}},"tags":["a"]}', ['a']],
  ] as const;
  for (const [title, body, expected] of pages) {
    it(`reads a page with ${title}`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      fake.push('acme/app', 'x');
      Object.assign(fake.switches, { tagsBody: body, headers: { 'content-type': 'text/plain' } });
      assert.deepEqual(await tags(), { tags: expected, truncated: false });
    });
  }

  const broken = ['', '<html>', '[]', '{}', '{"tags":"a"}', '{"tags":{"a":1}}', '{"__proto__":{"tags":["a"]}}'];
  for (const body of broken) {
    it(`does not take ${body || 'nothing'} for a list`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      fake.push('acme/app', 'x');
      fake.switches.tagsBody = body;
      await assert.rejects(tags(), { code: 'Protocol', operation: 'tags' });
    });
  }

  const foreign = [
    ['other-host', 'PaginationOffHost'],
    ['protocol-relative', 'PaginationOffHost'],
  ] as const;
  for (const [link, code] of foreign) {
    it(`does not follow a link of the kind ${link}`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      for (const tag of many) fake.push('acme/app', tag);
      Object.assign(fake.switches, { pageSize: 10, link });
      await assert.rejects(tags(), { code });
      assert.equal(fake.requests.length, 1);
    });
  }

  it('gives no part of a list when a later page fails', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    for (const tag of many) fake.push('acme/app', tag);
    fake.switches.pageSize = 10;
    fake.switches.intercept = ({ url }, response) => url.includes('last=') && Boolean(response.writeHead(404).end());
    await assert.rejects(tags(), { code: 'NotFound' });
  });

  const limited = [
    // title, limits, switches, tags
    ['too many pages', { pages: 2 }, { pageSize: 10 }, 20],
    ['too many tags', { tags: 12 }, { pageSize: 10 }, 12],
    ['too many tags in one page', { tags: 12 }, {}, 12],
    ['a page that is too long', { pageBytes: 20 }, {}, 0],
    ['a link to itself', {}, { pageSize: 10, link: 'itself' }, 10],
    ['ever new links to the same page', {}, { pageSize: 10, link: 'endless' }, 10],
    ['empty pages without end', {}, { tagsBody: '{"tags":[]}', pageSize: 10, link: 'endless' }, 0],
  ] as const;
  for (const [title, listing, switches, count] of limited) {
    it(`marks a list with ${title} as truncated`, async (t) => {
      const { fake, tags } = await setUpRegistry(t, { limits: { listing } });
      for (const tag of many) fake.push('acme/app', tag);
      Object.assign(fake.switches, switches);
      const list = await tags();
      assert.deepEqual([list.tags.length, list.truncated], [count, true]);
      assert.ok(fake.requests.length <= 12, String(fake.requests.length));
    });
  }

  it('marks a list as truncated when time is up, and says Timeout when nothing came', async (t) => {
    const { fake, tags } = await setUpRegistry(t, { limits: { listing: { totalMs: 50 } } });
    for (const tag of many) fake.push('acme/app', tag);
    fake.switches.pageSize = 10;
    fake.switches.intercept = ({ url }) => url.includes('last=');
    const list = await tags();
    assert.deepEqual([list.tags.length, list.truncated], [10, true]);
    fake.switches.intercept = () => true;
    await assert.rejects(tags(), { code: 'Timeout' });
  });
});
