import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type FakeApiServer, startApiServer } from '../../test/fakes/api-server.ts';
import { type FakeRegistry, startFakeRegistry } from '../../test/fakes/registry.ts';
import { parseImageReference } from '../core/image-reference.ts';
import type { RegistryCheck } from '../operator/check-registry.ts';
import { checkRegistryOnce, type RegistryCheckQuery } from './check-registry.ts';

function dockerSecret(name: string, host: string, username: string, password: string) {
  const config = JSON.stringify({ auths: { [host]: { username, password } } });
  const data = { '.dockerconfigjson': Buffer.from(config).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop' }, type: 'kubernetes.io/dockerconfigjson', data };
}

function aDeployment(image: string, pullSecrets: readonly string[]) {
  const imagePullSecrets = pullSecrets.map((name) => ({ name }));
  const spec = { template: { spec: { containers: [{ name: 'web', image }], imagePullSecrets } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec };
}

async function aPlace(t: TestContext): Promise<{ api: FakeApiServer; fake: FakeRegistry; environment: Record<string, string> }> {
  const api = await startApiServer(t);
  const fake = await startFakeRegistry();
  const folder = mkdtempSync(join(tmpdir(), 'headwind-check-'));
  t.after(async () => {
    rmSync(folder, { recursive: true });
    await fake.close();
  });
  const kubeconfig = join(folder, 'config');
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster: { server: api.url } }],
    users: [{ name: 'test', user: { token: 'x' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  fake.push('team/app', '1.0.0');
  Object.assign(fake.switches, { auth: 'bearer', users: { bot: 'canary-right' } });
  return { api, fake, environment: { KUBECONFIG: kubeconfig } };
}

function aQuery(image: string, overrides: Partial<RegistryCheckQuery> = {}): RegistryCheckQuery {
  const reference = parseImageReference(image);
  assert.ok(!('invalid' in reference));
  const wanted = reference.tag ?? 'latest';
  return { reference, wanted, noCluster: false, namespace: undefined, workload: undefined, flags: {}, ...overrides };
}

async function checkOf(query: RegistryCheckQuery, environment: Record<string, string>): Promise<RegistryCheck> {
  const reply = await checkRegistryOnce(query, { environment, version: 'test' });
  assert.ok('check' in reply, JSON.stringify(reply));
  assert.doesNotMatch(JSON.stringify(reply), /canary/);
  return reply.check;
}

const workload = { kind: 'Deployment', name: 'web' } as const;

describe('compose/check-registry', () => {
  it('tries the pull secrets of a workload in their order, and names them only', async (t) => {
    const { api, fake, environment } = await aPlace(t);
    const image = `${fake.host}/team/app:1.0.0`;
    // Not managed, and looked at nevertheless.
    api.objects.put('/apis/apps/v1/deployments', aDeployment(image, ['old', 'new', 'gone']));
    api.objects.put('/api/v1/secrets', dockerSecret('old', fake.host, 'bot', 'canary-wrong'));
    api.objects.put('/api/v1/secrets', dockerSecret('new', fake.host, 'bot', 'canary-right'));
    const check = await checkOf(aQuery(image, { workload }), environment);
    assert.deepEqual(
      check.tried.slice(0, 2).map(({ operation, source, outcome, httpStatus }) => [operation, source, outcome, httpStatus]),
      [
        ['resolve', 'Secret shop/old', 'login', 401],
        ['resolve', 'Secret shop/new', 'accepted', 200],
      ],
    );
    assert.deepEqual(
      [check.ok, check.pullsAs, check.tags, check.credentials],
      [true, 'Deployment shop/web', { count: 1, complete: true }, ['Secret shop/old', 'Secret shop/new', 'anonymous']],
    );
    assert.match(check.notes.join(), /PullSecretMissing: Secret shop\/gone/);
    assert.deepEqual([...new Set(api.requests.map(({ method }) => method))], ['GET']);
  });

  it('takes the pull secrets of the ServiceAccount default without a workload', async (t) => {
    const { api, fake, environment } = await aPlace(t);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'team' } };
    api.objects.put('/api/v1/serviceaccounts', { ...account, imagePullSecrets: [{ name: 'regcred' }] });
    const secret = dockerSecret('regcred', fake.host, 'bot', 'canary-right');
    api.objects.put('/api/v1/secrets', { ...secret, metadata: { name: 'regcred', namespace: 'team' } });
    const check = await checkOf(aQuery(`${fake.host}/team/app:1.0.0`, { namespace: 'team' }), environment);
    assert.deepEqual([check.ok, check.pullsAs, check.credentials[0]], [true, 'ServiceAccount team/default', 'Secret team/regcred']);
  });

  it('says what to do when no credential is accepted', async (t) => {
    const { api, fake, environment } = await aPlace(t);
    const image = `${fake.host}/team/app:1.0.0`;
    api.objects.put('/apis/apps/v1/deployments', aDeployment(image, ['regcred']));
    api.objects.put('/api/v1/secrets', dockerSecret('regcred', fake.host, 'bot', 'canary-wrong'));
    const { ok, failures } = await checkOf(aQuery(image, { workload }), environment);
    assert.deepEqual([ok, failures.map(({ code }) => code)], [false, ['Unauthorized']]);
    assert.match(failures[0]?.advice ?? '', /valid login for .* into Secret shop\/regcred/);
  });

  it('needs no cluster', async (t) => {
    const { fake, api } = await aPlace(t);
    fake.switches.auth = 'none';
    const check = await checkOf(aQuery(`${fake.host}/team/app:1.0.0`, { noCluster: true }), {});
    assert.deepEqual([check.ok, check.pullsAs, check.credentials], [true, null, ['anonymous']]);
    assert.deepEqual(check.transport, ['plain HTTP: the host is this machine']);
    assert.deepEqual(api.requests, []);
  });

  it('tells what is left of a quota, and a cool-down', async (t) => {
    const { fake } = await aPlace(t);
    fake.switches.auth = 'none';
    fake.switches.headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' };
    const fresh = await checkOf(aQuery(`${fake.host}/team/app:1.0.0`, { noCluster: true }), {});
    assert.deepEqual([fresh.quotaRemaining, fresh.coolDownSeconds], [76, null]);
    fake.switches.failures.push({ status: 429, headers: { 'retry-after': '120' } });
    const limited = await checkOf(aQuery(`${fake.host}/team/app:1.0.0`, { noCluster: true }), {});
    assert.deepEqual([limited.ok, limited.failures[0]?.code], [false, 'RateLimited']);
    assert.ok(limited.coolDownSeconds !== null && limited.coolDownSeconds > 100 && limited.coolDownSeconds <= 120);
  });

  it('notes what is wrong with a configured credential, and what the registry warns of', async (t) => {
    const { fake, environment } = await aPlace(t);
    Object.assign(fake.switches, { auth: 'none', headers: { warning: '299 - "moving soon"' } });
    const folder = (environment['KUBECONFIG'] ?? '').replace(/config$/, '');
    const entries = { 'reg.example': { auth: 'canary!' }, [fake.host]: { username: 'bot', password: 'canary-right' } };
    writeFileSync(join(folder, '.dockerconfigjson'), JSON.stringify({ auths: entries, credsStore: 'desktop' }));
    const file = join(folder, 'headwind.yaml');
    writeFileSync(file, `registries: [{hostnamePattern: "*", secret: {type: ImagePullSecret, mountPath: "${folder}"}}]\n`);
    const check = await checkOf(aQuery(`${fake.host}/team/app:1.0.0`, { noCluster: true }), { HEADWIND_CONFIG_PATH: file });
    assert.equal(check.ok, true);
    assert.deepEqual(
      check.notes.map((note) => note.replace(folder, '<folder>/')),
      [
        '<folder>/.dockerconfigjson names credential helpers (credsStore, credHelpers), which are ignored',
        '<folder>/.dockerconfigjson: the entry for "reg.example" is ignored: "auth" is not base64',
        'registry warns: moving soon',
      ],
    );
  });

  it('counts what file and ConfigMap of the operator say', async (t) => {
    const { api, fake, environment } = await aPlace(t);
    const file = environment['KUBECONFIG']?.replace(/config$/, 'headwind.yaml') ?? '';
    const secret = `{type: Opaque, username: bot, token: "\${REGISTRY_TOKEN}"}`;
    writeFileSync(file, `deniedRegistries: []\nregistries: [{hostnamePattern: "*", secret: ${secret}}]\n`);
    const image = `${fake.host}/team/app:1.0.0`;
    const fromFile = { ...environment, HEADWIND_CONFIG_PATH: file, REGISTRY_TOKEN: 'canary-right' };
    const check = await checkOf(aQuery(image, { noCluster: true }), fromFile);
    assert.deepEqual([check.ok, check.tried[0]?.outcome, check.credentials.length], [true, 'accepted', 2]);
    assert.match(check.credentials[0] ?? '', /registries/);
    const metadata = { name: 'headwind-config', namespace: 'headwind-system' };
    const data = { 'config.yaml': 'deniedRegistries: ["127.0.0.1:*"]\n' };
    api.objects.put('/api/v1/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    const denied = await checkOf(aQuery(image), fromFile);
    assert.deepEqual([denied.ok, denied.failures[0]?.code, denied.tried], [false, 'Blocked', []]);
    assert.match(denied.forbidden ?? '', /deniedRegistries/);
  });

  const failures = [
    ['no kubeconfig', {}, 'usage', /--no-cluster asks without one/],
    ['a bad setting', { HEADWIND_REGISTRY_INSECURE_HOSTS: 'http://x' }, 'usage', /HEADWIND_REGISTRY_INSECURE_HOSTS/],
  ] as const;
  for (const [title, environment, failed, says] of failures) {
    it(`${title}: ${failed}`, async () => {
      const reply = await checkRegistryOnce(aQuery('nginx'), { environment: { ...environment }, version: 'test' });
      assert.ok('failed' in reply);
      assert.equal(reply.failed, failed);
      assert.match(reply.message, says);
    });
  }

  it('a workload that is not there: refused', async (t) => {
    const { environment } = await aPlace(t);
    const reply = await checkRegistryOnce(aQuery('nginx', { workload }), { environment, version: 'test' });
    assert.equal('failed' in reply && reply.failed, 'refused');
  });
});
