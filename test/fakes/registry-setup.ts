import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import { createOutbound, type Outbound, type OutboundOptions } from '../../src/outbound.ts';
import type { ImageContents, PullSecret, RepositoryRef } from '../../src/ports.ts';
import { createRegistry, type RegistryOptions } from '../../src/registry/client.ts';
import { type FakeRegistry, startFakeRegistry } from './registry.ts';

export interface RegistrySetup {
  readonly fake: FakeRegistry;
  readonly registry: ReturnType<typeof createRegistry>;
  /** Moves only by hand, and by the waits of the client, which take no real time. */
  readonly clock: { ms: number; now(): number };
  readonly sleeps: number[];
  /** `registry_requests_total operation=tags result=ok …` → count. */
  readonly counts: Map<string, number>;
  /** All that was logged from info up, as text. */
  readonly logged: string[];
  /** What was logged at debug. */
  readonly debugged: string[];
  readonly signal: AbortSignal;
  /** `acme/app` of the fake registry, or another one. */
  readonly repository: (name?: string, host?: string) => RepositoryRef;
  /** Digest of a tag with these secrets. */
  readonly resolve: (reference: string, secrets?: readonly PullSecret[], repository?: RepositoryRef) => Promise<string>;
  /** What a digest of it stands for. */
  readonly contents: (digest: string, secrets?: readonly PullSecret[], repository?: RepositoryRef) => Promise<ImageContents>;
  readonly tags: (secrets?: readonly PullSecret[], repository?: RepositoryRef) => Promise<{ tags: readonly string[]; truncated: boolean }>;
  /** `METHOD path` of what the fake saw since the last call. */
  readonly seen: () => string[];
}

export interface SetupOptions extends Pick<RegistryOptions, 'limits' | 'insecureHosts' | 'settings' | 'artifactoryFallback'> {
  readonly outbound?: Partial<OutboundOptions>;
  readonly tls?: { key: string; cert: string };
  /** The client trusts the certificate of `tls` as an authority. */
  readonly isTrusted?: boolean;
  /** The fake answers for every host there is; `asked` gets method and URL of each call over HTTP. */
  readonly asked?: string[];
}

/** The real client on real HTTP against an in-memory registry; everything is closed at the end of the test. */
export async function setUpRegistry(t: TestContext, options: SetupOptions = {}): Promise<RegistrySetup> {
  const fake = await startFakeRegistry(options.tls ? { tls: options.tls } : {});
  const outbound = createOutbound({ userAgent: 'headwind/test', ...options.outbound });
  const clock = { ms: Date.parse('2026-01-15T10:00:00Z'), now: () => clock.ms };
  const sleeps: number[] = [];
  const counts = new Map<string, number>();
  const logged: string[] = [];
  const debugged: string[] = [];
  const textOf = (fields: object, message: string): string => `${message} ${JSON.stringify(fields)} ${inspect(fields)}`;
  const write = (fields: object, message: string): void => void logged.push(textOf(fields, message));
  const whisper = (fields: object, message: string): void => void debugged.push(textOf(fields, message));
  const count = (name: string, labels: Readonly<Record<string, string>> = {}): void => {
    const { registry: _, ...others } = labels;
    const text = [name, ...Object.entries(others).map(([label, value]) => `${label}=${value}`)].join(' ');
    counts.set(text, (counts.get(text) ?? 0) + 1);
  };
  const registry = createRegistry({
    outbound: options.asked ? disguised(outbound, fake.origin, options.asked) : outbound,
    clock,
    metrics: { increment: count, set: () => undefined, observe: (name, _, labels) => count(name, labels), reset: () => undefined },
    log: { debug: whisper, info: write, warn: write, error: write },
    insecureHosts: options.insecureHosts ?? [],
    limits: options.limits ?? {},
    ...(options.settings && { settings: options.settings }),
    ...(options.artifactoryFallback !== undefined && { artifactoryFallback: options.artifactoryFallback }),
    tls: () => (options.isTrusted && options.tls ? { ca: options.tls.cert } : undefined),
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      sleeps.push(ms);
      clock.ms += ms;
      return Promise.resolve();
    },
  });
  t.after(async () => {
    await registry.close();
    await outbound.close();
    await fake.close();
  });

  const { signal } = new AbortController();
  const repository = (name = 'acme/app', host = fake.host): RepositoryRef => ({ registry: host, repository: name });
  return {
    fake,
    registry,
    clock,
    sleeps,
    counts,
    logged,
    debugged,
    signal,
    repository,
    resolve: async (reference, secrets = [], ref = repository()) =>
      (await registry.resolve(ref, reference, registry.credentials(ref, secrets), signal)).digest,
    contents: (digest, secrets = [], ref = repository()) => registry.contents(ref, digest, registry.credentials(ref, secrets), signal),
    tags: (secrets = [], ref = repository()) => registry.tags(ref, registry.credentials(ref, secrets), signal),
    seen: () => fake.requests.splice(0).map(({ method, url }) => `${method} ${url}`),
  };
}

/** All hosts are the one at `origin`; the client sees those that it asked. */
function disguised(outbound: Outbound, origin: string, asked: string[]): Outbound {
  return {
    ...outbound,
    async stream(request) {
      const wanted = new URL(request.url);
      asked.push(`${request.method ?? 'GET'} ${wanted.href}`);
      const headers = { ...request.headers, 'x-asked-origin': wanted.origin };
      const answer = await outbound.stream({
        ...request,
        url: new URL(wanted.pathname + wanted.search, origin),
        headers,
        directlyNamed: true,
      });
      return { ...answer, url: new URL(answer.url.pathname + answer.url.search, wanted.origin) };
    },
  };
}

/** A dockerconfigjson Secret; entries by key, a user with a password or any entry. */
export function aPullSecret(entries: Readonly<Record<string, object>>, name = 'regcred', namespace = 'team'): PullSecret {
  return {
    namespace,
    name,
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': JSON.stringify({ auths: entries }) },
  };
}

/** A Secret with one user for one registry. */
export function aLogin(host: string, username: string, password: string, name?: string): PullSecret {
  return aPullSecret({ [host]: { username, password } }, name);
}
