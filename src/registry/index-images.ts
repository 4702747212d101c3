import type { PlatformImage } from '../ports.ts';
import { type Descriptor, type DescriptorPlatform, readDescriptor } from './descriptor.ts';
import { formOf } from './media-type.ts';

/** An index as its bytes are. */
export interface IndexContent {
  readonly digest: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** Gets the index that another one lists. */
export type FetchIndex = (descriptor: Descriptor) => Promise<Readonly<Record<string, unknown>>>;

const limits = { depth: 3, descriptors: 200 };

/** The images of an index and of those nested in it, in their order; or why it cannot be followed. Errors of `fetchIndex` pass through. */
export async function collectImages(root: IndexContent, fetchIndex: FetchIndex): Promise<readonly PlatformImage[] | { broken: string }> {
  const images: PlatformImage[] = [];
  const seen = new Set([root.digest]);
  let descriptors = 0;

  /** What is wrong, if something is. */
  async function walk(content: IndexContent['content'], depth: number, outer?: DescriptorPlatform): Promise<string | undefined> {
    if (depth > limits.depth) return `indexes nested more than ${limits.depth} deep`;
    const entries = content['manifests'];
    if (!Array.isArray(entries)) return 'an index without a list of manifests';
    descriptors += entries.length;
    if (descriptors > limits.descriptors) return `an index of more than ${limits.descriptors} entries`;
    for (const entry of entries) {
      const descriptor = readDescriptor(entry);
      if (!descriptor) return 'an index with an entry that has no usable digest';
      const problem = await take(descriptor, depth, outer);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  async function take(descriptor: Descriptor, depth: number, outer?: DescriptorPlatform): Promise<string | undefined> {
    if (!isRunnable(descriptor)) return undefined;
    const platform = descriptor.platform ?? outer;
    if (formOf(descriptor.mediaType) !== 'index') {
      images.push({ digest: descriptor.digest, os: platform?.os, architecture: platform?.architecture, variant: platform?.variant });
      return undefined;
    }
    if (seen.has(descriptor.digest)) return 'an index that lists itself, or another one twice';
    seen.add(descriptor.digest);
    // Not fetched only to be refused.
    if (depth >= limits.depth) return `indexes nested more than ${limits.depth} deep`;
    return await walk(await fetchIndex(descriptor), depth + 1, platform);
  }

  const problem = await walk(root.content, 1);
  return problem === undefined ? images : { broken: problem };
}

/** Not an attestation, a signature or anything else that lies beside the images. */
function isRunnable({ mediaType, artifactType, annotations, platform }: Descriptor): boolean {
  if (artifactType !== undefined || annotations['vnd.docker.reference.type'] !== undefined) return false;
  if (platform?.os === 'unknown' || platform?.architecture === 'unknown') return false;
  return mediaType === '' || formOf(mediaType) !== undefined;
}
