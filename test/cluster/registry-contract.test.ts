import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { createOutbound } from '../../src/outbound.ts';
import { createRegistry } from '../../src/registry/client.ts';
import { describeRegistry } from '../contracts/registry.ts';
import { aLogin } from '../fakes/registry-setup.ts';
import { type RegistryOptions, startRegistry } from './registry.ts';

const { signal } = new AbortController();
const ignore = (): void => undefined;

/** The product's client and a real distribution registry. */
async function start(t: TestContext, options: RegistryOptions = {}) {
  const server = await startRegistry(options);
  const outbound = createOutbound({ userAgent: 'headwind/test' });
  const ca = server.ca === undefined ? undefined : readFileSync(server.ca, 'utf8');
  const registry = createRegistry({
    outbound,
    clock: { now: () => Date.now() },
    metrics: { increment: ignore, set: ignore, observe: ignore, reset: ignore },
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    tls: () => (ca === undefined ? undefined : { ca }),
  });
  t.after(async () => {
    await registry.close();
    await outbound.close();
    await server.stop();
  });
  return { server, registry, host: server.host, repository: { registry: server.host, repository: 'acme/app' } };
}

describe('test/cluster/registry-contract', () => {
  describeRegistry('the client against distribution', async (t) => {
    const { server, registry, host } = await start(t);
    let pushes = 0;
    return { registry, host, push: (repository, tag) => server.push(repository, tag, { salt: String(++pushes) }) };
  });

  it('reads every page of a long list', async (t) => {
    const { server, registry, repository } = await start(t);
    const names = Array.from({ length: 1_203 }, (_, index) => `1.0.${index}`);
    await server.pushAll('acme/app', names, { platforms: ['linux/amd64'], index: false });
    const list = await registry.tags(repository, registry.credentials(repository, []), signal);
    assert.deepEqual([new Set(list.tags), list.truncated], [new Set(names), false]);
  });

  it('logs in behind TLS of its own authority', async (t) => {
    const { server, registry, repository, host } = await start(t, { tls: true, username: 'robot', password: 's3cret' });
    const digest = await server.push('acme/app', '1.0.0');
    const login = (password: string) => registry.credentials(repository, [aLogin(host, 'robot', password)]);
    assert.deepEqual(await registry.resolve(repository, '1.0.0', login('s3cret'), signal), { digest });
    await assert.rejects(registry.resolve(repository, '1.0.0', login('wrong'), signal), { code: 'Unauthorized', httpStatus: 401 });
  });
});
