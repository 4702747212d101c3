import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type RecordedRequest, sendError } from './registry-wire.ts';

export interface PagingSwitches {
  /** Most tags in a page, whatever `n` says. */
  pageSize: number;
  /** How the next page is named; `prefix-lost` is Artifactory's, `itself` and `endless` never end. */
  link: 'relative' | 'absolute' | 'other-host' | 'protocol-relative' | 'prefix-lost' | 'itself' | 'endless' | 'none';
  /** `last` is a token of ours and not a tag (ECR). */
  opaqueLast: boolean;
  /** A larger `n` is refused. */
  maximumN: number;
  refusalOfN: 'PAGINATION_NUMBER_INVALID' | 'UNSUPPORTED';
  /** Distribution sorts; GHCR and Quay have the oldest first. */
  tagOrder: 'lexical' | 'oldest-first';
  /** More parameters of the link (ACR). */
  linkExtra: string;
  /** ECR calls its JSON text. */
  tagsType: string;
  /** Headers by which a client may ask whether the page has changed; such questions are answered by 304. */
  tagsValidator: 'none' | 'etag' | 'last-modified';
  /** More members of a page (Google tells digests and times). */
  tagsMembers: Record<string, unknown>;
  /** Body of every page instead of the real one. */
  tagsBody: string | undefined;
}

let endless = 0;

/** One page of `tags/list`. */
export function answerTags(request: RecordedRequest, response: ServerResponse, tags: readonly string[], switches: PagingSwitches): void {
  const url = new URL(request.url, request.headers['x-asked-origin'] ?? `http://${request.headers['host']}`);
  const n = Number(url.searchParams.get('n') ?? Number.POSITIVE_INFINITY);
  if (n > switches.maximumN && url.searchParams.has('n')) {
    return sendError(response, switches.refusalOfN === 'UNSUPPORTED' ? 405 : 400, switches.refusalOfN);
  }
  const listed = switches.tagOrder === 'lexical' ? [...tags].sort() : tags;
  const last = url.searchParams.get('last') ?? '';
  const after = switches.opaqueLast && last !== '' ? Buffer.from(last, 'base64url').toString() : last;
  const rest = switches.link === 'endless' ? listed : listed.slice(listed.indexOf(after) + 1);
  const page = rest.slice(0, Math.min(n, switches.pageSize));
  const next = linkTarget(url, page.at(-1) ?? '', switches);
  if (switches.link !== 'none' && (page.length < rest.length || switches.link === 'itself' || switches.link === 'endless')) {
    response.setHeader('link', `<${next}>; rel="next"`);
  }
  const name = url.pathname.slice(url.pathname.indexOf('/v2/') + '/v2/'.length, -'/tags/list'.length);
  const body = switches.tagsBody ?? JSON.stringify({ name, tags: page, ...switches.tagsMembers });
  const validators = validatorsOf(body, switches);
  const isKnown =
    (validators['etag'] !== undefined && request.headers['if-none-match'] === validators['etag']) ||
    (validators['last-modified'] !== undefined && request.headers['if-modified-since'] === validators['last-modified']);
  if (isKnown) return void response.writeHead(304, validators).end();
  response.writeHead(200, { 'content-type': switches.tagsType, ...validators }).end(body);
}

function validatorsOf(body: string, { tagsValidator }: PagingSwitches): Record<string, string> {
  const hash = createHash('sha1').update(body).digest('hex');
  if (tagsValidator === 'etag') return { etag: `"${hash}"` };
  // A time of its own for every body.
  return tagsValidator === 'none' ? {} : { 'last-modified': new Date(Number.parseInt(hash.slice(0, 8), 16) * 1_000).toUTCString() };
}

function linkTarget(url: URL, lastTag: string, switches: PagingSwitches): string {
  const last = switches.opaqueLast ? Buffer.from(lastTag).toString('base64url') : lastTag;
  const query = new URLSearchParams(url.searchParams);
  query.set('last', switches.link === 'endless' ? `x${++endless}` : last);
  const path = `${url.pathname}?${query.toString()}${switches.linkExtra}`;
  switch (switches.link) {
    case 'absolute':
      return `${url.origin}${path}`;
    case 'other-host':
      return `http://127.0.0.2:1${path}`;
    case 'protocol-relative':
      return `//127.0.0.2:1${path}`;
    case 'prefix-lost':
      return path.replace(/^.*\/v2\/[^/]+\//, '/v2/');
    case 'itself':
      return `${url.pathname}${url.search}`;
    default:
      return path;
  }
}
