import type { ImageContents } from '../ports.ts';
import { answerFailure } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { startDeadline } from './deadline.ts';
import type { Descriptor } from './descriptor.ts';
import { digestOfBytes } from './digest.ts';
import { readImage } from './image-kind.ts';
import { collectImages } from './index-images.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { manifestAccept } from './media-type.ts';
import type { Ask, PlaceReply } from './place.ts';

/** Reads what a digest stands for. Every byte is checked against its digest. Throws RegistryError. */
export type ReadContents = (call: Call, digest: string) => Promise<ImageContents>;

/** The largest manifest that registries accept. */
export const manifestBytes = 4 * 1024 * 1024;

/** `totalMs` covers an index with all that is nested in it. */
export function createContents({ ask, totalMs }: { ask: Ask; totalMs: number }): ReadContents {
  async function contents(call: Call, digest: string): Promise<ImageContents> {
    const deadline = startDeadline(totalMs, call.signal);
    try {
      return await read({ ...call, signal: deadline.signal }, digest);
    } catch (error) {
      if (!deadline.isOver() || call.signal.aborted) throw error;
      throw callFailure(call, 'Timeout', `${call.endpoint.registry} did not give all of it within ${totalMs / 1000} s`, { cause: error });
    } finally {
      deadline.end();
    }
  }

  async function read(call: Call, digest: string): Promise<ImageContents> {
    const reply = await fetchManifest(call, digest);
    if (reply.answer.status !== 200) throw answerFailure(call, reply.answer, reply.source);
    const { form, content } = checked(call, reply, digest);
    if (form === 'image') return imageContents(call, reply, digest, content);
    const images = await collectImages({ digest, content }, (descriptor) => fetchNested(call, descriptor));
    if ('broken' in images) throw unusable(call, reply, 'Protocol', images.broken);
    // Lists of signatures and the like call themselves so.
    const kind = typeof content['artifactType'] === 'string' ? 'other' : 'index';
    return { digest, kind, images: kind === 'index' ? images : [], config: undefined };
  }

  async function fetchNested(call: Call, { digest, size }: Descriptor): Promise<Manifest['content']> {
    const reply = await fetchManifest(call, digest);
    // Not NotFound: the index itself is there.
    if (reply.answer.status === 404) throw unusable(call, reply, 'Protocol', `an index that lists ${digest}, and does not have that`);
    if (reply.answer.status !== 200) throw answerFailure(call, reply.answer, reply.source);
    const { form, content } = checked(call, reply, digest);
    if (size !== undefined && size !== reply.answer.body.length) {
      throw unusable(call, reply, 'Protocol', `an index that lists ${digest} with another length`);
    }
    if (form !== 'index') throw unusable(call, reply, 'Protocol', `an index that lists ${digest} as an index, which it is not`);
    return content;
  }

  async function fetchManifest(call: Call, digest: string): Promise<PlaceReply> {
    const headers = { accept: manifestAccept, 'accept-encoding': 'identity' };
    return await ask(call, { method: 'GET', path: `manifests/${digest}`, headers, maxBytes: manifestBytes });
  }

  return contents;
}

function imageContents(call: Call, reply: PlaceReply, digest: string, content: Manifest['content']): ImageContents {
  const image = readImage(content);
  if (!image) throw unusable(call, reply, 'Protocol', 'a manifest without a configuration');
  if (image.kind !== 'image') return { digest, kind: 'other', images: [], config: undefined };
  const itself = { digest, os: undefined, architecture: undefined, variant: undefined };
  return { digest, kind: 'image', images: [itself], config: image.config };
}

/** The manifest in the answer, when its bytes are those of the digest and nothing about it is in doubt. */
function checked(call: Call, reply: PlaceReply, digest: string): Manifest {
  const { answer } = reply;
  const found = digestOfBytes(answer.body, digest);
  if (answer.body.length > 0 && found !== digest)
    throw unusable(call, reply, 'DigestMismatch', `another object (${found}) than was asked for`);
  const manifest = readManifest(answer);
  if ('unsupported' in manifest) throw unusable(call, reply, 'Unsupported', manifest.unsupported);
  if ('broken' in manifest) throw unusable(call, reply, 'Protocol', manifest.broken);
  if (manifest.isDisputed) throw unusable(call, reply, 'Protocol', 'a manifest under the type of another kind');
  return manifest;
}

function unusable(call: Call, { answer, source }: PlaceReply, code: 'Protocol' | 'Unsupported' | 'DigestMismatch', what: string): Error {
  return callFailure(call, code, `${call.endpoint.registry} gave ${what}`, { httpStatus: answer.status, source });
}
