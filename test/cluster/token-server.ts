import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { KeyPair } from './certificates.ts';
import { createSigner } from './token-signer.ts';
import type { AccessEntry, SignToken } from './token-signer.ts';

export interface TokenUser {
  readonly password: string;
  /** Which repositories it may pull from and push to; all by default. */
  readonly repositories?: RegExp;
}

export interface TokenServerOptions {
  /** Signs the tokens; the registry trusts this certificate. */
  readonly signer: KeyPair;
  /** Of the server itself; plain HTTP without. */
  readonly tls?: KeyPair;
  readonly users: Readonly<Record<string, TokenUser>>;
  /** Repositories that anybody may pull from; none by default. */
  readonly anonymousPull?: RegExp;
}

/** A request that was answered; holds no secret. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly status: number;
  /** Who got a token or was refused; `anonymous` without a login. */
  readonly user: string;
  readonly scopes: readonly string[];
  readonly userAgent: string;
}

/** A token server (Basic by GET, OAuth2 by POST) on 127.0.0.1, in this process. */
export interface TokenServer {
  /** `realm` of the registry's configuration. */
  readonly url: string;
  readonly service: string;
  readonly issuer: string;
  /** Change them at any time: how long a token lives, and what the answer says about that; without `expiresIn` the answer says the truth. */
  readonly life: { seconds: number; expiresIn?: number | undefined };
  readonly requests: TokenRequest[];
  /** For an entry with `identitytoken` in a pull secret. */
  identityToken(user: string): string;
  close(): Promise<void>;
}

interface Asked {
  readonly scopes: readonly string[];
  /** undefined: refused. */
  readonly user: string | undefined;
  readonly named: string;
  readonly wantsRefreshToken: boolean;
}

const anonymous = 'anonymous';

export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const sign = createSigner(options.signer);
  const identityTokens = new Map(Object.keys(options.users).map((user) => [user, randomBytes(16).toString('hex')]));
  const sockets = new Set<Socket>();
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  };
  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const asked = await readRequest(request, options, identityTokens);
    const status = asked === undefined ? 404 : asked.user === undefined ? 401 : 200;
    const method = request.method === 'POST' ? 'POST' : 'GET';
    const userAgent = request.headers['user-agent'] ?? '';
    server.requests.push({ method, status, user: asked?.named ?? anonymous, scopes: asked?.scopes ?? [], userAgent });
    response.writeHead(status, { 'content-type': 'application/json' });
    if (asked?.user === undefined)
      return void response.end(JSON.stringify({ errors: [{ code: status === 401 ? 'UNAUTHORIZED' : 'UNKNOWN' }] }));
    response.end(JSON.stringify(tokenFor(asked.user, asked, server, options, sign, identityTokens.get(asked.user))));
  }
  const listening = options.tls
    ? https.createServer({ cert: readFileSync(options.tls.certificate), key: readFileSync(options.tls.key) }, listener)
    : http.createServer(listener);
  listening.on('connection', (socket: Socket) => sockets.add(socket.on('close', () => sockets.delete(socket)).unref()));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  listening.unref();
  const address = listening.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const server: TokenServer = {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}/token`,
    service: 'registry.test',
    issuer: 'testbed-issuer',
    life: { seconds: 300 },
    requests: [],
    identityToken: (user) => identityTokens.get(user) ?? '',
    close: () =>
      new Promise((resolve) => {
        listening.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return server;
}

/** undefined: not a request for a token. */
async function readRequest(
  request: http.IncomingMessage,
  { users }: TokenServerOptions,
  identityTokens: ReadonlyMap<string, string>,
): Promise<Asked | undefined> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x');
  if (pathname !== '/token') return undefined;
  if (request.method === 'POST') return readForm(new URLSearchParams(await text(request)), users, identityTokens);
  if (request.method !== 'GET') return undefined;
  const scopes = searchParams.getAll('scope').flatMap((scope) => scope.split(' '));
  const wantsRefreshToken = searchParams.get('offline_token') === 'true';
  const [, base64] = /^Basic (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (base64 === undefined) return { scopes, user: anonymous, named: anonymous, wantsRefreshToken };
  const [, named = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(base64, 'base64').toString('utf8')) ?? [];
  return { scopes, named, user: accepted(users, named, password), wantsRefreshToken };
}

function readForm(form: URLSearchParams, users: TokenServerOptions['users'], identityTokens: ReadonlyMap<string, string>): Asked {
  const scopes = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const common = { scopes, wantsRefreshToken: form.get('access_type') === 'offline' };
  if (form.get('grant_type') === 'password') {
    const named = form.get('username') ?? '';
    return { ...common, named, user: accepted(users, named, form.get('password') ?? '') };
  }
  const [user] = [...identityTokens].find(([, token]) => token === form.get('refresh_token')) ?? [];
  return { ...common, named: user ?? anonymous, user };
}

function accepted(users: TokenServerOptions['users'], named: string, password: string): string | undefined {
  return Object.hasOwn(users, named) && users[named]?.password === password ? named : undefined;
}

function tokenFor(
  user: string,
  { scopes, wantsRefreshToken }: Asked,
  { issuer, service, life }: TokenServer,
  options: TokenServerOptions,
  sign: SignToken,
  refreshToken: string | undefined,
): object {
  const access = scopes.flatMap((scope) => grant(scope, user, options));
  const subject = user === anonymous ? '' : user;
  const token = sign({ issuer, audience: service, subject, access, lifeSeconds: life.seconds });
  return {
    token,
    access_token: token,
    expires_in: life.expiresIn ?? Math.max(1, life.seconds),
    issued_at: new Date().toISOString(),
    ...(wantsRefreshToken && refreshToken !== undefined && { refresh_token: refreshToken }),
  };
}

/** As token servers do it: fewer rights than were asked for are no error. */
function grant(scope: string, user: string, { users, anonymousPull }: TokenServerOptions): AccessEntry[] {
  const [, type = '', name = '', wanted = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
  const all = wanted.split(',').filter((action) => action !== '');
  const actions = user === anonymous ? all.filter((action) => action === 'pull' && anonymousPull?.test(name)) : all;
  const isCovered = user === anonymous || (users[user]?.repositories?.test(name) ?? true);
  return isCovered && actions.length > 0 ? [{ type, name, actions }] : [];
}
