import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { aJwt, type CloudAnswer, type CloudEndpoint, type CloudOptions, type CloudRequest, setUpClouds } from '../../test/fakes/clouds.ts';
import type { FakeRegistry } from '../../test/fakes/registry.ts';

/** A secret, and the only hosts that may see it. */
type Secret = readonly [secret: string, hosts: readonly string[]];

interface Cloud {
  readonly title: string;
  readonly host: string;
  readonly options: CloudOptions;
  readonly endpoints: Readonly<Record<string, CloudEndpoint>>;
  readonly secrets: readonly Secret[];
  readonly prepare: (fake: FakeRegistry) => void;
}

const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ecrApi = 'api.ecr.eu-west-1.amazonaws.com';
const sts = 'sts.eu-west-1.amazonaws.com';
const gar = 'europe-docker.pkg.dev';
const acr = 'acme.azurecr.io';
const aad = aJwt({ tid: 'tenant-1' }, 'canaryaad');
const refreshToken = aJwt({ exp: 1_800_000_000 }, 'canaryrefresh');
const element = (name: string, text: string) => `<${name}>${text}</${name}>`;

const clouds: readonly Cloud[] = [
  {
    title: 'AWS',
    host: ecr,
    options: {
      environment: { AWS_ROLE_ARN: 'arn:aws:iam::1:role/r', AWS_WEB_IDENTITY_TOKEN_FILE: '/token' },
      files: { '/token': 'canaryweb' },
    },
    endpoints: {
      [sts]: () => ({
        body: [element('AccessKeyId', 'AKID'), element('SecretAccessKey', 'canarykey'), element('SessionToken', 'canarysession')].join(''),
      }),
      [ecrApi]: () => ({
        body: { authorizationData: [{ authorizationToken: Buffer.from('AWS:canaryecr').toString('base64'), expiresAt: 1_800_000_000 }] },
      }),
    },
    secrets: [
      ['canaryweb', [sts]],
      ['canarykey', []],
      ['canarysession', [ecrApi]],
      ['canaryecr', [ecr]],
      [Buffer.from('AWS:canaryecr').toString('base64'), [ecr]],
    ],
    prepare: (fake) => Object.assign(fake.switches, { auth: 'basic', users: { AWS: 'canaryecr' } }),
  },
  {
    title: 'Google',
    host: gar,
    options: {
      environment: { GOOGLE_APPLICATION_CREDENTIALS: '/google.json' },
      files: {
        '/token': 'canaryweb',
        '/google.json': JSON.stringify({
          type: 'external_account',
          audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
          token_url: 'https://sts.googleapis.com/v1/token',
          service_account_impersonation_url: 'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/x:generateAccessToken',
          credential_source: { file: '/token' },
        }),
      },
    },
    endpoints: {
      'sts.googleapis.com': () => ({ body: { access_token: 'canaryfederated', expires_in: 3600 } }),
      'iamcredentials.googleapis.com': () => ({ body: { accessToken: 'canarygsa', expireTime: '2026-01-15T11:00:00Z' } }),
    },
    secrets: [
      ['canaryweb', ['sts.googleapis.com']],
      ['canaryfederated', ['iamcredentials.googleapis.com']],
      ['canarygsa', [gar]],
      [Buffer.from('oauth2accesstoken:canarygsa').toString('base64'), [gar]],
    ],
    prepare: (fake) =>
      Object.assign(fake.switches, { auth: 'bearer', users: { oauth2accesstoken: 'canarygsa' }, realm: `https://${gar}/token` }),
  },
  {
    title: 'Azure',
    host: acr,
    options: {
      environment: { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_CLIENT_ID: 'client-1', AZURE_TENANT_ID: 'tenant-1' },
      files: { '/token': 'canaryweb' },
    },
    endpoints: { 'login.microsoftonline.com': () => ({ body: { access_token: aad } }) },
    secrets: [
      ['canaryweb', ['login.microsoftonline.com']],
      ['canaryaad', [acr]],
      ['canaryrefresh', [acr]],
    ],
    prepare: (fake) => {
      Object.assign(fake.switches, { auth: 'bearer', identityTokens: [refreshToken], realm: `https://${acr}/token` });
      const { intercept } = fake.switches;
      fake.switches.intercept = (request, response) => {
        if (request.url !== '/oauth2/exchange') return intercept?.(request, response) ?? false;
        return Boolean(response.writeHead(200).end(JSON.stringify({ refresh_token: refreshToken })));
      };
    },
  },
];

interface Stage {
  readonly fake: FakeRegistry;
  readonly endpoints: Record<string, CloudEndpoint>;
  readonly names: readonly string[];
}

