import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { createTokenService, type TokenService, type TokenSwitches } from './registry-auth.ts';
import { createRegistryContent, type RegistryContent, sha256 } from './registry-content.ts';
import { type RecordedRequest, recordRequest, sendError } from './registry-wire.ts';
import { answerReferrers } from './registry-referrers.ts';
import { type PagingSwitches, answerTags } from './registry-tags.ts';

/** One member per quirk; change them at any time. The defaults are a plain distribution registry without authentication. */
export interface RegistrySwitches extends TokenSwitches, PagingSwitches {
  /** Status of HEAD on manifests instead of the normal answer. */
  head: 'works' | 400 | 404 | 405 | 501;
  /** `Docker-Content-Digest`: on all manifests, on HEAD only (ECR), never, or this text. */
  digestHeader: 'sent' | 'head-only' | 'missing' | `=${string}`;
  /** ETag on manifests: the digest in quotes (distribution, Hub), a SHA-1 (Artifactory), none. */
  etag: 'digest' | 'sha1' | 'none';
  /** `X-Checksum-Sha256` and the marker of Artifactory. */
  artifactory: boolean;
  /** A repository `key/image` is below `/artifactory/api/docker/key/v2/image/` only (with the headers of `artifactory`). */
  repositoryPath: boolean;
  /** Is "if it is another digest" understood? */
  conditional: boolean;
  /** The API for referrers: served, with filters, absent (404), or a page for people. */
  referrers: 'served' | 'filtered' | 'absent' | 'page';
  /** Compress manifests although `identity` was asked. */
  gzip: boolean;
  contentType: string | undefined;
  manifestBody: Buffer | string | undefined;
  /** Headers added to every answer. */
  headers: Record<string, string>;
  /** Each is given once, in order, instead of the normal answer to a request below `/v2/`. */
  failures: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Sees every request first; true = it answered (or never will). */
  intercept: ((request: RecordedRequest, response: ServerResponse) => boolean) | undefined;
}

export interface FakeRegistry {
  /** `127.0.0.1:<port>`: the registry part of image references. */
  readonly host: string;
  readonly origin: string;
  readonly requests: RecordedRequest[];
  readonly switches: RegistrySwitches;
  push: RegistryContent['push'];
  store: RegistryContent['store'];
  remove: RegistryContent['remove'];
  forget: RegistryContent['forget'];
  /** Tokens given so far are refused from now on. */
  revokeTokens(): void;
  close(): Promise<void>;
}

