import { createHash } from 'node:crypto';
import type { TestImage } from '../cluster/test-image.ts';

/** An index that takes each platform from one of the images. */
export function joinImages(parts: Readonly<Record<string, TestImage>>): TestImage {
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const manifests = Object.entries(parts).map(([platform, image]) => {
    const { digest, text, mediaType } = image.manifests[platform]!;
    const [os, architecture] = platform.split('/');
    return { mediaType, digest, size: Buffer.byteLength(text), platform: { os, architecture } };
  });
  const text = JSON.stringify({ schemaVersion: 2, mediaType, manifests });
  const top = { mediaType, text, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
  const images = Object.values(parts);
  return {
    digest: top.digest,
    top,
    configs: images.flatMap(({ configs }) => configs),
    manifests: Object.assign({}, ...images.map((image) => image.manifests)),
  };
}
