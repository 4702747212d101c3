import { answerFailure } from './answer.ts';
import { type Call, callFailure } from './call.ts';
import { manifestBytes } from './contents.ts';
import { startDeadline } from './deadline.ts';
import { type Descriptor, readDescriptor } from './descriptor.ts';
import { algorithmOf } from './digest.ts';
import type { Exchange, Reply } from './exchange.ts';
import { followLink } from './follow-link.ts';
import { parseNextLink } from './link.ts';
import { readManifest } from './manifest.ts';
import { manifestAccept, mediaTypeOf } from './media-type.ts';
import type { Ask } from './place.ts';

/** What points to an image: signatures, attestations, SBOMs. Only what the registry says; nothing of it is verified yet. */
export type Referrer = Omit<Descriptor, 'platform'>;

export interface ReferrerList {
  readonly referrers: readonly Referrer[];
  /** A limit ended the list: that something is not in it means nothing. */
  readonly truncated: boolean;
}

/** Lists what points to a digest, all of it or one kind. An empty list where there is none. Throws RegistryError. */
export type ListReferrers = (call: Call, digest: string, artifactType?: string) => Promise<ReferrerList>;

const indexType = 'application/vnd.oci.image.index.v1+json';
/** Answers of registries that do not know the question. */
const unknownApi = new Set([400, 404, 405, 406, 501]);
const limits = { pages: 10, referrers: 500 };

/** By the API of the distribution specification; where there is none, by the tag that stands in for it. */
export function createReferrers({ ask, exchange, totalMs }: { ask: Ask; exchange: Exchange; totalMs: number }): ListReferrers {
  async function list(call: Call, digest: string, artifactType?: string): Promise<ReferrerList> {
    const deadline = startDeadline(totalMs, call.signal);
    const timed = { ...call, signal: deadline.signal };
    try {
      return (await byApi(timed, digest, artifactType)) ?? (await byTag(timed, digest, artifactType));
    } catch (error) {
      if (!deadline.isOver() || call.signal.aborted) throw error;
      throw callFailure(call, 'Timeout', `${call.endpoint.registry} did not give the list within ${totalMs / 1000} s`, { cause: error });
    } finally {
      deadline.end();
    }
  }

  /** Undefined when the registry has no such API. */
  async function byApi(call: Call, digest: string, artifactType: string | undefined): Promise<ReferrerList | undefined> {
    const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
    const first = await ask(call, { ...pageRequest, path: `referrers/${digest}${query}` });
    const { status, headers } = first.answer;
    if (unknownApi.has(status) || (status === 200 && mediaTypeOf(headers['content-type']) !== indexType)) return undefined;
    const found = new Map<string, Referrer>();
    let [reply, url]: [Reply, URL] = [first, first.asked];
    for (let pages = 1; ; pages++) {
      for (const referrer of readPage(call, reply, artifactType)) found.set(referrer.digest, referrer);
      const link = parseNextLink(reply.answer.headers['link']);
      const truncated = found.size > limits.referrers || (link !== undefined && pages >= limits.pages);
      if (link === undefined || truncated) return { referrers: [...found.values()].slice(0, limits.referrers), truncated };
      url = followLink(call, reply, link, url);
      reply = await exchange(call, { ...pageRequest, operation: call.operation, url, directlyNamed: true });
    }
  }

  async function byTag(call: Call, digest: string, artifactType: string | undefined): Promise<ReferrerList> {
    const reply = await ask(call, { ...pageRequest, headers: tagHeaders, path: `manifests/${tagFor(digest)}` });
    if (reply.answer.status === 404) return { referrers: [], truncated: false };
    const found = new Map(readPage(call, reply, artifactType).map((referrer) => [referrer.digest, referrer]));
    return { referrers: [...found.values()].slice(0, limits.referrers), truncated: found.size > limits.referrers };
  }

  return list;
}

const pageRequest = { method: 'GET', headers: { accept: indexType, 'accept-encoding': 'identity' }, maxBytes: manifestBytes } as const;
const tagHeaders = { ...pageRequest.headers, accept: manifestAccept };

function readPage(call: Call, { answer, source }: Reply, artifactType: string | undefined): readonly Referrer[] {
  if (answer.status !== 200) throw answerFailure(call, answer, source);
  const manifest = readManifest(answer);
  const entries = 'form' in manifest && manifest.form === 'index' ? manifest.content['manifests'] : undefined;
  if (!Array.isArray(entries)) {
    const sentence = `${call.endpoint.registry} answered with something that is not a list of referrers`;
    throw callFailure(call, 'Protocol', sentence, { httpStatus: 200, source });
  }
  const isFiltered = /(^|,)\s*artifactType\s*(,|$)/.test(answer.headers['oci-filters-applied'] ?? '');
  const wanted = isFiltered ? undefined : artifactType;
  return entries.slice(0, limits.referrers + 1).flatMap((entry) => {
    const descriptor = readDescriptor(entry);
    if (!descriptor || (wanted !== undefined && descriptor.artifactType !== wanted)) return [];
    const { platform: _, ...referrer } = descriptor;
    return [referrer];
  });
}

/** `sha256-<hex>`; of longer digests the beginning, by the specification. */
function tagFor(digest: string): string {
  const algorithm = algorithmOf(digest);
  return `${algorithm.slice(0, 32)}-${digest.slice(algorithm.length + 1, algorithm.length + 65)}`;
}
