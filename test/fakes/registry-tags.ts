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
  /** Body of every page instead of the real one. */
  tagsBody: string | undefined;
}

let endless = 0;

/** One page of `tags/list`. */
export function answerTags(request: RecordedRequest, response: ServerResponse, tags: readonly string[], switches: PagingSwitches): void {
  const url = new URL(request.url, `http://${request.headers['host']}`);
  const n = Number(url.searchParams.get('n') ?? Number.POSITIVE_INFINITY);
  if (n > switches.maximumN && url.searchParams.has('n')) {
    return sendError(response, switches.refusalOfN === 'UNSUPPORTED' ? 405 : 400, switches.refusalOfN);
  }
  const last = url.searchParams.get('last') ?? '';
  const after = switches.opaqueLast && last !== '' ? Buffer.from(last, 'base64url').toString() : last;
  const rest = switches.link === 'endless' ? tags : tags.filter((tag) => tag > after);
  const page = rest.slice(0, Math.min(n, switches.pageSize));
  const next = linkTarget(url, page.at(-1) ?? '', switches);
  if (switches.link !== 'none' && (page.length < rest.length || switches.link === 'itself' || switches.link === 'endless')) {
    response.setHeader('link', `<${next}>; rel="next"`);
  }
  const name = url.pathname.slice('/v2/'.length, -'/tags/list'.length);
  response.writeHead(200, { 'content-type': 'application/json' }).end(switches.tagsBody ?? JSON.stringify({ name, tags: page }));
}

function linkTarget(url: URL, lastTag: string, switches: PagingSwitches): string {
  const last = switches.opaqueLast ? Buffer.from(lastTag).toString('base64url') : lastTag;
  const query = new URLSearchParams(url.searchParams);
  query.set('last', switches.link === 'endless' ? `x${++endless}` : last);
  const path = `${url.pathname}?${query.toString()}`;
  switch (switches.link) {
    case 'absolute':
      return `${url.origin}${path}`;
    case 'other-host':
      return `http://127.0.0.2:1${path}`;
    case 'protocol-relative':
      return `//127.0.0.2:1${path}`;
    case 'prefix-lost':
      return path.replace(/^\/v2\/[^/]+\//, '/v2/');
    case 'itself':
      return `${url.pathname}${url.search}`;
    default:
      return path;
  }
}
