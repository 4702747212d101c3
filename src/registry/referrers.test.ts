import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { sha256 } from '../../test/fakes/registry-content.ts';
import { aLogin, setUpRegistry, type SetupOptions } from '../../test/fakes/registry-setup.ts';

const indexType = 'application/vnd.oci.image.index.v1+json';
const imageType = 'application/vnd.oci.image.manifest.v1+json';
const bundle = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const sbom = 'application/spdx+json';

async function setUp(t: TestContext, options?: SetupOptions) {
  const setup = await setUpRegistry(t, options);
  const { fake, registry, repository, signal } = setup;
  const digest = fake.push('acme/app', '1.0.0');
  const tag = `sha256-${digest.slice('sha256:'.length)}`;
  /** Puts something there that points to the image, as the API of referrers finds it. */
  function attach(artifactType: string, salt = ''): string {
    const annotations = { 'org.opencontainers.image.created': `2026-01-01${salt}` };
    return fake.store('acme/app', { subject: { digest }, mediaType: imageType, artifactType, config: {}, annotations });
  }
  async function referrers(artifactType?: string, of = digest) {
    return await registry.referrers(repository(), of, registry.credentials(repository(), []), signal, artifactType);
  }
  async function digests(artifactType?: string): Promise<readonly string[]> {
    return (await referrers(artifactType)).referrers.map((referrer) => referrer.digest);
  }
  return { ...setup, digest, tag, attach, referrers, digests };
}

