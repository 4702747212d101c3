import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { aJwt, type CloudOptions, setUpClouds } from '../../test/fakes/clouds.ts';

const host = 'acme.azurecr.io';
const image = `${host}/team/app`;
const hour = 3_600_000;
const federated: CloudOptions = {
  environment: { AZURE_FEDERATED_TOKEN_FILE: '/var/run/token', AZURE_CLIENT_ID: 'client-1', AZURE_TENANT_ID: 'tenant-1' },
  files: { '/var/run/token': 'canary-web\n' },
};
const aadToken = aJwt({ tid: 'tenant-of-token' }, 'canary-aad');

/** A registry of Azure: its exchange gives refresh tokens of three hours, its token endpoint trades them. */
async function setUp(t: TestContext, options: CloudOptions = {}) {
  const setup = await setUpClouds(t, options);
  const fake = await setup.addRegistry(host);
  fake.push('team/app', '1.0.0');
  const challenge = `Bearer realm="https://${host}/token",service="${host}",scope="<scope>"`;
  Object.assign(fake.switches, { auth: 'bearer', challenge, tokenField: 'access_token' });
  fake.switches.intercept = (request, response) => {
    if (request.url !== '/oauth2/exchange') return false;
    const form = new URLSearchParams(request.body);
    if (form.get('access_token') !== aadToken) return Boolean(response.writeHead(401).end());
    const token = aJwt({ exp: (setup.clock.ms + 3 * hour) / 1000 }, `canary-refresh-${fake.switches.identityTokens.length}`);
    fake.switches.identityTokens.push(token);
    return Boolean(response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ refresh_token: token })));
  };
  const formsTo = (path: string) =>
    fake.requests.filter(({ url }) => url === path).map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
  return { ...setup, fake, formsTo };
}

describe('registry/identity-azure', () => {
  it('workload identity: the token of the cluster is traded for one of Entra ID, that for a refresh token of the registry, that for access', async (t) => {
    const { endpoints, fake, formsTo, requests, resolve } = await setUp(t, federated);
    endpoints['login.microsoftonline.com'] = () => ({ body: { token_type: 'Bearer', expires_in: 3599, access_token: aadToken } });
    assert.ok(await resolve(image));
    assert.equal(requests[0]?.path, '/tenant-1/oauth2/v2.0/token');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(requests[0]?.body)), {
      grant_type: 'client_credentials',
      client_id: 'client-1',
      scope: 'https://containerregistry.azure.net/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'canary-web',
    });
    assert.deepEqual(formsTo('/oauth2/exchange'), [
      { grant_type: 'access_token', service: host, tenant: 'tenant-of-token', access_token: aadToken },
    ]);
    const [form] = formsTo('/token');
    assert.deepEqual(
      [form?.['grant_type'], form?.['service'], form?.['refresh_token']],
      ['refresh_token', host, fake.switches.identityTokens[0]],
    );
    assert.equal(form?.['scope'], 'repository:team/app:pull repository:team/app:pull,metadata_read,content_read');
  });

  it('the metadata of the instance, as the identity that the environment names', async (t) => {
    const { endpoints, requests, resolve } = await setUp(t, { environment: { AZURE_CLIENT_ID: 'client-1' } });
    endpoints['169.254.169.254'] = ({ headers }) =>
      headers['metadata'] === 'true' ? { body: { access_token: aadToken, expires_in: '86399', token_type: 'Bearer' } } : undefined;
    assert.ok(await resolve(image));
    const url = new URL(`http://x${requests[0]?.path}`);
    assert.equal(requests[0]?.isMetadata, true);
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      'api-version': '2018-02-01',
      resource: 'https://containerregistry.azure.net/',
      client_id: 'client-1',
    });
  });

  it('the refresh token lives as long as it says, and is renewed before', async (t) => {
    const { clock, endpoints, formsTo, resolve } = await setUp(t, federated);
    endpoints['login.microsoftonline.com'] = () => ({ body: { access_token: aadToken } });
    await resolve(image);
    clock.ms += 2 * hour;
    await resolve(image);
    assert.equal(formsTo('/oauth2/exchange').length, 1);
    clock.ms += hour;
    await resolve(image);
    assert.equal(formsTo('/oauth2/exchange').length, 2);
  });

  for (const authority of ['https://login.partner.microsoftonline.cn/', 'https://login.microsoftonline.us']) {
    it(`${authority} is an authority`, async (t) => {
      const { endpoints, resolve } = await setUp(t, {
        ...federated,
        environment: { ...federated.environment, AZURE_AUTHORITY_HOST: authority },
      });
      endpoints[new URL(authority).host] = () => ({ body: { access_token: aadToken } });
      assert.ok(await resolve(image));
    });
  }

  for (const authority of [
    'https://evil.test/',
    'http://login.microsoftonline.com/',
    'https://login.microsoftonline.com.evil.test/',
    'x',
  ]) {
    it(`${authority} is none, and gets nothing`, async (t) => {
      const { endpoints, requests, resolve } = await setUp(t, {
        ...federated,
        environment: { ...federated.environment, AZURE_AUTHORITY_HOST: authority },
      });
      endpoints['evil.test'] = () => ({ body: {} });
      await assert.rejects(resolve(image), /AZURE_AUTHORITY_HOST names none of Microsoft's hosts/);
      assert.deepEqual(requests, []);
    });
  }

  it('a tenant cannot lead the request elsewhere', async (t) => {
    const environment = { ...federated.environment, AZURE_TENANT_ID: '..//evil.test/x' };
    const { endpoints, requests, resolve } = await setUp(t, { ...federated, environment });
    endpoints['login.microsoftonline.com'] = () => ({ body: { access_token: aadToken } });
    assert.ok(await resolve(image));
    assert.equal(requests[0]?.path, '/..%2F%2Fevil.test%2Fx/oauth2/v2.0/token');
  });

  it('what the environment lacks is said', async (t) => {
    const { resolve } = await setUp(t, { ...federated, environment: { AZURE_FEDERATED_TOKEN_FILE: '/var/run/token' } });
    await assert.rejects(resolve(image), /AZURE_CLIENT_ID and AZURE_TENANT_ID are needed/);
  });

  it('a registry that refuses the exchange is told without the token', async (t) => {
    const { endpoints, resolve, logged } = await setUp(t, federated);
    endpoints['login.microsoftonline.com'] = () => ({ body: { access_token: aJwt({}, 'canary-other') } });
    await assert.rejects(resolve(image), (error) => {
      assert.match(String(error), /Azure identity of the operator \(it could not be had: acme\.azurecr\.io answered HTTP 401\)/);
      return true;
    });
    assert.ok(logged.every((line) => !line.includes('canary')));
  });
});
