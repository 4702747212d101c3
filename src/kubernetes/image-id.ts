import { isDigest } from '../core/image-reference.ts';

export interface ReportedDigest {
  readonly digest: string;
  /** Of an image configuration; otherwise of an index or a manifest. */
  readonly isConfig: boolean;
}

/**
 * The digest in an `imageID` of a pod's status. Total: `undefined` where there is none. What stands before `@` is never trusted:
 * a runtime reports there any repository that has the same image.
 */
export function parseImageId(text: string): ReportedDigest | undefined {
  const id = text.replace(/^[a-z][a-z0-9+.-]*:\/\//, '');
  const at = id.lastIndexOf('@');
  // CRI-O after a restart, and old Docker, give an image's id without its algorithm.
  const digest = at === -1 && /^[0-9a-f]{64}$/.test(id) ? `sha256:${id}` : id.slice(at + 1);
  return isDigest(digest) ? { digest, isConfig: at === -1 } : undefined;
}