describe('registry/referrers', () => {
  it('lists what points to an image', async (t) => {
    const { attach, referrers, seen, digest } = await setUp(t);
    const signature = attach(bundle);
    const { referrers: list, truncated } = await referrers();
    assert.equal(truncated, false);
    assert.deepEqual(
      list.map(({ size, ...rest }) => [rest, typeof size]),
      [
        [
          {
            digest: signature,
            mediaType: imageType,
            artifactType: bundle,
            annotations: { 'org.opencontainers.image.created': '2026-01-01' },
          },
          'number',
        ],
      ],
    );
    assert.deepEqual(seen(), [`GET /v2/acme/app/referrers/${digest}`]);
  });

  for (const mode of ['served', 'filtered'] as const) {
    it(`lists one kind where the API is ${mode}`, async (t) => {
      const { fake, attach, digests, seen, digest } = await setUp(t);
      attach(sbom);
      const signature = attach(bundle);
      fake.switches.referrers = mode;
      assert.deepEqual(await digests(bundle), [signature]);
      assert.deepEqual(seen(), [`GET /v2/acme/app/referrers/${digest}?artifactType=${encodeURIComponent(bundle)}`]);
    });
  }

  it('follows its pages', async (t) => {
    const { attach, digests, seen } = await setUp(t);
    const all = Array.from({ length: 25 }, (_, index) => attach(bundle, String(index)));
    assert.deepEqual([...(await digests(bundle))].sort(), all.sort());
    assert.equal(seen().length, 3);
  });

  it('is an empty list when there is none', async (t) => {
    const { referrers } = await setUp(t);
    assert.deepEqual(await referrers(), { referrers: [], truncated: false });
  });

  for (const mode of ['absent', 'page'] as const) {
    it(`looks at the tag that stands in for the API (${mode})`, async (t) => {
      const { fake, tag, referrers, digests, seen, digest } = await setUp(t);
      fake.switches.referrers = mode;
      assert.deepEqual(await referrers(), { referrers: [], truncated: false });
      assert.deepEqual(seen(), [`GET /v2/acme/app/referrers/${digest}`, `GET /v2/acme/app/manifests/${tag}`]);
      const manifests = [bundle, sbom].map((artifactType) => ({
        mediaType: imageType,
        digest: sha256(artifactType),
        size: 5,
        artifactType,
      }));
      fake.store('acme/app', { schemaVersion: 2, mediaType: indexType, manifests }, { tag });
      assert.deepEqual(await digests(), [sha256(bundle), sha256(sbom)]);
      assert.deepEqual(await digests(sbom), [sha256(sbom)]);
    });
  }

  for (const status of [400, 404, 405, 406]) {
    it(`takes ${status} for a registry that does not know the question`, async (t) => {
      const { fake, referrers } = await setUp(t);
      fake.switches.failures.push({ status });
      assert.deepEqual(await referrers(), { referrers: [], truncated: false });
    });
  }

  it('cuts the tag of a longer digest', async (t) => {
    const { fake, referrers, seen } = await setUp(t);
    fake.switches.referrers = 'absent';
    const hex = createHash('sha512').update('x').digest('hex');
    await referrers(undefined, `sha512:${hex}`);
    assert.deepEqual(seen().at(-1), `GET /v2/acme/app/manifests/sha512-${hex.slice(0, 64)}`);
  });

  it('finds them where an Artifactory keeps the repository', async (t) => {
    const { fake, registry, repository, signal } = await setUp(t);
    const digest = fake.push('key/team/app', '1.0.0');
    fake.store('key/team/app', { subject: { digest }, mediaType: imageType, artifactType: bundle, config: {} });
    Object.assign(fake.switches, { artifactory: true, repositoryPath: true });
    const ref = repository('key/team/app');
    assert.equal((await registry.referrers(ref, digest, registry.credentials(ref, []), signal)).referrers.length, 1);
  });

  it('asks once for all who want the same', async (t) => {
    const { referrers, seen } = await setUp(t);
    await Promise.all(Array.from({ length: 10 }, () => referrers(bundle)));
    assert.equal(seen().length, 2 - 1);
  });

  const limited = [
    // title, entries
    ['more than 500 in one page', Array.from({ length: 600 }, (_, index) => ({ digest: sha256(String(index)), mediaType: imageType }))],
  ] as const;
  for (const [title, manifests] of limited) {
    it(`marks a list of ${title} as truncated`, async (t) => {
      const { fake, tag, referrers } = await setUp(t);
      fake.store('acme/app', { mediaType: indexType, manifests }, { tag });
      for (const mode of ['absent', 'served'] as const) {
        fake.switches.referrers = mode;
        const body = JSON.stringify({ mediaType: indexType, manifests });
        fake.switches.intercept = ({ url }, response) =>
          mode === 'served' && url.includes('/referrers/') && Boolean(response.writeHead(200, { 'content-type': indexType }).end(body));
        const list = await referrers();
        assert.deepEqual([list.referrers.length, list.truncated], [500, true]);
      }
    });
  }

  it('marks pages without end as truncated', async (t) => {
    const { fake, referrers, seen } = await setUp(t);
    fake.switches.intercept = ({ url }, response) => {
      const link = `<${url.replace(/\?.*/, '')}?start=${Math.random()}>; rel="next"`;
      return Boolean(response.writeHead(200, { 'content-type': indexType, link }).end('{"manifests":[]}'));
    };
    assert.deepEqual(await referrers(), { referrers: [], truncated: true });
    assert.equal(seen().length, 10);
  });

  it('keeps little of long annotations, and nothing of what points nowhere', async (t) => {
    const { fake, referrers } = await setUp(t);
    const annotations = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`a${index}`, 'x'.repeat(4_000)]));
    const manifests = [
      { digest: sha256('x'), annotations: { ...annotations, number: 5 } },
      { digest: 'x' },
      'x',
      null,
      { digest: sha256('x') },
    ];
    fake.switches.intercept = (_, response) =>
      Boolean(response.writeHead(200, { 'content-type': indexType }).end(JSON.stringify({ manifests })));
    const { referrers: list } = await referrers();
    assert.equal(list.length, 1);
    assert.ok(JSON.stringify(list).length < 20_000);
  });

  const bad = [
    // title, headers, body, code
    [
      'a link to another host',
      { link: '<https://evil.example/v2/acme/app/referrers/x>; rel="next"' },
      '{"manifests":[]}',
      'PaginationOffHost',
    ],
    ['a body that is none', {}, '<html>', 'Protocol'],
    ['a list that is none', {}, '{"manifests":{}}', 'Protocol'],
    ['a manifest', {}, '{"config":{}}', 'Protocol'],
    ['4 MiB and more', {}, ' '.repeat(4 * 1024 * 1024 + 1), 'TooLarge'],
  ] as const;
  for (const [title, headers, body, code] of bad) {
    it(`calls ${title} ${code}`, async (t) => {
      const { fake, referrers } = await setUp(t);
      fake.switches.intercept = (_, response) => Boolean(response.writeHead(200, { 'content-type': indexType, ...headers }).end(body));
      await assert.rejects(referrers(), { code, operation: 'referrers' });
    });
  }

  it('is no empty list when a registry refuses, is in trouble, or is asked for what is no digest', async (t) => {
    const { fake, referrers, repository, registry, signal } = await setUp(t);
    await assert.rejects(referrers(undefined, 'latest'), { code: 'Protocol' });
    fake.switches.failures = Array.from({ length: 3 }, () => ({ status: 503 }));
    await assert.rejects(referrers(), { code: 'Unavailable' });
    Object.assign(fake.switches, { auth: 'basic', users: { bot: 'canary' } });
    await assert.rejects(referrers(), { code: 'Unauthorized' });
    const set = registry.credentials(repository(), [aLogin(fake.host, 'bot', 'canary')]);
    assert.deepEqual(await registry.referrers(repository(), sha256('x'), set, signal), { referrers: [], truncated: false });
  });
});
