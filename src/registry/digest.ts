import { createHash } from 'node:crypto';
import { isDigest } from '../core/image-reference.ts';
import type { Answer } from './answer.ts';
import { parseJsonObject } from './json.ts';
import { quirksOfAnswer } from './quirks.ts';

const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

/** Without all four a registry answers 404, or rewrites an index to one platform under another digest. */
export const manifestAccept = manifestTypes.join(', ');

const schema1 = { unsupported: 'an unsupported schema 1 image' };

/** What an answer to HEAD says about the digest; `undefined` = nothing that can be relied on. */
export function digestOfHead(answer: Answer): { digest: string | undefined } | { unsupported: string } {
  const type = mediaType(answer.headers['content-type']);
  if (isSchema1(type)) return schema1;
  // A page for people, whatever digest it claims.
  if (type === 'text/html') return { digest: undefined };
  const { checksumHeader } = quirksOfAnswer(answer.headers);
  const checksum = checksumHeader !== undefined && manifestTypes.includes(type) ? `sha256:${answer.headers[checksumHeader] ?? ''}` : '';
  const etag = /^"([^"]*)"$/.exec(answer.headers['etag'] ?? '')?.[1] ?? '';
  return { digest: [answer.headers['docker-content-digest'] ?? '', checksum, etag].find(isDigest) };
}

/** The digest of the manifest in the body, in the algorithm of `like`; or why the body is none. */
export function digestOfBody(answer: Answer, like: string): { digest: string } | { unsupported: string } | { broken: string } {
  const manifest = parseJsonObject(answer.body);
  if (!manifest) return { broken: answer.body.length === 0 ? 'an empty answer' : 'something that is not a manifest' };
  const own = typeof manifest['mediaType'] === 'string' ? manifest['mediaType'] : '';
  const type = own || mediaType(answer.headers['content-type']);
  if (isSchema1(type) || manifest['schemaVersion'] === 1) return schema1;
  const isManifest = manifestTypes.includes(type) || Array.isArray(manifest['manifests']) || manifest['config'] !== undefined;
  if (!isManifest) return { broken: 'a JSON object that is not a manifest' };
  const algorithm = like.startsWith('sha512:') ? 'sha512' : 'sha256';
  return { digest: `${algorithm}:${createHash(algorithm).update(answer.body).digest('hex')}` };
}

function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function isSchema1(type: string): boolean {
  return type.startsWith('application/vnd.docker.distribution.manifest.v1+');
}
