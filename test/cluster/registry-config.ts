import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { dump } from 'js-yaml';
import { makeAuthority, makeClientCertificate, makeServerCertificate } from './certificates.ts';
import type { KeyPair } from './certificates.ts';
import type { RegistryDescription } from './registry-client.ts';
import { startTokenServer } from './token-server.ts';
import type { TokenServer, TokenServerOptions } from './token-server.ts';

export interface TokenOptions extends Partial<Pick<TokenServerOptions, 'users' | 'anonymousPull'>> {
  /** Key with which tokens are signed: EC P-256 (ES256) by default, or RSA (RS256). */
  readonly signedWith?: 'ec' | 'rsa';
}

export interface RegistryOptions {
  readonly log?: (line: string) => void;
  /** Of the registry's program: 3 by default; 2 is Debian's package, see docker-registry.ts. */
  readonly release?: 2 | 3;
  /** Asked for with `WWW-Authenticate: Basic realm="testbed"`; with `tokens` it is a user of the token server. */
  readonly username?: string;
  readonly password?: string;
  /** Asks for tokens of a token server of its own (in this process), with further users there. */
  readonly tokens?: boolean | TokenOptions;
  /** Serves with a certificate of an authority of its own: `ca`. */
  readonly tls?: boolean;
  /** With TLS: talks only to clients with a certificate of that authority, such as `clientCertificate`. */
  readonly clientCertificates?: boolean;
  /** Most tags on one page (release 3 only: 2 ignores what a client asks for and gives all). */
  readonly pageSize?: number;
  /** Receivers of notifications: one POST per event. */
  readonly webhooks?: readonly { url: string; headers?: Readonly<Record<string, string>> }[];
}

/** What was made for a registry before its first start. */
export interface Prepared {
  readonly ca: KeyPair | undefined;
  readonly server: KeyPair | undefined;
  readonly client: KeyPair | undefined;
  readonly signer: KeyPair | undefined;
  readonly tokenServer: TokenServer | undefined;
}

/** Storage, certificates and password file in the folder; the token server, when there is to be one, listens. */
export async function prepareRegistry(folder: string, options: RegistryOptions): Promise<Prepared> {
  const { tls = false, clientCertificates = false, tokens = false, username, password = '' } = options;
  mkdirSync(join(folder, 'storage'));
  if (username !== undefined && tokens === false) writeFileSync(join(folder, 'htpasswd'), `${username}:${await hash(password, 4)}\n`);
  const ca = tls ? await makeAuthority(folder) : undefined;
  const server = ca && (await makeServerCertificate(folder, 'registry', ca));
  const client = ca && clientCertificates ? await makeClientCertificate(folder, 'client', ca) : undefined;
  const { users = {}, signedWith, ...others }: TokenOptions = typeof tokens === 'object' ? tokens : {};
  const signer = tokens === false ? undefined : await makeAuthority(folder, 'tokens', signedWith);
  const all = { ...users, ...(username !== undefined && { [username]: { password } }) };
  const tokenServer = signer && (await startTokenServer({ ...others, users: all, signer, ...(server && { tls: server }) }));
  return { ca, server, client, signer, tokenServer };
}

/** Writes `config.yml` for that port; both releases read the same. */
export function configureRegistry(folder: string, port: number, options: RegistryOptions, prepared: Prepared): RegistryDescription {
  const { username, password = '', pageSize, webhooks = [] } = options;
  const { ca, server, client } = prepared;
  const host = `127.0.0.1:${port}`;
  const tls = server && { certificate: server.certificate, key: server.key, ...(client && { clientcas: [ca?.certificate] }) };
  const auth = authOf(folder, options, prepared);
  const endpoints = webhooks.map(endpointOf);
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'storage') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, secret: 'testbed', ...(tls && { tls }) },
    ...(auth && { auth }),
    ...(pageSize !== undefined && { tags: { maxtags: pageSize } }),
    ...(endpoints.length > 0 && { notifications: { events: { includereferences: true }, endpoints } }),
  };
  writeFileSync(join(folder, 'config.yml'), dump(config));
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    ...(ca && { ca: ca.certificate }),
    ...(client && { clientCertificate: client.certificate, clientKey: client.key }),
    ...(username !== undefined && { username, password }),
  };
}

function authOf(folder: string, { username }: RegistryOptions, { signer, tokenServer }: Prepared): object | undefined {
  if (signer && tokenServer) {
    const { url: realm, service, issuer } = tokenServer;
    return { token: { realm, service, issuer, rootcertbundle: signer.certificate } };
  }
  return username === undefined ? undefined : { htpasswd: { realm: 'testbed', path: join(folder, 'htpasswd') } };
}

function endpointOf({ url, headers = {} }: NonNullable<RegistryOptions['webhooks']>[number], index: number): object {
  return {
    name: `webhook-${index}`,
    url,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    timeout: '5s',
    threshold: 3,
    backoff: '1s',
    ignore: { mediatypes: ['application/octet-stream'] },
  };
}
