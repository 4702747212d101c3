import { imagesFor } from '../core/compare-digests.ts';
import type { ImageReference } from '../core/image-reference.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError, RegistryError } from '../errors.ts';
import type { ImageContents, Platform } from '../ports.ts';
import type { OperatorDeps } from './deps.ts';

/**
 * Platforms of nodes that run the workload, or may, for which a digest has no image: `linux/arm64`. Only an index can lack one. What cannot
 * be found out (no right to nodes, a registry that gives no manifest now) holds nobody back. Throws RegistryError when the content is not
 * what its digest says.
 */
export async function missingPlatforms(
  workload: Workload,
  reference: ImageReference,
  digest: string,
  deps: Pick<OperatorDeps, 'access' | 'pods'>,
  signal: AbortSignal,
): Promise<string[]> {
  const contents = await readContents(workload, reference, digest, deps, signal);
  if (contents?.kind !== 'index') return [];
  const lacks = (platforms: readonly Platform[]): Platform[] => platforms.filter((platform) => imagesFor(contents, platform).length === 0);
  try {
    const everywhere = (await deps.pods.platforms(signal)) ?? [];
    const missing = lacks(everywhere);
    if (missing.length === 0) return [];
    const pods = await deps.pods.of(workload, signal);
    const inUse = lacks(pods.flatMap(({ platform }) => platform ?? []));
    // Without pods nobody knows where they will run: one platform that fits will do.
    const wanted = pods.length > 0 ? inUse : missing.length === everywhere.length ? missing : [];
    return [...new Set(wanted.map(({ os, architecture }) => `${os}/${architecture}`))];
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}

async function readContents(
  workload: Workload,
  reference: ImageReference,
  digest: string,
  { access }: Pick<OperatorDeps, 'access'>,
  signal: AbortSignal,
): Promise<ImageContents | undefined> {
  try {
    return await access.contents(workload, reference, digest, signal);
  } catch (error) {
    if (error instanceof RegistryError && error.code !== 'DigestMismatch') return undefined;
    throw error;
  }
}