const abroad = 'evil.test';
const everywhere =
  (answer: (request: CloudRequest) => CloudAnswer) =>
  ({ endpoints, names }: Stage): void => {
    for (const name of names) endpoints[name] = answer;
  };
const registryAnswers =
  (status: number, headers: Readonly<Record<string, string>>) =>
  ({ fake }: Stage): void => {
    fake.switches.intercept = ({ headers: sent, url }, response) =>
      url.startsWith('/v2/') && Boolean(sent['authorization']) && Boolean(response.writeHead(status, headers).end());
  };

const mishaps: readonly (readonly [string, (stage: Stage) => void])[] = [
  ['nothing', () => undefined],
  ['the cloud echoes', everywhere((request) => ({ body: { ...request } }))],
  ['the cloud echoes an error', everywhere(({ body, headers }) => ({ status: 400, body: { error: body, error_description: headers } }))],
  ['the cloud redirects', everywhere(({ path }) => ({ status: 307, headers: { location: `https://${abroad}${path}` }, body: '' }))],
  ['the cloud gives a page', everywhere(() => ({ body: '<html>' }))],
  ['the cloud fails', everywhere(({ body }) => ({ status: 500, body }))],
  ['the registry refuses', registryAnswers(401, { 'www-authenticate': 'Basic realm="x"' })],
  ['the registry denies', registryAnswers(403, {})],
  ['the registry redirects', registryAnswers(307, { location: `https://${abroad}/v2/` })],
  [
    'the registry names another token endpoint',
    ({ fake }) => Object.assign(fake.switches, { auth: 'bearer', realm: `https://${abroad}/token` }),
  ],
];

async function play(t: TestContext, cloud: Cloud, mishap: (stage: Stage) => void) {
  const setup = await setUpClouds(t, cloud.options);
  const fake = await setup.addRegistry(cloud.host);
  fake.push('acme/app', '1.0.0');
  Object.assign(setup.endpoints, cloud.endpoints);
  mishap({ fake, endpoints: setup.endpoints, names: Object.keys(cloud.endpoints) });
  cloud.prepare(fake);
  setup.endpoints[abroad] ??= () => ({ body: { token: 'of-evil' } });
  const outcomes = [];
  for (let looks = 0; looks < 2; looks++) {
    outcomes.push(...(await Promise.allSettled([setup.resolve(`${cloud.host}/acme/app`)])));
    setup.clock.ms += 600_000;
  }
  const repository = { registry: cloud.host, repository: 'acme/app' };
  const set = setup.registry.credentials(repository, []);
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [String(outcome.reason.stack), String(outcome.reason)] : [],
  );
  const printed = [
    inspect(outcomes, { depth: 9, showHidden: true }),
    inspect(set, { depth: 9, showHidden: true }),
    JSON.stringify([outcomes, set]),
    ...errors,
    ...setup.logged,
    ...setup.counted,
  ];
  return { ...setup, fake, printed, outcomes };
}

describe('registry/cloud-canary', () => {
  for (const cloud of clouds) {
    for (const [title, mishap] of mishaps) {
      it(`${cloud.title}: no secret is printed or reaches a host it is not for: ${title}`, async (t) => {
        const { fake, printed, requests } = await play(t, cloud, mishap);
        const toHosts = new Map<string, string[]>([[cloud.host, fake.requests.map((request) => JSON.stringify(request))]]);
        for (const { host, ...request } of requests) toHosts.set(host, [...(toHosts.get(host) ?? []), JSON.stringify(request)]);
        for (const [secret, hosts] of cloud.secrets) {
          assert.deepEqual(
            printed.filter((text) => text.includes(secret)),
            [],
          );
          for (const [host, texts] of toHosts) {
            if (!hosts.includes(host)) assert.ok(!texts.some((text) => text.includes(secret)), `${host} saw ${secret}`);
          }
        }
        const urls = [...fake.requests.map(({ url }) => url), ...requests.map(({ path }) => path)];
        assert.ok(urls.every((url) => !url.includes('canary')));
      });
    }

    it(`${cloud.title}: each secret does reach the host that it is for`, async (t) => {
      const { fake, requests, outcomes } = await play(t, cloud, () => undefined);
      assert.ok(outcomes.every(({ status }) => status === 'fulfilled'));
      const seen = requests.map(({ host, ...request }) => `${host} ${JSON.stringify(request)}`);
      seen.push(...fake.requests.map((request) => `${cloud.host} ${JSON.stringify(request)}`));
      for (const [secret, hosts] of cloud.secrets.filter(([text]) => text !== 'canaryecr' && text !== 'canarygsa')) {
        for (const host of hosts)
          assert.ok(
            seen.some((line) => line.startsWith(host) && line.includes(secret)),
            `${host} ${secret}`,
          );
      }
    });
  }
});
