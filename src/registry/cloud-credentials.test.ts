import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { aJwt, type CloudOptions, setUpClouds } from '../../test/fakes/clouds.ts';
import { aLogin } from '../../test/fakes/registry-setup.ts';
import { SecretText } from '../core/secret-text.ts';
import { ApiError } from '../errors.ts';
import type { AccountRef } from './identity-world.ts';

const signal = new AbortController().signal;
const context = { namespace: 'team', serviceAccountName: 'web', pullSecretNames: [] };
const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const keys = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'canary-env' };

/** ServiceAccounts with these annotations, whose tokens name account and audience. */
function accounts(annotations: Readonly<Record<string, string>>, asked: string[] = []) {
  return {
    read: async () => ({ uid: 'u-1', annotations }),
    token: async ({ namespace, name }: AccountRef, audience: string) => {
      asked.push(`${namespace}/${name} ${audience}`);
      return { token: `canary-of-${name}` };
    },
  };
}

async function setUp(t: TestContext, options: CloudOptions = {}) {
  const setup = await setUpClouds(t, options);
  const sources = (image: string, secrets: Parameters<typeof setup.resolve>[1] = []) => {
    const slash = image.indexOf('/');
    const repository = { registry: image.slice(0, slash), repository: image.slice(slash + 1) };
    return setup.registry.credentials(repository, secrets, context).candidates.map(({ source }) => source);
  };
  return { ...setup, sources };
}

