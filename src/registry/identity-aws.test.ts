import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type CloudEndpoint, type CloudOptions, setUpClouds } from '../../test/fakes/clouds.ts';

const host = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const image = `${host}/acme/app`;
const api = 'api.ecr.eu-west-1.amazonaws.com';
const sts = 'sts.eu-west-1.amazonaws.com';
const head = 'HEAD /v2/acme/app/manifests/1.0.0';
const hour = 3_600_000;
const expiration = '2026-01-15T16:00:00Z';

/** `GetAuthorizationToken` as AWS documents it; the password counts up, the life is 12 hours. */
function ecrApi(passwords: { given: number }, clock: { ms: number }): CloudEndpoint {
  return () => {
    const authorizationToken = Buffer.from(`AWS:canary-${++passwords.given}`).toString('base64');
    const expiresAt = clock.ms / 1000 + 12 * 3600 + 0.123;
    return { body: { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: `https://${host}` }] } };
  };
}

const stsAnswer = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult><Credentials>
    <AccessKeyId>AKIDSTS</AccessKeyId><SecretAccessKey>canary-sts/+</SecretAccessKey>
    <SessionToken>canary-session==</SessionToken><Expiration>${expiration}</Expiration>
  </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;
const instanceKeys = { AccessKeyId: 'AKIDNODE', SecretAccessKey: 'canary-node', Token: 'canary-node-token', Expiration: expiration };

/** An ECR that takes the passwords given so far, and its API. */
async function setUp(t: TestContext, options: CloudOptions = {}) {
  const setup = await setUpClouds(t, options);
  const fake = await setup.addRegistry(host);
  fake.push('acme/app', '1.0.0');
  Object.assign(fake.switches, { auth: 'basic', users: { AWS: 'canary-1' } });
  const passwords = { given: 0 };
  setup.endpoints[api] = ecrApi(passwords, setup.clock);
  const logins = () => fake.requests.splice(0).map(({ headers, method, url }) => `${method} ${url} ${headers['authorization'] ?? '-'}`);
  return { ...setup, fake, passwords, logins };
}

