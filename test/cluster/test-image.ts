import { createHash } from 'node:crypto';

export interface ImageOptions {
  /** The same repository and tag with another salt has another digest: a rebuilt image. */
  readonly salt?: string;
  /** Defaults to linux/amd64 and linux/arm64. */
  readonly platforms?: readonly string[];
  /** False: the tag names the manifest of the first platform itself. */
  readonly index?: boolean;
  /** Labels of the image's config, for example `{ 'testbed.behaviour': 'crash' }`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly text: string;
}

export interface TestImage {
  /** What the tag points to: the index, or the only manifest. */
  readonly digest: string;
  readonly top: Blob;
  readonly configs: readonly Blob[];
  /** By platform. */
  readonly manifests: Readonly<Record<string, Blob>>;
}

const types = {
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
} as const;
const defaultPlatforms = ['linux/amd64', 'linux/arm64'] as const;

/** An image without layers whose bytes depend on the arguments only, so that tests know each digest without asking. */
export function makeTestImage(repository: string, tag: string, options: ImageOptions = {}): TestImage {
  const { platforms = defaultPlatforms, index = true } = options;
  const parts = platforms.map((platform) => {
    const config = makeConfig(repository, tag, platform, options);
    return { platform, config, manifest: makeManifest(config) };
  });
  const first = parts[0];
  if (!first) throw new Error(`${repository}:${tag} needs at least one platform`);
  const top = index ? makeIndex(parts) : first.manifest;
  return {
    digest: top.digest,
    top,
    configs: parts.map(({ config }) => config),
    manifests: Object.fromEntries(parts.map(({ platform, manifest }) => [platform, manifest])),
  };
}

function makeConfig(repository: string, tag: string, platform: string, { salt = '', labels = {} }: ImageOptions): Blob {
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/');
  const allLabels = {
    'org.opencontainers.image.title': repository,
    'org.opencontainers.image.version': tag,
    'testbed.salt': salt,
    ...labels,
  };
  return makeBlob(types.config, {
    created: '2026-01-01T00:00:00Z',
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    config: { Labels: allLabels },
    rootfs: { type: 'layers', diff_ids: [] },
  });
}

function makeManifest(config: Blob): Blob {
  return makeBlob(types.manifest, { schemaVersion: 2, mediaType: types.manifest, config: describe(config), layers: [] });
}

function makeIndex(parts: readonly { platform: string; manifest: Blob }[]): Blob {
  const manifests = parts.map(({ platform, manifest }) => {
    const [os, architecture, variant] = platform.split('/');
    return { ...describe(manifest), platform: { architecture, os, ...(variant !== undefined && { variant }) } };
  });
  return makeBlob(types.index, { schemaVersion: 2, mediaType: types.index, manifests });
}

function describe({ mediaType, digest, text }: Blob): object {
  return { mediaType, digest, size: Buffer.byteLength(text) };
}

function makeBlob(mediaType: string, content: object): Blob {
  const text = JSON.stringify(content);
  return { mediaType, text, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}
