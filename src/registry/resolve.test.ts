import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sha256 } from '../../test/fakes/registry-content.ts';
import type { RegistrySwitches } from '../../test/fakes/registry.ts';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const head = 'HEAD /v2/acme/app/manifests/1.0.0';
const get = 'GET /v2/acme/app/manifests/1.0.0';
const hex = 'a'.repeat(64);
const wrong = `sha256:${hex}`;

const works: readonly (readonly [string, Partial<RegistrySwitches>, readonly string[], readonly string[]])[] = [
  // title, switches, requests of the first call, of the second
  ['a digest header', {}, [head], [head]],
  ['a digest header on HEAD only', { digestHeader: 'head-only' }, [head], [head]],
  ['an ETag that is the digest', { digestHeader: 'missing', etag: 'digest' }, [head], [head]],
  ['the checksum of Artifactory', { digestHeader: 'missing', etag: 'sha1', artifactory: true }, [head], [head]],
  ['no digest at all', { digestHeader: 'missing', etag: 'sha1' }, [head, get], [get]],
  ['a digest header that is none', { digestHeader: '=sha256:abc' }, [head, get], [get]],
  ['HEAD refused with 405', { head: 405 }, [head, get], [get]],
  ['HEAD refused with 404', { head: 404 }, [head, get], [get]],
  ['HEAD refused with 400', { head: 400 }, [head, get], [get]],
  ['HEAD refused with 501', { head: 501 }, [head, get], [get]],
  ['compressed manifests', { digestHeader: 'missing', gzip: true }, [head, get], [get]],
  ['no content type', { head: 405, contentType: 'application/octet-stream' }, [head, get], [get]],
];

