import { createHash } from 'node:crypto';
import { isDigest } from '../core/image-reference.ts';
import type { Answer } from './answer.ts';
import { schema1 } from './manifest.ts';
import { formOf, isSchema1, mediaTypeOf } from './media-type.ts';
import { quirksOfAnswer } from './quirks.ts';

/** What an answer to HEAD says about the digest; `undefined` = nothing that can be relied on. */
export function digestOfHead(answer: Answer): { digest: string | undefined } | { unsupported: string } {
  const type = mediaTypeOf(answer.headers['content-type']);
  if (isSchema1(type)) return schema1;
  // A page for people, whatever digest it claims.
  if (type === 'text/html') return { digest: undefined };
  const { checksumHeader } = quirksOfAnswer(answer.headers);
  const isChecked = checksumHeader !== undefined && formOf(type) !== undefined;
  const checksum = isChecked ? `sha256:${answer.headers[checksumHeader] ?? ''}` : '';
  const etag = /^"([^"]*)"$/.exec(answer.headers['etag'] ?? '')?.[1] ?? '';
  return { digest: [answer.headers['docker-content-digest'] ?? '', checksum, etag].find(isDigest) };
}

/** The digest of these bytes, in the algorithm of `like`. */
export function digestOfBytes(bytes: Buffer, like: string): string {
  const algorithm = algorithmOf(like) === 'sha512' ? 'sha512' : 'sha256';
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

/** `sha256` of `sha256:…`; the text before a colon that is not there is empty. */
export function algorithmOf(digest: string): string {
  return digest.slice(0, Math.max(0, digest.indexOf(':')));
}
