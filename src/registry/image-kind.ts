import { isDigest } from '../core/image-reference.ts';
import { isJsonObject } from './json.ts';

/** What a manifest without children is: only an image runs. */
export type ObjectKind = 'image' | 'chart' | 'other';

const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  // Builders of the first years.
  'application/octet-stream',
  '',
]);
const chartConfig = 'application/vnd.cncf.helm.config.v1+json';
/** Layers of what borrows the configuration of an image. */
const attachmentLayer = /^application\/vnd\.(dev\.cosign|dev\.sigstore|in-toto|syft|cyclonedx)\b/;

/** What the manifest describes, and the digest of its configuration; undefined when it has none to speak of. */
export function readImage(content: Readonly<Record<string, unknown>>): { kind: ObjectKind; config: string } | undefined {
  const { config } = content;
  if (!isJsonObject(config) || typeof config['digest'] !== 'string' || !isDigest(config['digest'])) return undefined;
  return { kind: kindOf(content, textOf(config['mediaType'])), config: config['digest'] };
}

function kindOf(content: Readonly<Record<string, unknown>>, configType: string): ObjectKind {
  if (configType === chartConfig) return 'chart';
  if (textOf(content['artifactType']) !== '' || !imageConfigs.has(configType)) return 'other';
  const layers = Array.isArray(content['layers']) ? content['layers'] : [];
  const isAttachment =
    layers.length > 0 && layers.every((layer) => isJsonObject(layer) && attachmentLayer.test(textOf(layer['mediaType'])));
  return isAttachment ? 'other' : 'image';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}
