import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalRepository, parseImageReference, withTagAndDigest } from './image-reference.ts';

const hex = 'a'.repeat(64);
const good = [
  // input, registry, repository, tag, digest, canonical
  ['nginx', 'docker.io', 'library/nginx', undefined, undefined, 'docker.io/library/nginx'],
  ['nginx:1.25', 'docker.io', 'library/nginx', '1.25', undefined, 'docker.io/library/nginx'],
  ['bitnami/redis:7', 'docker.io', 'bitnami/redis', '7', undefined, 'docker.io/bitnami/redis'],
  ['docker.io/nginx', 'docker.io', 'library/nginx', undefined, undefined, 'docker.io/library/nginx'],
  ['index.docker.io/library/nginx:1', 'docker.io', 'library/nginx', '1', undefined, 'docker.io/library/nginx'],
  ['registry-1.docker.io/library/nginx:1', 'registry-1.docker.io', 'library/nginx', '1', undefined, 'docker.io/library/nginx'],
  ['foo/bar/baz:1', 'docker.io', 'foo/bar/baz', '1', undefined, 'docker.io/foo/bar/baz'],
  ['localhost/app:1', 'localhost', 'app', '1', undefined, 'localhost/app'],
  ['localhost:5000/app', 'localhost:5000', 'app', undefined, undefined, 'localhost:5000/app'],
  ['registry:5000/app:2', 'registry:5000', 'app', '2', undefined, 'registry:5000/app'],
  ['app:5000', 'docker.io', 'library/app', '5000', undefined, 'docker.io/library/app'],
  ['example.com', 'docker.io', 'library/example.com', undefined, undefined, 'docker.io/library/example.com'],
  ['example.com/app:v1.2', 'example.com', 'app', 'v1.2', undefined, 'example.com/app'],
  ['example.com:443/app:v1.2', 'example.com:443', 'app', 'v1.2', undefined, 'example.com/app'],
  ['10.0.0.5/team/app:1', '10.0.0.5', 'team/app', '1', undefined, '10.0.0.5/team/app'],
  ['[::1]:5000/app:1', '[::1]:5000', 'app', '1', undefined, '[::1]:5000/app'],
  ['[fd00::1]/app', '[fd00::1]', 'app', undefined, undefined, '[fd00::1]/app'],
  [`ghcr.io/org/app@sha256:${hex}`, 'ghcr.io', 'org/app', undefined, `sha256:${hex}`, 'ghcr.io/org/app'],
  [`ghcr.io/org/app:1.2@sha256:${hex}`, 'ghcr.io', 'org/app', '1.2', `sha256:${hex}`, 'ghcr.io/org/app'],
  ['MYHOST/app:1', 'MYHOST', 'app', '1', undefined, 'myhost/app'],
  [
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1',
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
    'app',
    '1',
    undefined,
    '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app',
  ],
  [
    'europe-docker.pkg.dev/proj/repo/app:1',
    'europe-docker.pkg.dev',
    'proj/repo/app',
    '1',
    undefined,
    'europe-docker.pkg.dev/proj/repo/app',
  ],
  ['a__b/c.d/e---f:1', 'docker.io', 'a__b/c.d/e---f', '1', undefined, 'docker.io/a__b/c.d/e---f'],
] as const;

const bad = [
  '',
  'nginx:',
  'nginx:-x',
  'nginx@sha256:abc',
  'nginx@',
  'ghcr.io/Org/app',
  'https://ghcr.io/org/app',
  'oci://ghcr.io/org/chart',
  `nginx:${'t'.repeat(129)}`,
  `${'r'.repeat(256)}/x`,
  hex,
  'a//b',
  'ghcr.io/',
  '/app',
  'app:1:2',
  'a___b',
  `nginx@sha256:${'a'.repeat(63)}`,
  'nginx:1.2+build',
  'nginx ',
  '-host.io/app',
];

describe('core/image-reference', () => {
  for (const [input, registry, repository, tag, digest, canonical] of good) {
    it(`reads ${input.slice(0, 60)} as ${canonical}`, () => {
      const reference = parseImageReference(input);
      assert.ok(!('invalid' in reference));
      assert.deepEqual(
        {
          registry: reference.registry,
          repository: reference.repository,
          tag: reference.tag,
          digest: reference.digest,
          canonical: canonicalRepository(reference),
        },
        { registry, repository, tag, digest, canonical },
      );
    });
  }
  for (const input of bad) {
    it(`says in few words what is wrong with ${JSON.stringify(input.slice(0, 50))}, however long`, () => {
      for (const text of [input.repeat(10_000), input + '/x'.repeat(100_000), `x@${input.repeat(10_000)}`, `x:${input.repeat(10_000)}`]) {
        const read = parseImageReference(text);
        assert.ok(!('invalid' in read) || read.invalid.length < 600);
      }
    });
    it(`refuses ${JSON.stringify(input.slice(0, 50))}`, () => assert.ok('invalid' in parseImageReference(input)));
  }

  const spelling = [
    ['nginx:1.25', '1.26', undefined, 'nginx:1.26'],
    ['nginx', '1.26', undefined, 'nginx:1.26'],
    ['docker.io/nginx:1.25', '1.26', undefined, 'docker.io/nginx:1.26'],
    ['localhost:5000/app', '2', undefined, 'localhost:5000/app:2'],
    ['localhost:5000/app:1', '2', undefined, 'localhost:5000/app:2'],
    [`ghcr.io/o/a:1@sha256:${hex}`, '2', `sha256:${'b'.repeat(64)}`, `ghcr.io/o/a:2@sha256:${'b'.repeat(64)}`],
    [`ghcr.io/o/a@sha256:${hex}`, undefined, `sha256:${'b'.repeat(64)}`, `ghcr.io/o/a@sha256:${'b'.repeat(64)}`],
    ['[::1]:5000/app:1', '2', undefined, '[::1]:5000/app:2'],
  ] as const;
  for (const [input, tag, digest, expected] of spelling) {
    it(`T-05 writes ${input.slice(0, 30)} back as ${expected.slice(0, 40)}`, () => {
      const reference = parseImageReference(input);
      assert.ok(!('invalid' in reference));
      assert.equal(withTagAndDigest(reference, { tag, digest }), expected);
    });
  }

  it('never throws, and writing the same tag and digest back changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9.:/@_[\]-]{1,40}$/)), (text) => {
        const reference = parseImageReference(text);
        if (!('invalid' in reference)) assert.equal(withTagAndDigest(reference, { digest: reference.digest }), text);
      }),
      { seed: 1, numRuns: 5000 },
    );
  });
});
