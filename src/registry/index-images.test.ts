import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { collectImages, type IndexContent } from './index-images.ts';

const imageType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';

function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

function anEntry(letter: string, overrides: object = {}): object {
  return { mediaType: imageType, digest: digestOf(letter), size: 1, platform: { os: 'linux', architecture: 'amd64' }, ...overrides };
}

/** Walks the index `a`; the others are found by their letter. */
async function walk(indexes: Readonly<Record<string, readonly unknown[]>>) {
  const fetched: string[] = [];
  const root: IndexContent = { digest: digestOf('a'), content: { manifests: indexes['a'] } };
  const found = await collectImages(root, async ({ digest }) => {
    const letter = digest.charAt(7);
    fetched.push(letter);
    return { manifests: indexes[letter] };
  });
  return { found: 'broken' in found ? found.broken : found.map((image) => image.digest.charAt(7)).join(''), fetched: fetched.join('') };
}

const index = { mediaType: indexType, platform: undefined };

const rows: readonly (readonly [string, Readonly<Record<string, readonly unknown[]>>, string | RegExp, string])[] = [
  // title, indexes, images, indexes fetched
  ['nothing', { a: [] }, '', ''],
  ['two platforms', { a: [anEntry('1'), anEntry('2')] }, '12', ''],
  ['an entry of Docker', { a: [anEntry('1', { mediaType: 'application/vnd.docker.distribution.manifest.v2+json' })] }, '1', ''],
  ['an entry without a type', { a: [anEntry('1', { mediaType: undefined })] }, '1', ''],
  ['an entry without a platform', { a: [anEntry('1', { platform: undefined })] }, '1', ''],
  [
    'an attestation by its platform',
    { a: [anEntry('1'), anEntry('2', { platform: { os: 'unknown', architecture: 'unknown' } })] },
    '1',
    '',
  ],
  ['an unknown architecture', { a: [anEntry('1', { platform: { os: 'linux', architecture: 'unknown' } })] }, '', ''],
  [
    'an attestation by its annotation',
    { a: [anEntry('1', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } })] },
    '',
    '',
  ],
  ['an artifact', { a: [anEntry('1', { artifactType: 'application/spdx+json' })] }, '', ''],
  ['something of another type', { a: [anEntry('1', { mediaType: 'application/vnd.acme.thing' }), anEntry('2')] }, '2', ''],
  ['schema 1', { a: [anEntry('1', { mediaType: 'application/vnd.docker.distribution.manifest.v1+json' })] }, '', ''],
  ['one image for two platforms', { a: [anEntry('1'), anEntry('1', { platform: { os: 'linux', architecture: 'arm64' } })] }, '11', ''],
  ['a nested index', { a: [anEntry('b', index), anEntry('1')], b: [anEntry('2')] }, '21', 'b'],
  ['a nested list of artifacts', { a: [anEntry('b', { ...index, artifactType: 'x' })] }, '', ''],
  ['three levels', { a: [anEntry('b', index)], b: [anEntry('c', index)], c: [anEntry('1')] }, '1', 'bc'],
  ['four levels', { a: [anEntry('b', index)], b: [anEntry('c', index)], c: [anEntry('d', index)], d: [] }, /more than 3 deep/, 'bc'],
  ['itself', { a: [anEntry('a', index)] }, /lists itself/, ''],
  ['a loop of two', { a: [anEntry('b', index)], b: [anEntry('a', index)] }, /lists itself/, 'b'],
  ['200 entries', { a: Array.from({ length: 200 }, () => anEntry('1')) }, '1'.repeat(200), ''],
  ['201 entries', { a: Array.from({ length: 201 }, () => anEntry('1')) }, /more than 200 entries/, ''],
  ['201 entries in two', { a: [anEntry('b', index)], b: Array.from({ length: 200 }, () => anEntry('1')) }, /more than 200 entries/, 'b'],
  ['5000 entries of no use', { a: Array.from({ length: 5_000 }, () => ({})) }, /more than 200 entries/, ''],
  ['no list', { a: undefined as never }, /without a list/, ''],
  ['an entry that is text', { a: ['x'] }, /no usable digest/, ''],
  ['an entry without a digest', { a: [{ mediaType: imageType }] }, /no usable digest/, ''],
  ['a digest of MD5', { a: [{ mediaType: imageType, digest: `md5:${'a'.repeat(32)}` }] }, /no usable digest/, ''],
  ['a digest with a path', { a: [{ mediaType: indexType, digest: '../../x' }] }, /no usable digest/, ''],
];

describe('registry/index-images', () => {
  for (const [title, indexes, images, fetched] of rows) {
    it(`an index of ${title} gives ${images}`, async () => {
      const outcome = await walk(indexes);
      if (typeof images === 'string') assert.equal(outcome.found, images);
      else assert.match(outcome.found, images);
      assert.equal(outcome.fetched, fetched);
    });
  }

  const platforms = [
    // platform as listed, as read
    [{ os: 'linux', architecture: 'arm', variant: 'v7' }, ['linux', 'arm', 'v7']],
    [{ os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1' }, ['windows', 'amd64', undefined]],
    [{ os: 5, architecture: ['x'], variant: null }, [undefined, undefined, undefined]],
    [{ os: 'li\r\nnux', architecture: 'x'.repeat(65), variant: '' }, [undefined, undefined, undefined]],
    ['linux', [undefined, undefined, undefined]],
  ] as const;
  for (const [platform, expected] of platforms) {
    it(`reads the platform ${JSON.stringify(platform)}`, async () => {
      const content = { manifests: [anEntry('1', { platform })] };
      const found = await collectImages({ digest: digestOf('a'), content }, () => Promise.reject(new Error('not asked for')));
      assert.ok(!('broken' in found));
      assert.deepEqual(
        found.map(({ os, architecture, variant }) => [os, architecture, variant]),
        [expected],
      );
    });
  }

  it('a nested image without a platform has that of its index', async () => {
    const content = { manifests: [anEntry('b', { mediaType: indexType })] };
    const found = await collectImages({ digest: digestOf('a'), content }, async () => ({
      manifests: [anEntry('1', { platform: undefined })],
    }));
    assert.deepEqual(found, [{ digest: digestOf('1'), os: 'linux', architecture: 'amd64', variant: undefined }]);
  });

  it('answers for every list, with few fetches', async () => {
    const entry = fc.record(
      { mediaType: fc.constantFrom(imageType, indexType, 'x'), digest: fc.constantFrom(...'abcdef1'.split('').map(digestOf)) },
      { requiredKeys: [] },
    );
    const indexes = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      fc.array(fc.oneof(entry, fc.jsonValue()), { maxLength: 6 }),
    );
    const property = fc.asyncProperty(indexes, async (lists) => {
      assert.ok((await walk(lists)).fetched.length <= 6);
    });
    await fc.assert(property, { interruptAfterTimeLimit: 2_000, markInterruptAsFailure: false });
  });
});
