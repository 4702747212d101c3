import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { sha256 } from '../../test/fakes/registry-content.ts';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('config'), size: 6 };
const amd64 = { os: 'linux', architecture: 'amd64' };

/** An image manifest; other `salt`, other digest. */
function anImage(salt: string, overrides: object = {}): object {
  return { schemaVersion: 2, mediaType: imageType, config, layers: [], annotations: { salt }, ...overrides };
}

function anIndex(...manifests: object[]): object {
  return { schemaVersion: 2, mediaType: indexType, manifests };
}

describe('registry/contents', () => {
  it('gives the images of an index with their platforms', async (t) => {
    const { fake, contents, seen } = await setUpRegistry(t);
    const image = { mediaType: imageType, digest: sha256('arm'), size: 5, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } };
    const attestation = { mediaType: imageType, digest: sha256('att'), size: 5, platform: { os: 'unknown', architecture: 'unknown' } };
    const digest = fake.store('acme/app', anIndex(image, attestation));
    const images = [{ digest: image.digest, os: 'linux', architecture: 'arm', variant: 'v7' }];
    assert.deepEqual(await contents(digest), { digest, kind: 'index', images, config: undefined });
    assert.deepEqual(seen(), [`GET /v2/acme/app/manifests/${digest}`]);
  });

  it('gives an image with the digest of its configuration', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const digest = fake.store('acme/app', anImage('a'));
    const itself = { digest, os: undefined, architecture: undefined, variant: undefined };
    assert.deepEqual(await contents(digest), { digest, kind: 'image', images: [itself], config: config.digest });
  });

  const others = [
    ['a chart', anImage('a', { config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } })],
    ['a list of signatures', { ...anIndex(), artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json' }],
    ['an SBOM', anImage('a', { artifactType: 'application/spdx+json' })],
  ] as const;
  for (const [title, manifest] of others) {
    it(`${title} runs nowhere`, async (t) => {
      const { fake, contents } = await setUpRegistry(t);
      const digest = fake.store('acme/app', manifest);
      assert.deepEqual(await contents(digest), { digest, kind: 'other', images: [], config: undefined });
    });
  }

  it('goes into nested indexes', async (t) => {
    const { fake, contents, seen } = await setUpRegistry(t);
    const inner = anIndex({ mediaType: imageType, digest: sha256('x'), size: 5, platform: amd64 });
    const size = JSON.stringify(inner).length;
    const innerDigest = fake.store('acme/app', inner);
    const digest = fake.store('acme/app', anIndex({ mediaType: indexType, digest: innerDigest, size }));
    assert.deepEqual((await contents(digest)).images, [{ digest: sha256('x'), ...amd64, variant: undefined }]);
    assert.deepEqual(seen(), [`GET /v2/acme/app/manifests/${digest}`, `GET /v2/acme/app/manifests/${innerDigest}`]);
  });

  it('asks for all four kinds, uncompressed', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    await contents(fake.store('acme/app', anImage('a')));
    const { headers } = fake.requests[0]!;
    assert.deepEqual([headers['accept']!.split(', ').length, headers['accept-encoding']], [4, 'identity']);
  });

  it('fetches once for all, and never again', async (t) => {
    const { fake, contents, seen, clock, counts } = await setUpRegistry(t);
    const digest = fake.store('acme/app', anImage('a'));
    await Promise.all(Array.from({ length: 20 }, () => contents(digest)));
    clock.ms += 365 * 24 * 3_600_000;
    await contents(digest);
    assert.equal(seen().length, 1);
    assert.equal(counts.get('registry_cache_hits_total cache=contents'), 20);
    assert.equal(counts.get('registry_requests_total operation=contents result=ok'), 1);
  });

  it('shares nothing between credentials', async (t) => {
    const { fake, contents, seen } = await setUpRegistry(t);
    const digest = fake.store('acme/app', anImage('a'));
    await contents(digest, [aLogin(fake.host, 'a', 'x')]);
    Object.assign(fake.switches, { auth: 'basic', users: { a: 'x' } });
    await assert.rejects(contents(digest, [aLogin(fake.host, 'b', 'x')]), { code: 'Unauthorized' });
    assert.ok(seen().length > 1);
  });

  it('forgets the oldest when the limit on memory is reached', async (t) => {
    const { fake, contents, seen } = await setUpRegistry(t, { limits: { contentsBytes: 3_000 } });
    const digests = ['a', 'b', 'c', 'd', 'e', 'f'].map((salt) => fake.store('acme/app', anImage(salt)));
    for (const digest of digests) await contents(digest);
    seen();
    await contents(digests.at(-1)!);
    assert.equal(seen().length, 0);
    await contents(digests[0]!);
    assert.equal(seen().length, 1);
  });

  it('reads compressed manifests and those of another hash', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    fake.switches.gzip = true;
    const body = JSON.stringify(anImage('a'));
    const digest = `sha512:${createHash('sha512').update(body).digest('hex')}`;
    fake.store('acme/app', body, { digest, mediaType: imageType });
    assert.equal((await contents(digest)).kind, 'image');
  });

  it('says NotFound when the registry no longer has it, and asks again the next time', async (t) => {
    const { fake, contents, seen } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    const digest = sha256(JSON.stringify(anImage('a')));
    await assert.rejects(contents(digest), { code: 'NotFound', operation: 'contents', httpStatus: 404 });
    fake.store('acme/app', anImage('a'));
    assert.equal((await contents(digest)).digest, digest);
    assert.equal(seen().length, 2);
  });

  it('asks nobody for what is no digest', async (t) => {
    const { contents, seen } = await setUpRegistry(t);
    for (const digest of ['', 'latest', '../x', `md5:${'a'.repeat(32)}`]) await assert.rejects(contents(digest), { code: 'Protocol' });
    assert.deepEqual(seen(), []);
  });

  it('a registry that is led elsewhere gets no credentials there', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const other = await startFakeRegistry();
    t.after(() => other.close());
    const digest = other.store('acme/app', anImage('a'));
    fake.switches.intercept = ({ url }, response) => Boolean(response.writeHead(307, { location: `${other.origin}${url}` }).end());
    assert.equal((await contents(digest, [aLogin(fake.host, 'bot', 'canary')])).digest, digest);
    assert.equal(other.requests[0]!.headers['authorization'], undefined);
  });

  const nested = (size: number) => anIndex({ mediaType: indexType, digest: sha256(JSON.stringify(anIndex())), size });
  const bad: readonly (readonly [string, object | string, object, string])[] = [
    // title, manifest, how it is stored, code
    ['another object', anImage('a'), { digest: sha256('else') }, 'DigestMismatch'],
    [
      'an index that is said to list itself',
      anIndex({ mediaType: indexType, digest: sha256('itself') }),
      { digest: sha256('itself') },
      'DigestMismatch',
    ],
    ['schema 1', { schemaVersion: 1, name: 'acme/app' }, {}, 'Unsupported'],
    ['an unknown kind', { mediaType: 'application/vnd.acme+json' }, { mediaType: imageType }, 'Unsupported'],
    ['the type of another kind', anImage('a'), { mediaType: indexType }, 'Protocol'],
    ['index and image at once', { ...anIndex(), config }, {}, 'Protocol'],
    ['a page for people', '<html></html>', {}, 'Protocol'],
    ['an image without a configuration', anImage('a', { config: undefined }), {}, 'Protocol'],
    ['an index without a list', { mediaType: indexType }, {}, 'Protocol'],
    ['5000 entries', anIndex(...Array.from({ length: 5_000 }, () => ({ mediaType: imageType, digest: sha256('x') }))), {}, 'Protocol'],
    ['a nested index that is not there', nested(1), {}, 'Protocol'],
    ['more than 4 MiB', anImage('x'.repeat(4 * 1024 * 1024)), {}, 'TooLarge'],
  ];
  for (const [title, manifest, how, code] of bad) {
    it(`calls ${title} ${code}`, async (t) => {
      const { fake, contents } = await setUpRegistry(t);
      const digest = fake.store('acme/app', manifest, how);
      await assert.rejects(contents(digest), { code, name: 'RegistryError' });
    });
  }

  it('a nested index of another length, or that is none, is Protocol', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    fake.store('acme/app', anIndex());
    await assert.rejects(contents(fake.store('acme/app', nested(1))), { code: 'Protocol', message: /another length/ });
    const image = fake.store('acme/app', anImage('a'));
    await assert.rejects(contents(fake.store('acme/app', anIndex({ mediaType: indexType, digest: image }))), { code: 'Protocol' });
  });

  it('an empty answer is Protocol', async (t) => {
    const { fake, contents } = await setUpRegistry(t);
    const digest = fake.store('acme/app', anImage('a'));
    fake.switches.manifestBody = '';
    await assert.rejects(contents(digest), { code: 'Protocol' });
  });

  it('gives up on nested indexes that take for ever', async (t) => {
    const { fake, contents } = await setUpRegistry(t, { limits: { contentsMs: 200 } });
    const inner = fake.store('acme/app', anIndex());
    const digest = fake.store('acme/app', anIndex({ mediaType: indexType, digest: inner }));
    fake.switches.intercept = ({ url }) => url.endsWith(inner);
    await assert.rejects(contents(digest), { code: 'Timeout' });
  });

  it('ends with the reason of the signal, also when it is kept', async (t) => {
    const { fake, contents, registry, repository } = await setUpRegistry(t);
    const digest = fake.store('acme/app', anImage('a'));
    await contents(digest);
    const set = registry.credentials(repository(), []);
    await assert.rejects(registry.contents(repository(), digest, set, AbortSignal.abort(new Error('enough'))), /enough/);
  });
});
