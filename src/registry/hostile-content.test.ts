import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { beginning, drip, endless, type Intercept } from '../../test/fakes/hostile-answers.ts';
import { sha256 } from '../../test/fakes/registry-content.ts';
import { RegistryError } from '../errors.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const timeouts = { headersMs: 250, idleMs: 250, callMs: 600 };
/** What one call may need more than the one before, with all that waits to be collected. */
const maximumGrowth = 160 * 1024 * 1024;

/** What is answered with 200 to every GET; codes for a digest by GET, for contents, for a list of tags. */
const bodies: readonly (readonly [string, Intercept, string, string, string])[] = [
  ['a body that never ends', endless('x'.repeat(65_536)), 'TooLarge', 'TooLarge', 'truncated'],
  ['a body of 10 GB', beginning(200, '{', { 'content-length': '10000000000' }), 'TooLarge', 'TooLarge', 'truncated'],
  ['a body that comes drop by drop', drip(), 'Timeout', 'Timeout', 'Timeout'],
  ['a body that stops', beginning(200, '{"manifests":['), 'Timeout', 'Timeout', 'Timeout'],
  ['a bomb in gzip', encoded('gzip', gzipSync(Buffer.alloc(64 * 1024 * 1024))), 'TooLarge', 'TooLarge', 'truncated'],
  ['an unknown encoding', encoded('snappy', Buffer.from('x')), 'Protocol', 'Protocol', 'Protocol'],
  ['a broken encoding', encoded('gzip', Buffer.from('x')), 'Protocol', 'Protocol', 'Protocol'],
  ['a page for people', text('<html>Please log in</html>', 'text/html'), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['nothing', text(''), 'Protocol', 'Protocol', 'Protocol'],
  ['a depth bomb', text('['.repeat(3_000_000)), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['a depth bomb behind a name', text(`{"tags":${'['.repeat(3_000_000)}`), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['a flood of objects', text(`{"manifests":[${'{},'.repeat(1_300_000)}{}]}`), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['members of the prototype', text('{"__proto__":{"manifests":[],"tags":["evil"]}}'), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['text in place of lists', text('{"manifests":"x","tags":"evil"}'), 'Protocol', 'DigestMismatch', 'Protocol'],
  ['numbers as text', text('{"schemaVersion":"2","config":"5","tags":["1",2]}'), 'a digest', 'DigestMismatch', 'a list'],
  ['half a character', text(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), 'Protocol', 'DigestMismatch', 'Protocol'],
];

const operations = [
  // title, column of the table
  ['a digest by GET', 0],
  ['contents', 1],
  ['a list of tags', 2],
] as const;

describe('registry/hostile-content', () => {
  for (const [operation, column] of operations) {
    for (const [title, intercept, ...codes] of bodies) {
      const expected = codes[column] ?? '';
      it(`${operation} of ${title}: ${expected}, in time, in little memory, and the next call works`, async (t) => {
        const { fake, call } = await start(t, column);
        fake.switches.intercept = (request, response) => request.method === 'GET' && intercept(request, response);
        const before = process.memoryUsage().rss;
        const started = performance.now();
        assert.equal(await outcomeOf(call), expected);
        assert.ok(performance.now() - started < 3_000, 'it took too long');
        const growth = process.memoryUsage().rss - before;
        assert.ok(growth < maximumGrowth, `${Math.round(growth / 1024 / 1024)} MiB more`);
        assert.ok(fake.requests.length <= 4, `${fake.requests.length} requests`);
        fake.switches.intercept = undefined;
        assert.ok(['a digest', 'contents', 'a list'].includes(await outcomeOf(call)));
      });
    }
  }

  const lies: readonly (readonly [string, string, string])[] = [
    // title, header, what a look at the tag gives
    ['another digest', `=sha256:${'e'.repeat(64)}`, 'the header'],
    ['a digest of another kind', `=md5:${'e'.repeat(32)}`, 'the hash'],
    ['a path', '=../../etc/passwd', 'the hash'],
    ['a list of digests', `=sha256:${'e'.repeat(64)}, sha256:${'f'.repeat(64)}`, 'the hash'],
  ];
  for (const [title, digestHeader, truth] of lies) {
    it(`a header that names ${title}: by HEAD ${truth}, by GET the hash, and contents are those of the digest`, async (t) => {
      const { fake, resolve, contents } = await setUpRegistry(t);
      const digest = fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, { digestHeader });
      const byHead = await resolve('1.0.0');
      assert.equal(byHead, truth === 'the hash' ? digest : digestHeader.slice(1));
      // Nothing is behind a digest that is a lie.
      if (byHead !== digest) await assert.rejects(contents(byHead), { code: 'NotFound' });
      assert.equal((await contents(digest)).digest, digest);
      fake.switches.head = 405;
      const other = await setUpRegistry(t);
      const own = other.fake.push('acme/app', '1.0.0');
      Object.assign(other.fake.switches, { digestHeader, head: 405 });
      assert.equal(await other.resolve('1.0.0'), own);
    });
  }

  it('indexes in indexes in indexes: Protocol after three requests', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    let digest = fake.push('acme/app', '1.0.0');
    for (let depth = 0; depth < 50; depth++) {
      digest = fake.store('acme/app', { mediaType: indexType, manifests: [{ mediaType: indexType, digest }] });
    }
    await assert.rejects(contents(digest), { code: 'Protocol', message: /nested/ });
    assert.equal(fake.requests.length, 3);
  });

  it('an index that the registry says lists itself: no request after the first', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const digest = sha256('itself');
    fake.store('acme/app', { mediaType: indexType, manifests: [{ mediaType: indexType, digest }] }, { digest });
    await assert.rejects(contents(digest), { code: 'DigestMismatch' });
    assert.equal(fake.requests.length, 1);
  });

  it('5000 entries, in one index or below 50 others: Protocol, few requests', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const many = Array.from({ length: 5_000 }, (_, index) => ({ mediaType: imageType, digest: sha256(String(index)) }));
    await assert.rejects(contents(fake.store('acme/app', { mediaType: indexType, manifests: many })), { code: 'Protocol' });
    const inner = Array.from({ length: 50 }, (_, index) => ({
      mediaType: indexType,
      digest: fake.store('acme/app', { mediaType: indexType, manifests: many.slice(index * 100, index * 100 + 100) }),
    }));
    await assert.rejects(contents(fake.store('acme/app', { mediaType: indexType, manifests: inner })), { code: 'Protocol' });
    assert.ok(fake.requests.length <= 5, String(fake.requests.length));
  });

  it('a page of 16 MiB with one tag is no list of that tag', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    fake.push('acme/app', 'x');
    fake.switches.tagsBody = JSON.stringify({ tags: ['x'.repeat(16 * 1024 * 1024 - 100)] });
    assert.deepEqual(await tags(), { tags: [], truncated: false });
    fake.switches.tagsBody = JSON.stringify({ tags: ['ok'], more: 'x'.repeat(16 * 1024 * 1024) });
    assert.deepEqual(await tags(), { tags: [], truncated: true });
  });

  it('100,000 tags in 100 pages are all there, in seconds, and the loop of events turns on', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    const names = Array.from({ length: 100_000 }, (_, index) => `v1.${Math.floor(index / 1_000)}.${index % 1_000}`);
    fake.push('acme/app', 'x');
    fake.switches.intercept = ({ url }, response) => {
      const page = Number(new URL(url, fake.origin).searchParams.get('last') ?? 0);
      const link = page < 99 ? { link: `</v2/acme/app/tags/list?n=1000&last=${page + 1}>; rel="next"` } : {};
      return Boolean(response.writeHead(200, link).end(JSON.stringify({ tags: names.slice(page * 1_000, page * 1_000 + 1_000) })));
    };
    const before = process.memoryUsage().rss;
    const pause = longestPause();
    const started = performance.now();
    const list = await tags();
    assert.deepEqual([list.tags.length, list.truncated, new Set(list.tags).size], [100_000, false, 100_000]);
    t.diagnostic(
      `${Math.round(performance.now() - started)} ms, ${Math.round((process.memoryUsage().rss - before) / 1024 / 1024)} MiB more`,
    );
    assert.ok(performance.now() - started < 30_000);
    assert.ok(pause.end() < 1_000);
    // The last page is full: what is behind it was asked for too.
    assert.equal(fake.requests.length, 101);
  });

  it('a list that shrinks and recovers is told as it is: no list is made up from an older one', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    for (let patch = 0; patch < 10; patch++) fake.push('acme/app', `1.0.${patch}`);
    fake.switches.tagsValidator = 'etag';
    const lengths: number[] = [];
    for (const tagsBody of [undefined, '{"tags":["1.0.0"]}', '{"tags":null}', undefined]) {
      fake.switches.tagsBody = tagsBody;
      lengths.push((await tags()).tags.length);
    }
    assert.deepEqual(lengths, [10, 1, 0, 10]);
  });

  it('line breaks of others reach neither sentences nor the log', async (t) => {
    const { fake, registry, repository, contents, resolve, logged, signal } = await setUpRegistry(t);
    const evil = 'x\r\n{"level":"info"}\u0007\u001b[31m';
    const mediaType = `application/${evil}`;
    const digest = fake.store('acme/app', { mediaType, artifactType: evil }, { tag: '1.0.0', mediaType: imageType });
    const errors = [
      contents(digest),
      resolve('1.0.0'),
      contents(fake.store('acme/app', { mediaType: indexType, manifests: [{ mediaType: evil, digest: evil }] })),
      registry.referrers(repository(), digest, registry.credentials(repository(), []), signal, evil),
    ];
    fake.switches.head = 405;
    for (const result of await Promise.allSettled(errors)) {
      if (result.status === 'rejected') assert.doesNotMatch(String(result.reason), /\p{Cc}(?!\s*at )/u);
    }
    assert.ok(!['\r', '\u001b'].some((character) => logged.join('').includes(character)));
  });

  it('two values of one member are no two images', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const [first, second] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`);
    const body = `{"mediaType":"${imageType}","config":{"digest":"${first}"},"config":{"digest":"${second}"}}`;
    assert.equal((await contents(fake.store('acme/app', body))).config, second);
  });

  it('no text of a registry makes a call throw anything but what was agreed', async (t) => {
    const { fake, resolve, contents, tags } = await setUpRegistry(t, { limits: { timeouts } });
    const digest = fake.push('acme/app', '1.0.0');
    const word = fc.oneof(
      fc.constantFrom(indexType, imageType, digest, 'text/html', '"x"', '<a>; rel="next"', '</b?last=c>; rel=next'),
      fc.string(),
    );
    const header = word.map((value) => value.replaceAll(/[^\t\x20-\x7e]/g, ''));
    const member = fc.constantFrom('mediaType', 'manifests', 'config', 'layers', 'tags', 'schemaVersion', 'artifactType', 'errors');
    const body = fc.oneof(
      fc.string(),
      fc.dictionary(member, fc.oneof(fc.jsonValue(), word)).map((value) => JSON.stringify(value)),
    );
    const answer = fc.record({
      status: fc.constantFrom(200, 200, 200, 204, 206, 304, 400, 404, 405, 410, 418),
      type: header,
      digestHeader: header,
      link: header,
      body,
    });
    const property = fc.asyncProperty(answer, async ({ status, type, digestHeader, link, body: bytes }) => {
      fake.requests.length = 0;
      fake.switches.intercept = ({ method }, response) => {
        response.writeHead(status, { 'content-type': type, 'docker-content-digest': digestHeader, link });
        return Boolean(response.end(method === 'HEAD' || status === 204 || status === 304 ? undefined : bytes));
      };
      for (const call of [() => resolve('1.0.0'), () => contents(digest), () => tags()]) {
        await call().catch((error: unknown) => assert.ok(error instanceof RegistryError, String(error)));
      }
      assert.ok(fake.requests.length < 40);
    });
    await fc.assert(property, { numRuns: 200, interruptAfterTimeLimit: 4_000, markInterruptAsFailure: false });
  });
});

/** A registry with one tag, and one way to call it that can be repeated. */
async function start(t: TestContext, column: number) {
  const { fake, resolve, contents, tags } = await setUpRegistry(t, { limits: { timeouts, listing: { pageBytes: 8 * 1024 * 1024 } } });
  const digest = fake.push('acme/app', '1.0.0');
  fake.switches.head = column === 0 ? 405 : 'works';
  const login = [aLogin(fake.host, 'bot', 'canary')];
  const call = async (): Promise<string> => {
    if (column === 0) return (await resolve('1.0.0', login)) === '' ? 'nothing' : 'a digest';
    if (column === 1) return (await contents(digest, login)).digest === digest ? 'contents' : 'other contents';
    return (await tags(login)).truncated ? 'truncated' : 'a list';
  };
  return { fake, call };
}

async function outcomeOf(call: () => Promise<string>): Promise<string> {
  try {
    return await call();
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
}

function text(body: string | Buffer, type = 'application/json'): Intercept {
  return (_, response) => Boolean(response.writeHead(200, { 'content-type': type }).end(body));
}

function encoded(encoding: string, body: Buffer): Intercept {
  return (_, response) => Boolean(response.writeHead(200, { 'content-encoding': encoding }).end(body));
}

/** How long the loop of events stood still at most. */
function longestPause(): { end(): number } {
  let [longest, last] = [0, performance.now()];
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  return {
    end() {
      clearInterval(timer);
      return Math.max(longest, performance.now() - last);
    },
  };
}
