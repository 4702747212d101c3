import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeKubeconfig } from '../cluster/access.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { call } from './call.ts';
import { executable, startOperator } from './operator.ts';

interface Run {
  readonly code: number;
  readonly output: string;
}

/** Runs to the end; what it must not do here is to stay. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const { PATH = '' } = process.env;
  return new Promise((resolve, reject) => {
    execFile(executable, [...args], { env: { PATH, HOME: '/nowhere', ...env }, timeout: 10_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: `${stdout}${stderr}` });
    });
  });
}

const noPorts = { HEADWIND_WEBHOOK_PORT: '0', HEADWIND_API_PORT: '0', HEADWIND_METRICS_PORT: '0' };

describe('test/e2e/process', () => {
  it('prints help and ends with 2 without a command, and with 0 when it is asked for', async () => {
    const bare = await run([]);
    assert.equal(bare.code, 2);
    assert.match(bare.output, /run/);
    assert.equal((await run(['--help'])).code, 0);
    assert.match((await run(['--version'])).output, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await run(['walk'])).code, 2);
  });

  it('names every mistake of its configuration at once and ends with 1', async () => {
    const env = { HEADWIND_POLLING_INTERVAL: 'often', HEADWIND_API_AUTH_MODE: 'open', HEADWIND_API_PORT: '-1' };
    const { code, output } = await run(['run'], env);
    assert.equal(code, 1);
    for (const variable of Object.keys(env)) assert.match(output, new RegExp(`${variable}: .* is `));
  });

  it('names the port that somebody else has, and ends with 1', async (t) => {
    const { cluster } = await sharedCluster();
    const other = createServer();
    atEnd(t, () => other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    assert.ok(typeof address === 'object' && address);
    const env = { ...noPorts, HEADWIND_API_PORT: String(address.port), KUBECONFIG: cluster.kubeconfig };
    const { code, output } = await run(['run'], env);
    assert.equal(code, 1);
    assert.match(output, new RegExp(`api server cannot listen on port ${address.port} .*HEADWIND_API_PORT`));
  });

  it('says that it found no cluster, and ends with 1', async () => {
    const { code, output } = await run(['run'], noPorts);
    assert.equal(code, 1);
    assert.match(output, /kubeconfig/i);
  });

  it('stays alive while no API server answers, says so, and ends by SIGTERM', async (t) => {
    const { cluster } = await sharedCluster();
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    assert.ok(typeof address === 'object' && address);
    await new Promise((resolve) => closed.close(resolve));
    const kubeconfig = join(cluster.folder, `unreachable-${address.port}.kubeconfig`);
    writeKubeconfig(kubeconfig, { url: `https://127.0.0.1:${address.port}`, ca: cluster.ca, user: 'nobody', token: 'none' });
    const operator = await startOperator(t, { cluster, kubeconfig, until: 'listening' });
    assert.equal((await call(`${operator.metrics}/healthz`)).status, 200);
    const ready = await call(`${operator.metrics}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(ready.text, /updaterequests\.headwind\.sh/);
    assert.equal((await call(`${operator.api}/api/v1/updates`)).status, 503);
    const startedAt = performance.now();
    assert.equal((await operator.stop()).code, 0);
    assert.ok(performance.now() - startedAt < 5_000);
  });

  it('says that its namespace is missing, and never makes it', async (t) => {
    const { cluster } = await sharedCluster();
    const watched = await cluster.namespace('homeless');
    atEnd(t, () => watched.delete());
    const missing = `${watched.name}-missing`;
    const env = { HEADWIND_NAMESPACE: missing, HEADWIND_WATCH_NAMESPACES: watched.name };
    const operator = await startOperator(t, { cluster, kubeconfig: cluster.kubeconfig, env, until: 'listening' });
    await cluster.until('/readyz names the namespace', async (see) => {
      const { status, text } = await call(`${operator.metrics}/readyz`);
      see(text);
      return status === 503 && text.includes(missing);
    });
    assert.equal(await cluster.admin.get(`/api/v1/namespaces/${missing}`), undefined);
  });
});
