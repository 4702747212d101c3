import { isDigest } from '../core/image-reference.ts';
import { isJsonObject } from './json.ts';

/** One entry of an index: what it points to. Texts are other people's, cut to a length. */
export interface Descriptor {
  readonly digest: string;
  /** Lower case; empty when it has none. */
  readonly mediaType: string;
  readonly size: number | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
  readonly platform: DescriptorPlatform | undefined;
}

export interface DescriptorPlatform {
  readonly os: string | undefined;
  readonly architecture: string | undefined;
  readonly variant: string | undefined;
}

const longestText = 256;
const longestAnnotation = 4_096;
const maximumAnnotations = 64;
const longestAnnotations = 8_192;
const platformWord = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Reads one entry; undefined when it points nowhere. */
export function readDescriptor(value: unknown): Descriptor | undefined {
  if (!isJsonObject(value)) return undefined;
  const { digest, mediaType, size, artifactType, annotations, platform } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined;
  return {
    digest,
    mediaType: textOf(mediaType)?.toLowerCase() ?? '',
    size: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
    artifactType: textOf(artifactType),
    annotations: annotationsOf(annotations),
    platform: isJsonObject(platform) ? readPlatform(platform) : undefined,
  };
}

function readPlatform({ os, architecture, variant }: Readonly<Record<string, unknown>>): DescriptorPlatform {
  return { os: wordOf(os), architecture: wordOf(architecture), variant: wordOf(variant) };
}

function annotationsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  let length = 0;
  const pairs: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string' || name.length > longestText || text.length > longestAnnotation) continue;
    length += name.length + text.length;
    if (length > longestAnnotations || pairs.length >= maximumAnnotations) break;
    pairs.push([name, text]);
  }
  return Object.fromEntries(pairs);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestText ? value : undefined;
}

function wordOf(value: unknown): string | undefined {
  return typeof value === 'string' && platformWord.test(value) ? value : undefined;
}
