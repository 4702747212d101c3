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
  remove(repository: string, tag: string): void;
  has(repository: string): boolean;
  /** Lexical, as distribution lists them. */
  tags(repository: string): readonly string[];
  find(repository: string, reference: string): StoredManifest | undefined;
}

const indexType = 'application/vnd.oci.image.index.v1+json';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

export function createRegistryContent(): RegistryContent {
  const repositories = new Map<string, { tags: Map<string, StoredManifest>; manifests: Map<string, StoredManifest> }>();
  let pushes = 0;

  return {
    push(repository, tag, digest) {
      const body = indexBody(`${repository}:${tag} ${++pushes}`);
      const manifest = { digest: digest ?? sha256(body), mediaType: indexType, body };
      const held = repositories.get(repository) ?? { tags: new Map(), manifests: new Map() };
      repositories.set(repository, held);
      held.tags.set(tag, manifest);
      held.manifests.set(manifest.digest, manifest);
      return manifest.digest;
    },
    remove: (repository, tag) => void repositories.get(repository)?.tags.delete(tag),
    has: (repository) => repositories.has(repository),
    tags: (repository) => [...(repositories.get(repository)?.tags.keys() ?? [])].sort(),
    find(repository, reference) {
      const held = repositories.get(repository);
      return held?.tags.get(reference) ?? held?.manifests.get(reference);
    },
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
