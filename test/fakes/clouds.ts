import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { RegistrySettings } from '../../src/core/registry-settings.ts';
import { noRegistrySettings } from '../../src/core/registry-settings.ts';
import { OutboundError } from '../../src/errors.ts';
import { createOutbound, type Outbound, type OutboundRequest } from '../../src/outbound.ts';
import type { PullContext, PullSecret, RepositoryRef } from '../../src/ports.ts';
import { createRegistry } from '../../src/registry/client.ts';
import type { IdentityWorld } from '../../src/registry/identity-world.ts';
import { type FakeRegistry, startFakeRegistry } from './registry.ts';
import { type RecordedRequest, recordRequest } from './registry-wire.ts';

/** What the client sent, with the name it was meant for. */
export interface CloudRequest extends RecordedRequest {
  readonly host: string;
  readonly path: string;
  readonly isMetadata: boolean;
}

export interface CloudAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | object;
}

export type CloudEndpoint = (request: CloudRequest) => CloudAnswer | undefined | Promise<CloudAnswer | undefined>;

export interface CloudSetup {
  readonly clock: { ms: number; now(): number };
  readonly registry: ReturnType<typeof createRegistry>;
  /** Endpoints by host; a host without one cannot be reached. Change them at any time. */
  readonly endpoints: Record<string, CloudEndpoint>;
  /** All that reached an endpoint, in order. */
  readonly requests: CloudRequest[];
  /** A registry in memory under this name. */
  readonly addRegistry: (host: string) => Promise<FakeRegistry>;
  /** Changes count at the next call. */
  readonly settings: { value: RegistrySettings };
  readonly logged: string[];
  /** What was logged at debug. */
  readonly debugged: string[];
  /** All that was counted, as text. */
  readonly counted: string[];
  /** Digest of `1.0.0`. */
  readonly resolve: (image: string, secrets?: readonly PullSecret[], context?: PullContext) => Promise<string>;
  /** `host METHOD path` of what the endpoints saw since the last call. */
  readonly seen: () => string[];
}

export interface CloudOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Path → text; may change. */
  readonly files?: Record<string, string>;
  readonly serviceAccounts?: IdentityWorld['serviceAccounts'];
  readonly settings?: Partial<RegistrySettings>;
}

const asked = 'x-asked-url';

/** The real registry client, real HTTP, and the services of the clouds behind their real names: only the way there is bent to this machine. */
export async function setUpClouds(t: TestContext, options: CloudOptions = {}): Promise<CloudSetup> {
  const requests: CloudRequest[] = [];
  const endpoints: Record<string, CloudEndpoint> = {};
  const registries = new Map<string, FakeRegistry>();
  const origin = await startEndpoints(t, endpoints, requests);
  const real = createOutbound({ userAgent: 'headwind/test' });
  const outbound = bent(real, (host) => registries.get(host)?.origin ?? (Object.hasOwn(endpoints, host) ? origin : undefined));
  const clock = { ms: Date.parse('2026-01-15T10:00:00Z'), now: () => clock.ms };
  const settings = { value: { ...noRegistrySettings, ...options.settings } };
  const logged: string[] = [];
  const debugged: string[] = [];
  const textOf = (fields: object, message: string): string => `${message} ${JSON.stringify(fields)} ${inspect(fields)}`;
  const write = (fields: object, message: string): void => void logged.push(textOf(fields, message));
  const whisper = (fields: object, message: string): void => void debugged.push(textOf(fields, message));
  const counted: string[] = [];
  const count = (name: string, labels: object = {}): void => void counted.push(`${name} ${JSON.stringify(labels)}`);
  const registry = createRegistry({
    outbound,
    clock,
    settings: () => settings.value,
    identities: worldOf(options),
    metrics: {
      increment: count,
      set: (name, _, labels) => count(name, labels),
      observe: (name, _, labels) => count(name, labels),
      reset: () => undefined,
    },
    log: { debug: whisper, info: write, warn: write, error: write },
    sleep: (ms) => Promise.resolve(void (clock.ms += ms)),
  });
  t.after(async () => {
    await registry.close();
    await real.close();
  });
  const { signal } = new AbortController();
  return {
    clock,
    registry,
    endpoints,
    requests,
    settings,
    logged,
    debugged,
    counted,
    addRegistry: async (host) => {
      const fake = await startFakeRegistry();
      t.after(() => fake.close());
      registries.set(host, fake);
      return fake;
    },
    resolve: async (image, secrets = [], context) => {
      const repository = repositoryOf(image);
      return (await registry.resolve(repository, '1.0.0', registry.credentials(repository, secrets, context), signal)).digest;
    },
    seen: () => requests.splice(0).map(({ host, method, path }) => `${host} ${method} ${path}`),
  };
}

function repositoryOf(image: string): RepositoryRef {
  const slash = image.indexOf('/');
  return { registry: image.slice(0, slash), repository: image.slice(slash + 1) };
}

function worldOf({ environment = {}, files = {}, serviceAccounts }: CloudOptions): IdentityWorld {
  return {
    environment,
    readFile: async (path) => {
      const text = files[path];
      if (text !== undefined) return text;
      throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT', syscall: 'open' });
    },
    serviceAccounts,
  };
}

async function startEndpoints(t: TestContext, endpoints: Record<string, CloudEndpoint>, requests: CloudRequest[]): Promise<string> {
  const server = createServer((incoming, response) => {
    void (async () => {
      const request = await recordRequest(incoming);
      const { url, isMetadata } = JSON.parse(request.headers[asked] ?? '{}');
      const { host, pathname, search } = new URL(url);
      const seen: CloudRequest = { ...request, host, path: pathname + search, isMetadata };
      requests.push(seen);
      const answer = (await endpoints[host]?.(seen)) ?? { status: 404, body: 'not found' };
      const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
      response.writeHead(answer.status ?? 200, answer.headers).end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  // A server that listens on a port has an address with one; it is a text for pipes only.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends what is meant for a host to where it is on this machine, and nothing anywhere else. */
function bent(real: Outbound, originOf: (host: string) => string | undefined): Outbound {
  function bend(request: OutboundRequest): { wanted: URL; there: OutboundRequest } {
    const wanted = new URL(request.url);
    const origin = originOf(wanted.host);
    if (origin === undefined) throw new OutboundError('Unreachable', wanted.origin, 'getaddrinfo ENOTFOUND');
    const { metadataService = false, ...others } = request;
    const headers = { ...request.headers, [asked]: JSON.stringify({ url: wanted.href, isMetadata: metadataService }) };
    return { wanted, there: { ...others, headers, url: new URL(wanted.pathname + wanted.search, origin), directlyNamed: true } };
  }

  return {
    request: async (request) => {
      const { wanted, there } = bend(request);
      return { ...(await real.request(there)), url: wanted };
    },
    stream: async (request) => {
      const { wanted, there } = bend(request);
      return { ...(await real.stream(there)), url: wanted };
    },
    close: () => real.close(),
  };
}

/** A token in the form of a JWT, signed by nobody. */
export function aJwt(claims: object, signature = 'sig'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${signature}`;
}