describe('registry/cloud-credentials', () => {
  it('the order: pull secrets, the workload, the operator, the configuration, programs, anonymous', async (t) => {
    const login = { kind: 'login', source: 'registries[0]', username: 'x', password: new SecretText('y') } as const;
    const host = { hostnamePattern: '*', credential: login, insecure: false, allowPrivate: false, mirrors: [], limits: {} };
    const program = { name: 'own', path: '/bin/own', matchImages: ['*.*.*.*.*.*'], defaultCacheMs: 0, args: [], env: [] };
    const { sources, settings } = await setUp(t, {
      settings: { workloadIdentities: true, hosts: [host], credentialProviders: [program] },
      serviceAccounts: accounts({}),
    });
    assert.deepEqual(sources(`${ecr}/acme/app`, [aLogin(ecr, 'a', 'b')]), [
      'Secret team/regcred',
      'AWS identity of ServiceAccount team/web',
      'AWS identity of the operator',
      'registries[0]',
      'credential provider own',
      'anonymous',
    ]);
    assert.deepEqual(sources('ghcr.io/acme/app'), ['registries[0]', 'anonymous']);
    settings.value = { ...settings.value, cloudIdentities: false, workloadIdentities: false, hosts: [] };
    assert.deepEqual(sources(`${ecr}/acme/app`), ['credential provider own', 'anonymous']);
  });

  it('identities of workloads are off unless they are asked for', async (t) => {
    const { sources } = await setUp(t, { serviceAccounts: accounts({}) });
    assert.deepEqual(sources(`${ecr}/acme/app`), ['AWS identity of the operator', 'anonymous']);
  });

  it('choosing asks nobody: the same workload has the same fingerprint, another account another', async (t) => {
    const { registry, requests } = await setUp(t, { settings: { workloadIdentities: true } });
    const print = (serviceAccountName: string, namespace = 'team') =>
      registry.credentials({ registry: ecr, repository: 'acme/app' }, [], { ...context, namespace, serviceAccountName }).fingerprint;
    assert.equal(print('web'), print('web'));
    assert.notEqual(print('web'), print('other'));
    assert.notEqual(print('web'), print('web', 'other'));
    assert.deepEqual(requests, []);
  });

  it('a pull secret that works keeps the cloud out of it', async (t) => {
    const { addRegistry, requests, resolve } = await setUp(t, { environment: keys });
    const fake = await addRegistry(ecr);
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { bot: 'canary' } });
    assert.ok(await resolve(`${ecr}/acme/app`, [aLogin(ecr, 'bot', 'canary')]));
    assert.deepEqual(requests, []);
  });

  it('AWS: a token of the account for STS, the role of its annotation', async (t) => {
    const asked: string[] = [];
    const { addRegistry, endpoints, requests, resolve } = await setUp(t, {
      settings: { workloadIdentities: true },
      serviceAccounts: accounts({ 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/web' }, asked),
    });
    const fake = await addRegistry(ecr);
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { AWS: 'canary-ecr' } });
    const part = (name: string) => `<${name}>canary-${name}</${name}>`;
    endpoints['sts.eu-west-1.amazonaws.com'] = () => ({ body: ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(part).join('') });
    endpoints['api.ecr.eu-west-1.amazonaws.com'] = () => ({
      body: { authorizationData: [{ authorizationToken: Buffer.from('AWS:canary-ecr').toString('base64'), expiresAt: 1_800_000_000 }] },
    });
    assert.ok(await resolve(`${ecr}/acme/app`, [], context));
    assert.deepEqual(asked, ['team/web sts.amazonaws.com']);
    const form = new URLSearchParams(requests[0]?.body);
    assert.deepEqual([form.get('RoleArn'), form.get('WebIdentityToken')], ['arn:aws:iam::1:role/web', 'canary-of-web']);
  });

  it('Google: a token of the account for the pool of the GKE cluster, the service account of its annotation', async (t) => {
    const asked: string[] = [];
    const { addRegistry, endpoints, requests, resolve } = await setUp(t, {
      settings: { workloadIdentities: true },
      serviceAccounts: accounts({ 'iam.gke.io/gcp-service-account': 'web@proj.iam.gserviceaccount.com' }, asked),
    });
    const fake = await addRegistry('eu.gcr.io');
    fake.push('proj/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { oauth2accesstoken: 'canary-gsa' } });
    const facts: Record<string, string> = { 'project-id': 'proj', 'cluster-location': 'europe-west1', 'cluster-name': 'main' };
    endpoints['metadata.google.internal'] = ({ path }) => ({ body: facts[path.split('/').at(-1) ?? ''] ?? '' });
    endpoints['sts.googleapis.com'] = () => ({ body: { access_token: 'canary-federated', expires_in: 3600 } });
    endpoints['iamcredentials.googleapis.com'] = () => ({ body: { accessToken: 'canary-gsa', expireTime: '2026-01-15T11:00:00Z' } });
    assert.ok(await resolve('eu.gcr.io/proj/app', [], context));
    assert.deepEqual(asked, ['team/web proj.svc.id.goog']);
    const trade = requests.find(({ host }) => host === 'sts.googleapis.com');
    assert.equal(
      new URLSearchParams(trade?.body).get('audience'),
      'identitynamespace:proj.svc.id.goog:https://container.googleapis.com/v1/projects/proj/locations/europe-west1/clusters/main',
    );
    assert.match(requests.at(-1)?.path ?? '', /serviceAccounts\/web%40proj\.iam\.gserviceaccount\.com:generateAccessToken$/);
  });

  it('Google: elsewhere the pool of the configuration, and without an annotation the token as it is', async (t) => {
    const asked: string[] = [];
    const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster';
    const config = { type: 'external_account', audience, token_url: 'https://sts.googleapis.com/v1/token', credential_source: {} };
    const { addRegistry, endpoints, resolve } = await setUp(t, {
      settings: { workloadIdentities: true },
      environment: { GOOGLE_APPLICATION_CREDENTIALS: '/etc/google.json' },
      files: { '/etc/google.json': JSON.stringify(config) },
      serviceAccounts: accounts({}, asked),
    });
    const fake = await addRegistry('eu.gcr.io');
    fake.push('proj/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { oauth2accesstoken: 'canary-federated' } });
    endpoints['sts.googleapis.com'] = () => ({ body: { access_token: 'canary-federated', expires_in: 3600 } });
    assert.ok(await resolve('eu.gcr.io/proj/app', [], context));
    assert.deepEqual(asked, [`team/web https:${audience}`]);
  });

  it('Azure: a token of the account for the exchange, client and tenant of its annotations', async (t) => {
    const asked: string[] = [];
    const { addRegistry, endpoints, requests, resolve } = await setUp(t, {
      settings: { workloadIdentities: true },
      serviceAccounts: accounts(
        { 'azure.workload.identity/client-id': 'client-2', 'azure.workload.identity/tenant-id': 'tenant-2' },
        asked,
      ),
    });
    const fake = await addRegistry('acme.azurecr.io');
    fake.push('team/app', '1.0.0');
    const refreshToken = aJwt({ exp: 1_800_000_000 });
    Object.assign(fake.switches, { auth: 'bearer', identityTokens: [refreshToken], realm: 'https://acme.azurecr.io/token' });
    fake.switches.intercept = ({ url }, response) =>
      url === '/oauth2/exchange' && Boolean(response.writeHead(200).end(JSON.stringify({ refresh_token: refreshToken })));
    endpoints['login.microsoftonline.com'] = () => ({ body: { access_token: 'canary-aad' } });
    assert.ok(await resolve('acme.azurecr.io/team/app', [], context));
    assert.deepEqual(asked, ['team/web api://AzureADTokenExchange']);
    const form = new URLSearchParams(requests[0]?.body);
    assert.deepEqual([requests[0]?.path, form.get('client_id')], ['/tenant-2/oauth2/v2.0/token', 'client-2']);
    assert.equal(form.get('client_assertion'), 'canary-of-web');
  });

  it('an account without an annotation is passed over in silence, and the operator is next', async (t) => {
    const { addRegistry, endpoints, resolve, logged } = await setUp(t, {
      settings: { workloadIdentities: true },
      environment: keys,
      serviceAccounts: accounts({}),
    });
    const fake = await addRegistry(ecr);
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'basic', users: { AWS: 'canary-ecr' } });
    endpoints['api.ecr.eu-west-1.amazonaws.com'] = () => ({
      body: { authorizationData: [{ authorizationToken: Buffer.from('AWS:canary-ecr').toString('base64') }] },
    });
    assert.ok(await resolve(`${ecr}/acme/app`, [], context));
    assert.deepEqual(logged, []);
  });

  it('without the right to make tokens it is said, and not asked again at every look', async (t) => {
    let asked = 0;
    const { addRegistry, resolve, logged } = await setUp(t, {
      settings: { workloadIdentities: true, cloudIdentities: false },
      serviceAccounts: {
        ...accounts({ 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/web' }),
        token: async () => {
          asked++;
          throw new ApiError(403, 'Forbidden', 'cannot create resource "serviceaccounts/token"');
        },
      },
    });
    const fake = await addRegistry(ecr);
    fake.push('acme/app', '1.0.0');
    for (let looks = 0; looks < 10; looks++) assert.ok(await resolve(`${ecr}/acme/app`, [], context));
    assert.deepEqual([asked, logged.length], [1, 1]);
    assert.match(logged[0] ?? '', /a credential could not be had .*serviceaccounts\/token/);
  });

  it('what a cloud gives is not sent to a registry that speaks plain HTTP', async (t) => {
    const { registry, requests, settings } = await setUp(t, { environment: keys });
    const host = { credential: { kind: 'none' }, insecure: true, allowPrivate: true, mirrors: [], limits: {} } as const;
    settings.value = { ...settings.value, hosts: [{ ...host, hostnamePattern: '*' }] };
    const repository = { registry: ecr, repository: 'acme/app' };
    await assert.rejects(registry.resolve(repository, '1.0.0', registry.credentials(repository, []), signal));
    assert.deepEqual(requests, []);
  });
});