const basic = (password: string) => `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`;
const irsa: CloudOptions = {
  environment: { AWS_ROLE_ARN: 'arn:aws:iam::1:role/r', AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/token', AWS_REGION: 'us-east-1' },
  files: { '/var/run/token': 'canary-web\n' },
};

describe('registry/identity-aws', () => {
  it('IRSA: trades the token of the file at STS, without a signature, for keys; with them it asks ECR for a login', async (t) => {
    const { endpoints, requests, resolve, logins } = await setUp(t, irsa);
    endpoints[sts] = () => ({ body: stsAnswer });
    assert.ok(await resolve(image));
    assert.deepEqual(logins(), [`${head} -`, `${head} ${basic('canary-1')}`]);
    const [toSts, toEcr] = requests;
    assert.deepEqual(Object.fromEntries(new URLSearchParams(toSts?.body)), {
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::1:role/r',
      RoleSessionName: 'headwind',
      WebIdentityToken: 'canary-web',
    });
    assert.deepEqual([toSts?.path, toSts?.headers['authorization']], ['/', undefined]);
    assert.deepEqual([toEcr?.host, toEcr?.method, toEcr?.path, toEcr?.body], [api, 'POST', '/', '{}']);
    assert.equal(toEcr?.headers['x-amz-target'], 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken');
    assert.equal(toEcr?.headers['x-amz-security-token'], 'canary-session==');
    assert.match(
      toEcr?.headers['authorization'] ?? '',
      /^AWS4-HMAC-SHA256 Credential=AKIDSTS\/20260115\/eu-west-1\/ecr\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
    );
  });

  it('EKS Pod Identity: keys of the agent, with the token of the file', async (t) => {
    const { endpoints, requests, resolve } = await setUp(t, {
      environment: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/var/run/pod-token',
      },
      files: { '/var/run/pod-token': 'canary-pod' },
    });
    endpoints['169.254.170.23'] = () => ({ body: instanceKeys });
    assert.ok(await resolve(image));
    assert.deepEqual(
      requests.slice(0, 1).map(({ host: to, path, headers, isMetadata }) => [to, path, headers['authorization'], isMetadata]),
      [['169.254.170.23', '/v1/credentials', 'canary-pod', true]],
    );
  });

  for (const uri of ['http://10.0.0.1/keys', 'https://169.254.170.23/v1', 'http://evil.test/', 'nonsense']) {
    it(`keys are not fetched from ${uri}`, async (t) => {
      const { requests, resolve } = await setUp(t, { environment: { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } });
      await assert.rejects(resolve(image), /AWS_CONTAINER_CREDENTIALS_FULL_URI must lead to 169\.254\.170\.23/);
      assert.deepEqual(requests, []);
    });
  }

  it('keys of the environment', async (t) => {
    const { requests, resolve } = await setUp(t, { environment: { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'canary-env' } });
    assert.ok(await resolve(image));
    assert.match(
      requests[0]?.headers['authorization'] ?? '',
      /Credential=AKIDENV\/.*SignedHeaders=content-type;host;x-amz-date;x-amz-target,/,
    );
  });

  it('IMDSv2: a token first, then the keys of the role of the instance', async (t) => {
    const { endpoints, requests, resolve, seen } = await setUp(t);
    endpoints['169.254.169.254'] = ({ method, path, headers }) => {
      if (method === 'PUT') return headers['x-aws-ec2-metadata-token-ttl-seconds'] ? { body: 'canary-imds' } : undefined;
      if (headers['x-aws-ec2-metadata-token'] !== 'canary-imds') return { status: 401, body: '' };
      return path.endsWith('/security-credentials/') ? { body: 'node-role' } : { body: instanceKeys };
    };
    assert.ok(await resolve(image));
    assert.ok(requests.slice(0, 3).every(({ isMetadata }) => isMetadata));
    assert.deepEqual(seen().slice(0, 3), [
      '169.254.169.254 PUT /latest/api/token',
      '169.254.169.254 GET /latest/meta-data/iam/security-credentials/',
      '169.254.169.254 GET /latest/meta-data/iam/security-credentials/node-role',
    ]);
  });

  it('ECR Public: a login of us-east-1, by its own API', async (t) => {
    const { endpoints, requests, resolve, addRegistry } = await setUp(t, irsa);
    const fake = await addRegistry('public.ecr.aws');
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'bearer', users: { AWS: 'canary-p' }, realm: 'https://public.ecr.aws/token' });
    endpoints['sts.us-east-1.amazonaws.com'] = () => ({ body: stsAnswer });
    const authorizationToken = Buffer.from('AWS:canary-p').toString('base64');
    endpoints['api.ecr-public.us-east-1.amazonaws.com'] = () => ({
      body: { authorizationData: { authorizationToken, expiresAt: 1_800_000_000 } },
    });
    assert.ok(await resolve('public.ecr.aws/acme/app'));
    assert.equal(requests[1]?.headers['x-amz-target'], 'SpencerFrontendService.GetAuthorizationToken');
    assert.match(requests[1]?.headers['authorization'] ?? '', /\/us-east-1\/ecr-public\/aws4_request/);
  });

  it('one login serves all repositories of the region until it is renewed at four fifths of its life, while the old one still serves', async (t) => {
    const { clock, endpoints, fake, passwords, resolve, seen } = await setUp(t, irsa);
    endpoints[sts] = () => ({ body: stsAnswer });
    fake.push('acme/web', '1.0.0');
    await Promise.all(Array.from({ length: 20 }, (_, index) => resolve(`${host}/acme/${index % 2 ? 'web' : 'app'}`)));
    assert.deepEqual(seen(), [`${sts} POST /`, `${api} POST /`]);
    clock.ms += 8.6 * hour;
    await resolve(image);
    assert.deepEqual(seen(), []);
    Object.assign(fake.switches.users, { AWS: 'canary-1' });
    clock.ms += 2 * hour;
    await Promise.all([resolve(image), resolve(image)]);
    // The renewal runs beside the call that caused it.
    while (passwords.given < 2) await new Promise(setImmediate);
    assert.deepEqual(seen(), [`${sts} POST /`, `${api} POST /`]);
    assert.equal(fake.requests.at(-1)?.headers['authorization'], basic('canary-1'));
  });

  for (const status of [401, 403] as const) {
    it(`a kept login that is refused (${status}) is fetched anew, once`, async (t) => {
      const { clock, endpoints, fake, resolve, logins, seen } = await setUp(t, irsa);
      endpoints[sts] = () => ({ body: stsAnswer });
      await resolve(image);
      clock.ms += hour;
      fake.switches.intercept = ({ headers }, response) =>
        headers['authorization'] === basic('canary-1') &&
        Boolean(response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end());
      Object.assign(fake.switches.users, { AWS: 'canary-2' });
      logins();
      seen();
      assert.ok(await resolve(image));
      assert.deepEqual(logins(), [`${head} ${basic('canary-1')}`, `${head} ${basic('canary-2')}`]);
      assert.deepEqual(seen(), [`${sts} POST /`, `${api} POST /`]);
    });
  }

  it('a login that is refused for ever costs a handful of requests in an hour', async (t) => {
    const { clock, endpoints, fake, requests, resolve, logins } = await setUp(t, irsa);
    endpoints[sts] = () => ({ body: stsAnswer });
    fake.switches.users = { AWS: 'another' };
    for (let looks = 0; looks < 80; looks++) {
      await assert.rejects(resolve(image), { code: 'Unauthorized' });
      clock.ms += 45_000;
    }
    assert.ok(logins().filter((line) => line.includes('Basic')).length <= 10);
    assert.ok(requests.length <= 20);
  });

  it('where there is no identity the registry is tried without, and the cloud is not asked again for ten minutes', async (t) => {
    const { clock, endpoints, fake, requests, resolve, logged } = await setUp(t);
    endpoints['169.254.169.254'] = () => ({ status: 404, body: '' });
    fake.switches.auth = 'none';
    for (let looks = 0; looks < 10; looks++) {
      assert.ok(await resolve(image));
      clock.ms += 55_000;
    }
    assert.deepEqual([requests.length, logged], [1, []]);
  });

  it('an identity that is refused is told with its reason, without its token', async (t) => {
    const { endpoints, resolve, logged } = await setUp(t, irsa);
    endpoints[sts] = ({ body }) => ({ status: 403, body: `<Error><Code>AccessDenied</Code><Message>${body}</Message></Error>` });
    await assert.rejects(resolve(image), (error) => {
      assert.ok(error instanceof Error);
      assert.match(
        error.message,
        /AWS identity of the operator \(it could not be had: sts\.eu-west-1\.amazonaws\.com answered HTTP 403 AccessDenied\)/,
      );
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
    assert.ok(logged.some((line) => line.includes('could not be had')));
    assert.ok(logged.every((line) => !line.includes('canary')));
  });

  it('a token file that is missing is told', async (t) => {
    const { resolve } = await setUp(t, { ...irsa, files: {} });
    await assert.rejects(resolve(image), /AWS identity of the operator \(it could not be had: ENOENT: .*'\/var\/run\/token'\)/);
  });

  for (const [title, answer] of [
    ['no JSON', '<html>'],
    ['no data', {}],
    ['an empty list', { authorizationData: [] }],
    ['a token of nobody', { authorizationData: [{ authorizationToken: 'AAAA' }] }],
    ['a token that is none', { authorizationData: [{ authorizationToken: 5 }] }],
  ] as const) {
    it(`an answer of ECR with ${title} is no login`, async (t) => {
      const { endpoints, resolve } = await setUp(t, irsa);
      endpoints[sts] = () => ({ body: stsAnswer });
      endpoints[api] = () => ({ body: answer });
      await assert.rejects(resolve(image), {
        code: 'Unauthorized',
        message: /it could not be had: api\.ecr\.eu-west-1\.amazonaws\.com gave/,
      });
    });
  }

  it('an answer of STS without keys is none', async (t) => {
    const { endpoints, resolve } = await setUp(t, irsa);
    endpoints[sts] = () => ({ body: stsAnswer.replace('canary-session==', '&lt;x&gt;') });
    await assert.rejects(resolve(image), /sts\.eu-west-1\.amazonaws\.com gave no "SessionToken"/);
  });
});
