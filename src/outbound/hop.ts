import type { Dispatcher } from 'undici';
import { OutboundError } from '../errors.ts';
import { type AddressKind, literalKind } from './addresses.ts';
import type { BlockedOrigins } from './blocked-origins.ts';
import { acceptedEncodings } from './body.ts';
import { redactUrl } from './failure.ts';
import { isMetadataService } from './metadata.ts';
import type { OutboundRequest } from '../outbound.ts';

/** One request on the way of a call: the first, or what a redirect led to. */
export interface Hop {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Still the host the caller named: its TLS options and its right to a private address apply. */
  readonly isNamedHost: boolean;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** What another origin may see of a request's headers. */
const harmlessHeaders = new Set(['accept', 'accept-encoding', 'range', 'user-agent']);

/** The request as the caller wants it. */
export function firstHop(request: OutboundRequest, userAgent: string): Hop {
  const url = typeof request.url === 'string' ? URL.parse(request.url) : request.url;
  if (url === null) throw new OutboundError('Protocol', '[unreadable URL]', 'this is not a URL');
  return { url, headers: { 'accept-encoding': acceptedEncodings, 'user-agent': userAgent, ...request.headers }, isNamedHost: true };
}

/** Where a redirect leads; throws Blocked where it must not lead. */
export function nextHop(request: OutboundRequest, from: Hop, location: string): Hop {
  const url = URL.parse(location, from.url.href);
  if (url === null) throw failure('Protocol', request, from, 'redirect to an unreadable URL');
  if (from.url.protocol === 'https:' && url.protocol !== 'https:') throw failure('Blocked', request, from, 'redirect from https to http');
  const verdict = request.allowRedirect?.(from.url, url) ?? true;
  if (verdict !== true) {
    throw failure('Blocked', request, from, `redirect to ${url.origin} is not allowed${verdict === false ? '' : `: ${verdict}`}`);
  }
  const headers = url.origin === from.url.origin ? from.headers : pick(from.headers, harmlessHeaders);
  return { url, headers, isNamedHost: from.isNamedHost && url.hostname === from.url.hostname };
}

/** Throws Blocked before any connection if the URL itself says that it must not be contacted. */
export function checkTarget(request: OutboundRequest, hop: Hop, blocked: BlockedOrigins): void {
  const { url } = hop;
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw failure('Blocked', request, hop, `scheme ${url.protocol} is not allowed`);
  if (url.port === '0') throw failure('Blocked', request, hop, 'port 0 leads nowhere');
  if (url.username !== '' || url.password !== '')
    throw failure('Blocked', request, hop, 'a URL with a user name or password is not allowed');
  if (blocked.names(url)) throw failure('Blocked', request, hop, 'this origin is never contacted');
  const kind = literalKind(url.hostname);
  const refusal = kind === undefined || isMetadataService(request, url) ? undefined : refusalOf(kind, allowsPrivate(request, hop));
  if (refusal !== undefined) throw failure('Blocked', request, hop, `the address ${refusal}`);
}

/** May this hop go to a private or loopback address? */
export function allowsPrivate(request: OutboundRequest, hop: Hop): boolean {
  return request.allowPrivate === true || (request.directlyNamed === true && hop.isNamedHost);
}

/** The address rule: what is wrong with an address of this kind, if anything. */
export function refusalOf(kind: AddressKind, mayBePrivate: boolean): string | undefined {
  if (kind === 'never') return 'is link-local, multicast or a metadata service';
  return kind === 'private' && !mayBePrivate ? 'is private' : undefined;
}

/** The Location to follow, if this answer is a redirect of a kind that is followed. */
export function redirectOf(request: OutboundRequest, answer: Dispatcher.ResponseData): string | undefined {
  const followed = (request.method ?? 'GET') === 'GET' || request.method === 'HEAD';
  if (!followed || request.maxRedirects === 0 || request.metadataService === true || !redirectStatuses.has(answer.statusCode))
    return undefined;
  const { location } = answer.headers;
  return typeof location === 'string' ? location : undefined;
}

function pick(headers: Readonly<Record<string, string>>, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.has(name.toLowerCase())));
}

/** `GET https://host/path` for messages, without secrets. */
export function nameOf(request: OutboundRequest, hop?: Hop): string {
  const url = hop?.url ?? request.url;
  if (request.secretPath !== true) return `${request.method ?? 'GET'} ${redactUrl(url)}`;
  return `${request.method ?? 'GET'} ${(typeof url === 'string' ? URL.parse(url) : url)?.origin ?? '[unreadable URL]'}`;
}

/** An OutboundError about this hop. */
export function failure(code: OutboundError['code'], request: OutboundRequest, hop: Hop, message: string): OutboundError {
  return new OutboundError(code, nameOf(request, hop), message);
}
