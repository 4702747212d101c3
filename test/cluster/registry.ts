import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from 'bcryptjs';
import { dump } from 'js-yaml';
import { ensureBinaries } from './binaries.ts';
import { makeAuthority, makeServerCertificate } from './certificates.ts';
import { freePort, saysPortIsTaken } from './ports.ts';
import { makeStateFolder, removeStateFolder, startProcess } from './processes.ts';
import type { ManagedProcess } from './processes.ts';
import { accessToRegistry } from './registry-client.ts';
import type { RegistryAccess, RegistryDescription } from './registry-client.ts';
import { GiveUp, until } from './until.ts';

export interface RegistryOptions {
  readonly log?: (line: string) => void;
  /** Asked for with `WWW-Authenticate: Basic realm="testbed"`. */
  readonly username?: string;
  readonly password?: string;
  /** Serves with a certificate of an authority of its own: `ca`. */
  readonly tls?: boolean;
  /** Receivers of notifications: one POST per event. */
  readonly webhooks?: readonly { url: string; headers?: Readonly<Record<string, string>> }[];
}

/** A request the registry has answered. */
export interface RegistryRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly userAgent: string;
}

/** A real OCI registry (distribution v3) on 127.0.0.1, which ends with this process at the latest. */
export interface Registry extends RegistryAccess {
  readonly pid: number;
  /** Every request answered so far, those of the fake kubelet and of `push` included (see their user agents). */
  requests(filter?: { userAgent?: RegExp; method?: string; path?: RegExp }): RegistryRequest[];
  /** Forgets the requests so far. */
  forgetRequests(): void;
  /** Hangs: connections are accepted, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Refuses connections, until `up`, which brings back the same address and content. */
  down(): Promise<void>;
  up(): Promise<void>;
  logs(lines?: number): string;
  stop(): Promise<void>;
}

const startAttempts = 4;

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const { registry: file } = await ensureBinaries(['registry'], { ...(options.log && { log: options.log }) });
  const folder = makeStateFolder('registry');
  try {
    const ca = await prepare(folder, options);
    for (let attempt = 1; ; attempt += 1) {
      const description = await configure(folder, await freePort(), options, ca);
      try {
        return registryOf(folder, file, description, await startServer(folder, file, description));
      } catch (error) {
        if (attempt === startAttempts || !(error instanceof Error && saysPortIsTaken(error.message))) throw error;
      }
    }
  } catch (error) {
    removeStateFolder(folder);
    throw error;
  }
}

/** Storage, certificate and password file; gives the path of the authority when there is one. */
async function prepare(folder: string, { tls = false, username, password = '' }: RegistryOptions): Promise<string | undefined> {
  mkdirSync(join(folder, 'storage'));
  if (username !== undefined) writeFileSync(join(folder, 'htpasswd'), `${username}:${await hash(password, 4)}\n`);
  if (!tls) return undefined;
  const authority = await makeAuthority(folder);
  await makeServerCertificate(folder, 'registry', authority);
  return authority.certificate;
}

async function configure(folder: string, port: number, options: RegistryOptions, ca: string | undefined): Promise<RegistryDescription> {
  const { username, password, webhooks = [] } = options;
  const host = `127.0.0.1:${port}`;
  const tls = { certificate: join(folder, 'registry.crt'), key: join(folder, 'registry.key') };
  const endpoints = webhooks.map(({ url, headers = {} }, index) => ({
    name: `webhook-${index}`,
    url,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    timeout: '5s',
    threshold: 3,
    backoff: '1s',
    ignore: { mediatypes: ['application/octet-stream'] },
  }));
  const config = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: join(folder, 'storage') },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: host, secret: 'testbed', ...(ca !== undefined && { tls }) },
    ...(username !== undefined && { auth: { htpasswd: { realm: 'testbed', path: join(folder, 'htpasswd') } } }),
    ...(endpoints.length > 0 && { notifications: { events: { includereferences: true }, endpoints } }),
  };
  writeFileSync(join(folder, 'config.yml'), dump(config));
  const url = `${ca === undefined ? 'http' : 'https'}://${host}`;
  return { host, url, ...(ca !== undefined && { ca }), ...(username !== undefined && { username, password: password ?? '' }) };
}

async function startServer(folder: string, file: string, description: RegistryDescription): Promise<ManagedProcess> {
  const env = { OTEL_TRACES_EXPORTER: 'none' };
  const server = await startProcess({ name: 'registry', file, args: ['serve', 'config.yml'], folder, env });
  const access = accessToRegistry(description);
  try {
    await until('the registry answers', async () => {
      if (server.ended()) throw new GiveUp(`the registry ended:\n${server.log()}`);
      return (await access.request('GET', '/v2/')).status === 200;
    });
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    access.close();
  }
}

function registryOf(folder: string, file: string, description: RegistryDescription, first: ManagedProcess): Registry {
  const access = accessToRegistry(description);
  let server = first;
  let forgotten = 0;
  const answered = () => readRequests(join(folder, 'registry.log'));
  return {
    ...access,
    get pid() {
      return server.pid;
    },
    requests: ({ userAgent, method, path } = {}) =>
      answered()
        .slice(forgotten)
        .filter((request) => (userAgent?.test(request.userAgent) ?? true) && (path?.test(request.path) ?? true))
        .filter((request) => method === undefined || method === request.method),
    forgetRequests: () => {
      forgotten = answered().length;
    },
    pause: () => {
      server.signal('SIGSTOP');
    },
    resume: () => {
      server.signal('SIGCONT');
    },
    down: () => server.stop(),
    async up() {
      if (server.ended()) server = await startServer(folder, file, description);
    },
    logs: (lines) => server.log(lines),
    async stop() {
      access.close();
      await server.stop();
      removeStateFolder(folder);
    },
  };
}

// 127.0.0.1 - - [21/Nov/2026:10:00:00 +0000] "GET /v2/team/app/tags/list?n=100 HTTP/1.1" 200 42 "" "user agent"
const accessLine = /^\S+ - \S+ \[[^\]]+\] "(?<method>[A-Z]+) (?<path>\S+) HTTP\/[\d.]+" (?<status>\d+) \d+ "[^"]*" "(?<userAgent>[^"]*)"$/;

function readRequests(logFile: string): RegistryRequest[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const { method = '', path = '', status, userAgent = '' } = accessLine.exec(line)?.groups ?? {};
      return status === undefined ? [] : [{ method, path, status: Number(status), userAgent }];
    });
}
