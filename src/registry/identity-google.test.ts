import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type CloudOptions, setUpClouds } from '../../test/fakes/clouds.ts';

const host = 'europe-docker.pkg.dev';
const image = `${host}/proj/repo/app`;
const metadata = 'metadata.google.internal';
const hour = 3_600_000;
const scope = 'https://www.googleapis.com/auth/cloud-platform';

async function setUp(t: TestContext, options: CloudOptions = {}) {
  const setup = await setUpClouds(t, options);
  const fake = await setup.addRegistry(host);
  fake.push('proj/repo/app', '1.0.0');
  const users = { oauth2accesstoken: 'canary-token' };
  Object.assign(fake.switches, { auth: 'bearer', users, realm: `https://${host}/token` });
  return { ...setup, fake };
}

/** As `gcloud iam workload-identity-pools create-cred-config` writes it. */
function aConfiguration(more: object = {}): string {
  return JSON.stringify({
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    credential_source: { file: '/var/run/token', format: { type: 'text' } },
    ...more,
  });
}

function federated(configuration: string, token = 'canary-web\n'): CloudOptions {
  const files = { '/etc/google.json': configuration, '/var/run/token': token };
  return { environment: { GOOGLE_APPLICATION_CREDENTIALS: '/etc/google.json' }, files };
}

const formOf = ({ body }: { body: string } = { body: '' }) => Object.fromEntries(new URLSearchParams(body));

describe('registry/identity-google', () => {
  it('on Google its metadata server gives the token, which is a password of the user oauth2accesstoken', async (t) => {
    const { clock, endpoints, fake, requests, resolve, seen } = await setUp(t);
    endpoints[metadata] = ({ headers }) =>
      headers['metadata-flavor'] === 'Google'
        ? { body: { access_token: 'canary-token', expires_in: 3599, token_type: 'Bearer' } }
        : { status: 403, body: '' };
    assert.ok(await resolve(image));
    assert.deepEqual([requests[0]?.isMetadata, requests[0]?.headers['authorization']], [true, undefined]);
    assert.deepEqual(seen(), [`${metadata} GET /computeMetadata/v1/instance/service-accounts/default/token`]);
    const login = `Basic ${Buffer.from('oauth2accesstoken:canary-token').toString('base64')}`;
    assert.ok(fake.requests.some(({ url, headers }) => url.startsWith('/token') && headers['authorization'] === login));
    await resolve(image);
    clock.ms += hour;
    await resolve(image);
    assert.equal(seen().length, 1);
  });

  it('elsewhere the token of the cluster is traded at STS', async (t) => {
    const { endpoints, requests, resolve } = await setUp(t, federated(aConfiguration()));
    endpoints['sts.googleapis.com'] = () => ({ body: { access_token: 'canary-token', expires_in: 3600, token_type: 'Bearer' } });
    assert.ok(await resolve(image));
    assert.equal(requests[0]?.path, '/v1/token');
    assert.deepEqual(formOf(requests[0]), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
      scope,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: 'canary-web',
    });
  });

  it('and where the configuration says so a service account is impersonated', async (t) => {
    const url =
      'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/reader@proj.iam.gserviceaccount.com:generateAccessToken';
    const format = { type: 'json', subject_token_field_name: 'id_token' };
    const config = aConfiguration({ service_account_impersonation_url: url, credential_source: { file: '/var/run/token', format } });
    const { endpoints, requests, resolve } = await setUp(t, federated(config, '{"id_token":"canary-json"}'));
    endpoints['sts.googleapis.com'] = () => ({ body: { access_token: 'canary-federated', expires_in: 3600 } });
    endpoints['iamcredentials.googleapis.com'] = () => ({ body: { accessToken: 'canary-token', expireTime: '2026-01-15T11:00:00Z' } });
    assert.ok(await resolve(image));
    assert.equal(formOf(requests[0])['subject_token'], 'canary-json');
    assert.equal(requests[1]?.headers['authorization'], 'Bearer canary-federated');
    assert.deepEqual([requests[1]?.path, JSON.parse(requests[1]?.body ?? '')], [new URL(url).pathname, { scope: [scope] }]);
  });

  for (const [title, more] of [
    ['token endpoint', { token_url: 'https://evil.test/v1/token' }],
    ['token endpoint over http', { token_url: 'http://sts.googleapis.com/v1/token' }],
    ['token endpoint with a port', { token_url: 'https://sts.googleapis.com:8443/v1/token' }],
    ['token endpoint that only ends so', { token_url: 'https://evil-sts.googleapis.com.evil.test/' }],
    ['impersonation', { service_account_impersonation_url: 'https://evil.test/x' }],
  ] as const) {
    it(`a foreign ${title} gets nothing`, async (t) => {
      const { endpoints, requests, resolve } = await setUp(t, federated(aConfiguration(more)));
      for (const each of ['evil.test', 'sts.googleapis.com:8443', 'evil-sts.googleapis.com.evil.test'])
        endpoints[each] = () => ({ body: {} });
      endpoints['sts.googleapis.com'] = () => ({ body: { access_token: 'canary-federated', expires_in: 3600 } });
      await assert.rejects(resolve(image), /\/etc\/google\.json names an address that is none of Google's/);
      assert.ok(requests.every(({ host: to }) => to === 'sts.googleapis.com'));
    });
  }

  it('a key file is none, and it is said where it belongs', async (t) => {
    const { resolve } = await setUp(t, federated(aConfiguration({ type: 'service_account', private_key: 'canary' })));
    await assert.rejects(resolve(image), (error) => {
      assert.match(String(error), /belongs into a pull secret, as the password of the user _json_key/);
      assert.doesNotMatch(String(error), /canary/);
      return true;
    });
  });

  it('elsewhere, without a configuration, the registry is tried anonymously and nothing is said', async (t) => {
    const { fake, resolve, logged } = await setUp(t);
    fake.switches.anonymousPull = true;
    assert.ok(await resolve(image));
    assert.deepEqual(logged, []);
  });

  for (const body of ['not json', {}, { access_token: '' }, { access_token: 7 }]) {
    it(`an answer ${JSON.stringify(body)} is no token`, async (t) => {
      const { endpoints, resolve } = await setUp(t);
      endpoints[metadata] = () => ({ body });
      await assert.rejects(resolve(image), {
        code: 'Unauthorized',
        message: /Google identity of the operator \(it could not be had: the metadata server gave no/,
      });
    });
  }
});
