import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { createOutbound } from '../../src/outbound.ts';
import type { PullSecret } from '../../src/ports.ts';
import { createRegistry } from '../../src/registry/client.ts';
import { aLogin, aPullSecret } from '../fakes/registry-setup.ts';
import { type RegistryOptions, startRegistry } from './registry.ts';
import type { Registry } from './registry.ts';
import type { RegistryDescription } from './registry-client.ts';

const ignore = (): void => undefined;

/** The ways in which a registry lets clients in. */
export const entrances = {
  'anonymous HTTP': {},
  'TLS and a password': { tls: true, username: 'robot', password: 's3cret' },
  'TLS and tokens': { tls: true, username: 'robot', password: 's3cret', tokens: true },
} as const satisfies Record<string, RegistryOptions>;

export type Client = ReturnType<typeof createRegistry>;

/** The product's client for a real registry, with a clock that a test can move; closed with the test. */
export function clientFor(t: TestContext, server: RegistryDescription): { client: Client; clock: { aheadMs: number; now(): number } } {
  const outbound = createOutbound({ userAgent: 'headwind/test' });
  const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs };
  const pem = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8'));
  const [ca, cert, key] = [server.ca, server.clientCertificate, server.clientKey].map(pem);
  const tls = ca === undefined ? undefined : { ca, ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
  const client = createRegistry({
    outbound,
    clock,
    metrics: { increment: ignore, set: ignore, observe: ignore, reset: ignore },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    tls: () => tls,
  });
  t.after(async () => {
    await client.close();
    await outbound.close();
  });
  return { client, clock };
}

/** A server and a client of its own for one test. */
export async function startPair(t: TestContext, options: RegistryOptions = {}) {
  const server = await startRegistry(options);
  t.after(() => server.stop());
  return { server, ...clientFor(t, server) };
}

/** The pull secrets with which the registry lets its user in; none where anybody may. */
export function secretsFor({ host, username, password = '' }: Pick<Registry, 'host' | 'username' | 'password'>): readonly PullSecret[] {
  return username === undefined ? [] : [aLogin(host, username, password)];
}

export function identitySecret(host: string, identitytoken: string): PullSecret {
  return aPullSecret({ [host]: { identitytoken } });
}
