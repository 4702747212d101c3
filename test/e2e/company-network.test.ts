import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { onKwok } from '../cluster/kwok.ts';
import { startRegistry } from '../cluster/registry.ts';
import type { Registry } from '../cluster/registry.ts';
import { atEnd } from './at-end.ts';
import { pullSecret } from './manifests.ts';
import { conditionOf, imagesOf, openScene } from './scene.ts';
import type { PushTarget } from './scene.ts';

/** Not of this machine, so that HTTPS and the proxy are used; one of the names in the certificate of a test registry. */
const host = 'kubernetes.default.svc:5443';
const settings = { 'require-approval': 'false', 'min-update-interval': '0' };

/** A registry with TLS and a password that is reached under another name, and only through a proxy. */
async function startNetwork(
  t: TestContext,
): Promise<{ registry: Registry; target: PushTarget; env: Record<string, string>; tunnels: string[] }> {
  const registry = await startRegistry({ tls: true, username: 'robot', password: 's3cret-of-the-test' });
  atEnd(t, () => registry.stop());
  const { url, tunnels } = await startProxy(t, Number(new URL(registry.url).port));
  const target: PushTarget = { host, push: (repository, tag, options) => registry.push(repository, tag, options) };
  return { registry, target, tunnels, env: { HTTPS_PROXY: url, HEADWIND_REGISTRY_INSECURE_HOSTS: '' } };
}

/** Tunnels to everywhere end at that port of this machine. */
async function startProxy(t: TestContext, port: number): Promise<{ url: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer().on('connect', ({ url = '' }, downstream: Socket) => {
    tunnels.push(url);
    const upstream = connect(port, '127.0.0.1', () => {
      downstream.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(downstream).pipe(upstream);
    });
    for (const socket of [upstream, downstream]) sockets.add(socket.on('error', () => socket.destroy()));
  });
  atEnd(t, () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return { url: `http://127.0.0.1:${address.port}`, tunnels };
}

describe('test/e2e/company-network', { concurrency: 2 }, () => {
  it('reaches a registry through a proxy, with an authority and a password of the company', async (t) => {
    const { registry, target, env, tunnels } = await startNetwork(t);
    const scene = await openScene(t, 'company', { registry: target, env: { ...env, NODE_EXTRA_CA_CERTS: registry.ca ?? '' } });
    await scene.cluster.apply(pullSecret('regcred', target, 'robot', 's3cret-of-the-test'), { namespace: scene.namespace });
    await scene.deploy('1.0.0', { settings, podSpec: { ...onKwok, imagePullSecrets: [{ name: 'regcred' }] } });
    await scene.release('1.1.0');
    await scene.untilImage(scene.image('1.1.0'));
    assert.deepEqual([...new Set(tunnels)], [host], 'the API server is not asked through the proxy');
  });

  it('trusts no unknown authority, sends it nothing, and says so', async (t) => {
    const { registry, target, env } = await startNetwork(t);
    const scene = await openScene(t, 'unknown-authority', { registry: target, env });
    await scene.deploy('1.0.0', { settings });
    await scene.release('1.1.0');
    const request = await scene.untilRequest('1.1.0', 'Pending');
    assert.match(conditionOf(request, 'Verified')?.message ?? '', /certificate/);
    assert.deepEqual(imagesOf(await scene.get()), [scene.image('1.0.0')]);
    assert.deepEqual(registry.requests({ userAgent: /^headwind\// }), []);
  });
});