describe('registry/resolve', () => {
  for (const [title, switches, first, second] of works) {
    it(`finds the digest with ${title}`, async (t) => {
      const { fake, resolve, seen } = await setUpRegistry(t);
      const digest = fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, switches);
      assert.equal(await resolve('1.0.0'), digest);
      assert.deepEqual(seen(), first);
      assert.equal(await resolve('1.0.0'), digest);
      assert.deepEqual(seen(), second);
    });
  }

  it('a registry that speaks HTTPS where plain HTTP was asked for says 400: the message names the scheme', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.switches.intercept = (_, response) => {
      response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.');
      return true;
    };
    const message = /gave an unexpected answer \(HTTP 400\); it was asked by plain HTTP and may speak HTTPS/;
    await assert.rejects(resolve('1.0.0'), { code: 'Protocol', message });
  });

  it('asks for all four kinds of manifest, uncompressed, and says who it is', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    await resolve('1.0.0');
    const headers = fake.requests[0]!.headers;
    assert.equal(headers['accept']!.split(', ').length, 4);
    assert.deepEqual(
      [headers['accept-encoding'], headers['user-agent'], headers['authorization']],
      ['identity', 'headwind/test', undefined],
    );
  });

  const conditions = [
    // title, switches, method
    ['HEAD', {}, 'HEAD'],
    ['GET', { head: 405 }, 'GET'],
  ] as const;
  for (const [title, switches, method] of conditions) {
    it(`asks by ${title} only for another digest than the known one`, async (t) => {
      const { fake, resolve } = await setUpRegistry(t);
      const digest = fake.push('acme/app', 'latest');
      Object.assign(fake.switches, switches);
      for (let times = 0; times < 3; times++) assert.equal(await resolve('latest'), digest);
      const asked = fake.requests.filter((request) => request.method === method).map(({ headers }) => headers['if-none-match']);
      assert.deepEqual(asked, [undefined, `"${digest}"`, `"${digest}"`]);
      const moved = fake.push('acme/app', 'latest');
      assert.equal(await resolve('latest'), moved);
      assert.equal(await resolve('latest'), moved);
    });
  }

  it('knows no digest of other credentials, and believes in no "not modified" for more than a day', async (t) => {
    const { fake, resolve, clock } = await setUpRegistry(t);
    fake.push('acme/app', 'latest');
    const asked = async (user: string): Promise<boolean> => {
      await resolve('latest', [aLogin(fake.host, user, 'x')]);
      return fake.requests.at(-1)!.headers['if-none-match'] !== undefined;
    };
    assert.deepEqual([await asked('a'), await asked('a'), await asked('b')], [false, true, false]);
    clock.ms += 24 * 3_600_000;
    assert.deepEqual([await asked('a'), await asked('a')], [false, true]);
  });

  it('does not take "not modified" for an answer when nothing was known', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', 'latest');
    fake.switches.intercept = (_, response) => Boolean(response.writeHead(304).end());
    await assert.rejects(resolve('latest'), { code: 'Protocol' });
  });

  for (const status of [400, 412, 501]) {
    it(`asks without a condition where that is answered with ${status}, and remembers it`, async (t) => {
      const { fake, resolve, seen } = await setUpRegistry(t);
      const digest = fake.push('acme/app', 'latest');
      fake.switches.intercept = ({ headers }, response) =>
        headers['if-none-match'] !== undefined && Boolean(response.writeHead(status).end());
      for (let times = 0; times < 3; times++) assert.equal(await resolve('latest'), digest);
      const [plain, ...more] = seen().filter((request) => request.startsWith('HEAD'));
      assert.deepEqual([plain, more.length], ['HEAD /v2/acme/app/manifests/latest', 3]);
    });
  }

  it('a thousand workloads on twenty images are twenty HEADs per cycle', async (t) => {
    const { fake, resolve, seen, repository } = await setUpRegistry(t);
    const images = Array.from({ length: 20 }, (_, index) => `acme/app-${index}`);
    const digests = images.map((image) => fake.push(image, 'latest'));
    for (let cycle = 0; cycle < 3; cycle++) {
      const found = await Promise.all(Array.from({ length: 1_000 }, (_, index) => resolve('latest', [], repository(images[index % 20]))));
      assert.deepEqual(new Set(found), new Set(digests));
      assert.deepEqual(seen().sort(), images.map((image) => `HEAD /v2/${image}/manifests/latest`).sort());
    }
  });

  it('says once that a registry is asked by GET, and whenever it is asked how', async (t) => {
    const { fake, registry, resolve, logged } = await setUpRegistry(t);
    assert.equal(registry.manifestMethod(fake.host), undefined);
    fake.push('acme/app', '1.0.0');
    fake.switches.head = 405;
    await resolve('1.0.0');
    await resolve('1.0.0');
    assert.equal(logged.filter((line) => line.includes('fetched whole')).length, 1);
    assert.deepEqual(
      [fake.host, 'docker.io', 'not a host'].map((host) => registry.manifestMethod(host)),
      ['GET', 'HEAD', undefined],
    );
  });

  it('warns of a manifest that calls itself another kind than its header says', async (t) => {
    const { fake, resolve, logged } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    const contentType = 'application/vnd.oci.image.manifest.v1+json';
    fake.switches.intercept = ({ method }, response) => method === 'HEAD' && Boolean(response.writeHead(405).end());
    fake.switches.contentType = contentType;
    assert.equal(await resolve('1.0.0'), digest);
    assert.ok(logged.some((line) => line.includes('another kind')));
  });

  it('a missing tag of an Artifactory is missing: no GET', async (t) => {
    const { fake, resolve, seen, repository } = await setUpRegistry(t);
    fake.push('app', '1.0.0');
    fake.switches.artifactory = true;
    await assert.rejects(resolve('2.0.0', [], repository('app')), { code: 'NotFound' });
    assert.deepEqual(seen(), ['HEAD /v2/app/manifests/2.0.0']);
  });

  it('believes its own hash and not the header of a GET', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { head: 405, digestHeader: `=${wrong}` });
    assert.equal(await resolve('1.0.0'), digest);
  });

  it('tries HEAD again after a day', async (t) => {
    const { fake, resolve, seen, clock } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.head = 405;
    await resolve('1.0.0');
    fake.switches.head = 'works';
    clock.ms += 24 * 3_600_000;
    seen();
    await resolve('1.0.0');
    assert.deepEqual(seen(), [head]);
  });

  it('does not ask twice for a missing tag where HEAD is known to work', async (t) => {
    const { fake, resolve, seen } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    await resolve('1.0.0');
    seen();
    await assert.rejects(resolve('2.0.0'), { code: 'NotFound', httpStatus: 404 });
    assert.deepEqual(seen(), ['HEAD /v2/acme/app/manifests/2.0.0']);
  });

  const lies = [
    ['HEAD', {}],
    ['GET', { head: 405 }],
  ] as const;
  for (const [method, switches] of lies) {
    it(`refuses an object that is not the one asked for by digest (${method})`, async (t) => {
      const { fake, resolve } = await setUpRegistry(t);
      fake.push('acme/app', '1.0.0', wrong);
      Object.assign(fake.switches, switches, method === 'HEAD' ? { digestHeader: `=sha256:${'b'.repeat(64)}` } : {});
      await assert.rejects(resolve(wrong), { code: 'DigestMismatch' });
    });
  }

  it('checks a digest of another algorithm by its own hash', async (t) => {
    const { fake, resolve, seen } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    fake.switches.digestHeader = `=sha512:${hex}${hex}`;
    assert.equal(await resolve(digest), digest);
    assert.deepEqual(seen(), [`HEAD /v2/acme/app/manifests/${digest}`, `GET /v2/acme/app/manifests/${digest}`]);
  });

  const bad = [
    // title, switches, code
    ['schema 1', { contentType: 'application/vnd.docker.distribution.manifest.v1+prettyjws' }, 'Unsupported'],
    ['schema 1 by GET', { head: 405, contentType: 'application/json', manifestBody: '{"schemaVersion":1}' }, 'Unsupported'],
    ['a page for people', { contentType: 'text/html', manifestBody: '<html>' }, 'Protocol'],
    ['an empty answer', { head: 405, manifestBody: '' }, 'Protocol'],
    ['a depth bomb', { head: 405, manifestBody: '['.repeat(1_000_000) }, 'Protocol'],
    ['4 MiB and a byte', { head: 405, manifestBody: ' '.repeat(4 * 1024 * 1024 + 1) }, 'TooLarge'],
  ] as const;
  for (const [title, switches, code] of bad) {
    it(`calls ${title} ${code}`, async (t) => {
      const { fake, resolve } = await setUpRegistry(t);
      fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, switches);
      await assert.rejects(resolve('1.0.0'), { code, name: 'RegistryError' });
    });
  }

  it('hashes the bytes and not their meaning', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    const manifestBody = '{ "schemaVersion":2 ,"manifests":[] }\n';
    Object.assign(fake.switches, { head: 405, manifestBody });
    assert.equal(await resolve('1.0.0'), sha256(manifestBody));
  });
});
