import { createHash } from 'node:crypto';

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly body: Buffer;
}

/** What a fake registry holds: tags and manifests by repository. */
export interface RegistryContent {
  /** Moves `tag` to a new image and gives its digest. With `digest` the registry claims that one, whatever the content. */
  push(repository: string, tag: string, digest?: string): string;
  /** Puts a manifest there as it is, under its digest and where given under a tag; gives the digest. With `digest` the registry claims that one. */
  store(repository: string, manifest: object | string, options?: { tag?: string; digest?: string; mediaType?: string }): string;
  remove(repository: string, tag: string): void;
  /** As if it had been garbage: the digest and all tags of it. */
  forget(repository: string, digest: string): void;
  has(repository: string): boolean;
  /** In the order of their first push. */
  tags(repository: string): readonly string[];
  /** Manifests whose `subject` is that digest. */
  referrers(repository: string, digest: string): readonly StoredManifest[];
  find(repository: string, reference: string): StoredManifest | undefined;
}

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export function createRegistryContent(): RegistryContent {
  const repositories = new Map<string, { tags: Map<string, StoredManifest>; manifests: Map<string, StoredManifest> }>();
  let pushes = 0;

  function put(repository: string, manifest: StoredManifest, tag?: string): string {
    const held = repositories.get(repository) ?? { tags: new Map(), manifests: new Map() };
    repositories.set(repository, held);
    if (tag !== undefined) held.tags.set(tag, manifest);
    held.manifests.set(manifest.digest, manifest);
    return manifest.digest;
  }

  return {
    push(repository, tag, digest) {
      const body = indexBody(`${repository}:${tag} ${++pushes}`);
      return put(repository, { digest: digest ?? sha256(body), mediaType: indexType, body }, tag);
    },
    store(repository, manifest, { tag, digest, mediaType } = {}) {
      const body = Buffer.from(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
      const own = typeof manifest === 'object' && 'mediaType' in manifest ? String(manifest.mediaType) : manifestType;
      return put(repository, { digest: digest ?? sha256(body), mediaType: mediaType ?? own, body }, tag);
    },
    remove: (repository, tag) => void repositories.get(repository)?.tags.delete(tag),
    forget(repository, digest) {
      const held = repositories.get(repository);
      held?.manifests.delete(digest);
      for (const [tag, manifest] of held?.tags ?? []) if (manifest.digest === digest) held?.tags.delete(tag);
    },
    has: (repository) => repositories.has(repository),
    tags: (repository) => [...(repositories.get(repository)?.tags.keys() ?? [])],
    find(repository, reference) {
      const held = repositories.get(repository);
      return held?.tags.get(reference) ?? held?.manifests.get(reference);
    },
    referrers: (repository, digest) =>
      [...(repositories.get(repository)?.manifests.values() ?? [])].filter(({ body }) => body.includes(`"subject":{"digest":"${digest}"`)),
  };
}

export function sha256(body: string | Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

/** An index with two platforms; other `salt`, other digests. */
function indexBody(salt: string): Buffer {
  const manifests = ['amd64', 'arm64'].map((architecture) => ({
    mediaType: manifestType,
    digest: sha256(`${salt} ${architecture}`),
    size: 500,
    platform: { os: 'linux', architecture },
  }));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }));
}
