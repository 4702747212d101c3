import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { noRegistrySettings, type RegistrySettings } from '../core/registry-settings.ts';
import { createOutbound } from '../outbound.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createRegistry } from './client.ts';

function count<Value>(values: readonly Value[], wanted: Value): number {
  return values.filter((value) => value === wanted).length;
}

/** Holds every answer until told; counts how many are held at once. */
function gate() {
  const held: (() => void)[] = [];
  const state = { most: 0, isOpen: false };
  return {
    state,
    intercept: (_: unknown, response: ServerResponse) => {
      if (state.isOpen) return false;
      held.push(() =>
        response.writeHead(200, { 'docker-content-digest': `sha256:${'a'.repeat(64)}`, 'content-type': 'application/json' }).end(),
      );
      state.most = Math.max(state.most, held.length);
      return true;
    },
    next: () => held.shift()?.(),
    size: () => held.length,
  };
}

describe('registry/load', () => {
  it('a registry that hangs delays nobody else, and gathers no open requests', async (t) => {
    const { fake: hanging, registry, repository, signal } = await setUpRegistry(t, { limits: { timeouts: { callMs: 300 } } });
    const healthy = await startFakeRegistry();
    t.after(() => healthy.close());
    let [open, most] = [0, 0];
    hanging.switches.intercept = (_, response) => {
      most = Math.max(most, ++open);
      response.on('close', () => open--);
      return true;
    };
    const ask = async (host: string, index: number): Promise<number> => {
      const ref = repository(`acme/app${index}`, host);
      await registry.resolve(ref, '1.0.0', registry.credentials(ref, []), signal).catch(() => undefined);
      return performance.now() - started;
    };
    for (let index = 0; index < 100; index++) healthy.push(`acme/app${index}`, '1.0.0');
    const started = performance.now();
    const slow = Array.from({ length: 300 }, (_, index) => ask(hanging.host, index));
    const fast = await Promise.all(Array.from({ length: 100 }, (_, index) => ask(healthy.host, index)));
    const slowest = Math.max(...fast);
    const all = Math.max(...(await Promise.all(slow)));
    t.diagnostic(
      `100 calls of the healthy registry within ${Math.round(slowest)} ms; 300 of the one that hangs ended within ${Math.round(all)} ms`,
    );
    t.diagnostic(`at most ${most} open requests, ${hanging.requests.length} in total`);
    assert.equal(healthy.requests.length, 100);
    assert.ok(most <= 16 && hanging.requests.length <= 32, `${most} at once, ${hanging.requests.length} in total`);
    // One time limit for those that were under way, then nobody is let in any more.
    assert.ok(all < 3_000, `${all} ms`);
    await Promise.all(Array.from({ length: 100 }, (_, index) => ask(hanging.host, index)));
    assert.ok(hanging.requests.length <= 32);
  });

  it('a tenant with 500 images does not hold up one with a single image', async (t) => {
    const { fake, registry, repository, signal } = await setUpRegistry(t);
    const { intercept, next, size, state } = gate();
    fake.switches.intercept = intercept;
    const ask = async (namespace: string, name: string): Promise<void> => {
      const ref = repository(name);
      const set = registry.credentials(ref, [], { namespace, serviceAccountName: 'default', pullSecretNames: [] });
      await registry.resolve(ref, '1.0.0', set, signal);
    };
    const large = Array.from({ length: 500 }, (_, index) => ask('large', `large/app${index}`));
    await until(() => size() === 16);
    const small = ask('small', 'small/app');
    let answered = 0;
    for (; !fake.requests.some(({ url }) => url.includes('small/')); answered++) {
      next();
      await until(() => size() === 16);
    }
    t.diagnostic(`the request of the small tenant went out after ${answered} of 500 answers to the large one`);
    assert.ok(answered <= 2, `${answered} answers`);
    assert.equal(state.most, 16);
    state.isOpen = true;
    for (let index = 0; index < 500; index++) {
      fake.push(`large/app${index}`, '1.0.0');
    }
    while (size() > 0) next();
    await Promise.all([...large, small]);
  });

  it('1,000 questions for 20 tags are 20 requests, and 100 more rounds fetch no manifest', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    for (let tag = 0; tag < 20; tag++) fake.push('acme/app', `1.0.${tag}`);
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => resolve(`1.0.${index % 20}`)));
    assert.equal(fake.requests.length, 20);
    for (let round = 1; round <= 100; round++) await resolve('1.0.0');
    assert.deepEqual(
      [
        fake.requests.length,
        count(
          fake.requests.map(({ method }) => method),
          'GET',
        ),
      ],
      [120, 0],
    );
  });

  it('429 with 60 s: silent for 60 s, for everybody', async (t) => {
    const { fake, resolve, tags, repository, clock, registry } = await setUpRegistry(t);
    for (const name of ['acme/app', 'acme/web']) fake.push(name, '1.0.0');
    fake.switches.failures = [{ status: 429, headers: { 'retry-after': '60' } }];
    await assert.rejects(resolve('1.0.0'), { code: 'RateLimited', retryAfterMs: 60_000 });
    const until = clock.ms + 60_000;
    assert.equal(registry.budgetReport(fake.host)?.coolDownUntilMs, until);
    for (let second = 0; second < 60; second += 10) {
      await Promise.allSettled([resolve('1.0.0'), tags([], repository('acme/web'))]);
      clock.ms = Math.max(clock.ms, until - 60_000 + (second + 10) * 500);
      assert.equal(fake.requests.length, 1);
    }
    clock.ms = until;
    assert.ok(await resolve('1.0.0', [], repository('acme/web')));
  });

  it('the last tenth of the pulls is left to the nodes: HEAD goes on, manifests are not fetched', async (t) => {
    const { fake, registry, resolve, repository, signal, clock, seen } = await setUpRegistry(t);
    const digest = fake.push('acme/app', '1.0.0');
    const read = () => registry.contents(repository(), digest, registry.credentials(repository(), []), signal);
    const left = (remaining: number) =>
      (fake.switches.headers = {
        'ratelimit-limit': '100;w=21600',
        'ratelimit-remaining': `${remaining};w=21600`,
        'docker-ratelimit-source': '192.0.2.1',
      });
    left(9);
    await resolve('1.0.0');
    await assert.rejects(read(), {
      code: 'RateLimited',
      retryAfterMs: 15 * 60_000,
      message: /allows this account or address 9 of 100 pulls for now.*asked again in 900 s/,
    });
    assert.equal(registry.budgetReport(fake.host)?.quota?.remaining, 9);
    await resolve('1.0.0');
    assert.deepEqual(
      seen(),
      Array.from({ length: 2 }, () => 'HEAD /v2/acme/app/manifests/1.0.0'),
    );
    clock.ms += 15 * 60_000;
    left(60);
    await resolve('1.0.0');
    assert.equal((await read()).digest, digest);
  });

  it('what is left and how long a registry is left alone is in the metrics', async (t) => {
    const fake = await startFakeRegistry();
    const outbound = createOutbound({ userAgent: 'headwind/test' });
    const metrics = createMetrics({ processMetrics: false });
    const ignore = (): void => undefined;
    const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    const registry = createRegistry({ outbound, metrics, log, clock: { now: () => 1e12 }, sleep: () => Promise.resolve() });
    t.after(async () => {
      await registry.close();
      await outbound.close();
      await fake.close();
    });
    fake.push('acme/app', '1.0.0');
    fake.switches.headers = { 'ratelimit-remaining': '76;w=21600', 'docker-ratelimit-source': '192.0.2.1' };
    const ref = { registry: fake.host, repository: 'acme/app' };
    const ask = () => registry.resolve(ref, '1.0.0', registry.credentials(ref, []), AbortSignal.timeout(5_000));
    await ask();
    fake.switches.failures = [{ status: 429, headers: { 'retry-after': '60' } }];
    await assert.rejects(ask(), { code: 'RateLimited' });
    const text = await metrics.text();
    for (const line of [
      `headwind_registry_ratelimit_remaining{registry="${fake.host}"} 76`,
      `headwind_registry_cool_down_until_seconds{registry="${fake.host}"} ${1e9 + 60}`,
      `headwind_registry_requests_total{registry="${fake.host}",operation="resolve",result="ok"} 1`,
      `headwind_registry_requests_total{registry="${fake.host}",operation="resolve",result="RateLimited"} 1`,
      `headwind_registry_request_duration_seconds_count{registry="${fake.host}",operation="resolve"} 2`,
    ]) {
      assert.ok(text.includes(`${line}\n`), line);
    }
  });

  it('limits of the configuration count at once', async (t) => {
    const config: { settings: RegistrySettings } = { settings: noRegistrySettings };
    const { fake, registry, resolve } = await setUpRegistry(t, { settings: () => config.settings });
    fake.push('acme/app', '1.0.0');
    await resolve('1.0.0');
    assert.deepEqual(registry.budgetReport(fake.host)?.limits, { concurrent: 16, rate: undefined });
    const host = {
      hostnamePattern: '127.0.0.1:*',
      credential: { kind: 'none' },
      insecure: false,
      allowPrivate: false,
      mirrors: [],
    } as const;
    config.settings = { ...noRegistrySettings, hosts: [{ ...host, limits: { concurrent: 3, requestsPerSecond: 5 } }] };
    await resolve('1.0.0');
    assert.deepEqual(registry.budgetReport(fake.host)?.limits, { concurrent: 3, rate: { perSecond: 5, burst: 10 } });
  });

  it('what was never asked, or must not be, has no report', async (t) => {
    const { fake, registry } = await setUpRegistry(t, { settings: () => ({ ...noRegistrySettings, denied: ['ghcr.io'] }) });
    assert.deepEqual(
      [registry.budgetReport(fake.host), registry.budgetReport('ghcr.io'), registry.budgetReport('no host')],
      [undefined, undefined, undefined],
    );
  });
});

/** Waits for what other callbacks do; the time limit of the test ends it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