/** An OCI registry in memory over real HTTP, with a switch for every quirk the client has to live with. */
export async function startFakeRegistry(options: { tls?: { key: string; cert: string } } = {}): Promise<FakeRegistry> {
  const content = createRegistryContent();
  const switches = defaultSwitches();
  const requests: RecordedRequest[] = [];
  const sockets = new Set<Socket>();
  const tokens = createTokenService(switches, () => origin);

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    void serve(incoming, response);
  };
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await recordRequest(incoming);
    requests.push(request);
    for (const [name, value] of Object.entries(switches.headers)) response.setHeader(name, value);
    if (switches.intercept?.(request, response) || tokens.answer(request, response)) return;
    route(request, response, { content, switches, tokens });
  }
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const host = `127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  const origin = `${options.tls ? 'https' : 'http'}://${host}`;

  return {
    host,
    origin,
    requests,
    switches,
    push: (repository, tag, digest) => content.push(repository, tag, digest),
    store: (repository, manifest, store) => content.store(repository, manifest, store),
    remove: (repository, tag) => content.remove(repository, tag),
    forget: (repository, digest) => content.forget(repository, digest),
    revokeTokens: () => tokens.revoke(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function defaultSwitches(): RegistrySwitches {
  return {
    auth: 'none',
    users: {},
    identityTokens: [],
    anonymousPull: false,
    denied: [],
    challenge: undefined,
    realm: undefined,
    tokenPath: '/token',
    tokenField: 'token',
    tokenFields: {},
    tokenStatus: undefined,
    acceptTokens: true,
    head: 'works',
    digestHeader: 'sent',
    etag: 'none',
    artifactory: false,
    repositoryPath: false,
    conditional: true,
    referrers: 'served',
    gzip: false,
    contentType: undefined,
    manifestBody: undefined,
    headers: {},
    failures: [],
    intercept: undefined,
    pageSize: Number.POSITIVE_INFINITY,
    link: 'relative',
    opaqueLast: false,
    maximumN: Number.POSITIVE_INFINITY,
    refusalOfN: 'PAGINATION_NUMBER_INVALID',
    tagOrder: 'lexical',
    linkExtra: '',
    tagsType: 'application/json',
    tagsValidator: 'none',
    tagsMembers: {},
    tagsBody: undefined,
  };
}

interface Context {
  readonly content: RegistryContent;
  readonly switches: RegistrySwitches;
  readonly tokens: TokenService;
}

function route(request: RecordedRequest, response: ServerResponse, context: Context): void {
  const { switches, content } = context;
  const failure = switches.failures.shift();
  if (failure) return void response.writeHead(failure.status, failure.headers).end(failure.body);
  if (switches.artifactory) response.setHeader('x-jfrog-version', 'Artifactory/7.90.0');
  const place = placeOf(request.url, switches);
  if (!place) return sendError(response, 404, 'UNSUPPORTED');
  const { repository, operation, reference } = place;
  if (!context.tokens.authorize(request, response, repository)) return;
  if (operation === '') return void response.writeHead(200).end('{}');
  if (!content.has(repository)) return sendError(response, 404, 'NAME_UNKNOWN');
  if (operation === 'tags') return answerTags(request, response, content.tags(repository), switches);
  if (operation === 'referrers') return answerReferrers(request, response, content.referrers(repository, reference), switches.referrers);
  answerManifest(request, response, context, repository, reference);
}

/** What a path stands for; a repository has the name that it was pushed under, wherever it is found. */
function placeOf(url: string, switches: RegistrySwitches): { repository: string; operation: string; reference: string } | undefined {
  const [, , key, path = ''] = /^(\/artifactory\/api\/docker\/([^/]+))?\/v2\/([^?]*)/.exec(url) ?? [];
  const isOther = key !== undefined;
  const match = /^(?:(.+)\/(tags|manifests|referrers)\/([^/?]+))?$/.exec(path);
  if (!match || !/^\/(artifactory\/api\/docker\/[^/]+\/)?v2\//.test(url) || isOther !== (switches.repositoryPath && path !== ''))
    return undefined;
  const [, name = '', operation = '', reference = ''] = match;
  return { repository: isOther ? `${key}/${name}` : name, operation, reference: decodeURIComponent(reference) };
}

function answerManifest(
  request: RecordedRequest,
  response: ServerResponse,
  { content, switches }: Context,
  repository: string,
  reference: string,
): void {
  const isHead = request.method === 'HEAD';
  if (isHead && switches.head !== 'works') return void response.writeHead(switches.head).end();
  const manifest = content.find(repository, reference);
  if (!manifest) return sendError(response, 404, 'MANIFEST_UNKNOWN');
  if (!request.headers['accept']?.includes(manifest.mediaType)) return sendError(response, 404, 'MANIFEST_UNKNOWN');
  const plain = Buffer.from(switches.manifestBody ?? manifest.body);
  if (switches.conditional && request.headers['if-none-match'] === `"${manifest.digest}"`) return void response.writeHead(304).end();
  const headers: Record<string, string> = { 'content-type': switches.contentType ?? manifest.mediaType };
  const { digestHeader } = switches;
  if (digestHeader.startsWith('=')) headers['docker-content-digest'] = digestHeader.slice(1);
  else if (digestHeader === 'sent' || (digestHeader === 'head-only' && isHead)) headers['docker-content-digest'] = manifest.digest;
  if (switches.etag !== 'none')
    headers['etag'] = switches.etag === 'digest' ? `"${manifest.digest}"` : '"da39a3ee5e6b4b0d3255bfef95601890afd80709"';
  if (switches.artifactory) {
    headers['x-checksum-sha256'] = sha256(plain).slice('sha256:'.length);
  }
  if (switches.gzip) headers['content-encoding'] = 'gzip';
  const body = switches.gzip ? gzipSync(plain) : plain;
  response.writeHead(200, { ...headers, 'content-length': String(body.length) }).end(isHead ? undefined : body);
}
