import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBinaries } from './binaries.ts';
import { findDockerRegistry } from './docker-registry.ts';
import { freePort, saysPortIsTaken } from './ports.ts';
import { makeStateFolder, removeStateFolder, startProcess } from './processes.ts';
import type { ManagedProcess } from './processes.ts';
import { accessToRegistry } from './registry-client.ts';
import type { RegistryAccess, RegistryDescription } from './registry-client.ts';
import { configureRegistry, prepareRegistry } from './registry-config.ts';
import type { RegistryOptions } from './registry-config.ts';
import type { TokenServer } from './token-server.ts';
import { GiveUp, until } from './until.ts';

export type { RegistryOptions } from './registry-config.ts';

/** A request the registry has answered. */
export interface RegistryRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  readonly userAgent: string;
}

/** A real OCI registry (distribution 3, or 2) on 127.0.0.1, which ends with this process at the latest. */
export interface Registry extends RegistryAccess {
  readonly pid: number;
  /** What it keeps, as its filesystem driver lays it out. */
  readonly storageFolder: string;
  /** Of a registry that asks for tokens. */
  readonly tokenServer: TokenServer | undefined;
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

/** Starts one; rejects when the older release is wanted and not to be had (ask `findDockerRegistry` first). */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const file = await programOf(options);
  const folder = makeStateFolder('registry');
  let tokenServer: TokenServer | undefined;
  try {
    const prepared = await prepareRegistry(folder, options);
    tokenServer = prepared.tokenServer;
    for (let attempt = 1; ; attempt += 1) {
      const description = configureRegistry(folder, await freePort(), options, prepared);
      try {
        return registryOf({ folder, file, tokenServer }, description, await startServer(folder, file, description));
      } catch (error) {
        if (attempt === startAttempts || !(error instanceof Error && saysPortIsTaken(error.message))) throw error;
      }
    }
  } catch (error) {
    await tokenServer?.close();
    removeStateFolder(folder);
    throw error;
  }
}

async function programOf({ release = 3, log }: RegistryOptions): Promise<string> {
  if (release === 3) return (await ensureBinaries(['registry'], { ...(log && { log }) })).registry;
  const found = await findDockerRegistry({ ...(log && { log }) });
  if ('missing' in found) throw new Error(found.missing);
  return found.path;
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

interface Place {
  readonly folder: string;
  readonly file: string;
  readonly tokenServer: TokenServer | undefined;
}

function registryOf({ folder, file, tokenServer }: Place, description: RegistryDescription, first: ManagedProcess): Registry {
  const access = accessToRegistry(description);
  let server = first;
  let forgotten = 0;
  const answered = () => readRequests(join(folder, 'registry.log'));
  return {
    ...access,
    tokenServer,
    storageFolder: join(folder, 'storage'),
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
      await tokenServer?.close();
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
