import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readImage } from './image-kind.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' };
const signature = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' };

const rows = [
  // title, manifest, kind
  ['an image of OCI', { config: { mediaType: ociConfig, digest }, layers: [layer] }, 'image'],
  ['an image of Docker', { config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest } }, 'image'],
  ['an image without layers', { config: { mediaType: ociConfig, digest }, layers: [] }, 'image'],
  ['an image of an old builder', { config: { mediaType: 'application/octet-stream', digest } }, 'image'],
  ['an image without a type', { config: { digest } }, 'image'],
  [
    'an image with encrypted layers',
    { config: { mediaType: ociConfig, digest }, layers: [{ mediaType: `${layer.mediaType}+encrypted` }] },
    'image',
  ],
  ['an image with a signature among its layers', { config: { mediaType: ociConfig, digest }, layers: [layer, signature] }, 'image'],
  ['a chart', { config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest } }, 'chart'],
  ['a signature', { config: { mediaType: ociConfig, digest }, layers: [signature] }, 'other'],
  ['an attestation', { config: { mediaType: ociConfig, digest }, layers: [{ mediaType: 'application/vnd.in-toto+json' }] }, 'other'],
  ['an artifact', { artifactType: 'application/spdx+json', config: { mediaType: ociConfig, digest } }, 'other'],
  ['an artifact by its configuration', { config: { mediaType: 'application/vnd.oci.empty.v1+json', digest } }, 'other'],
  ['no configuration', { layers: [] }, undefined],
  ['a configuration without a digest', { config: {} }, undefined],
  ['a configuration with a digest that is none', { config: { digest: 'sha256:abc' } }, undefined],
  ['a configuration that is a list', { config: [digest] }, undefined],
] as const;

describe('registry/image-kind', () => {
  for (const [title, content, kind] of rows) {
    it(`${title} is ${kind ?? 'nothing'}`, () => {
      assert.deepEqual(readImage(content), kind && { kind, config: digest });
    });
  }

  it('answers for every object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('config', 'layers', 'artifactType'), fc.jsonValue()), (content) => void readImage(content)),
    );
  });
});
