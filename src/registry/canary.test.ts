import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type FakeRegistry, startFakeRegistry } from '../../test/fakes/registry.ts';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { noRegistrySettings, type OperatorCredential, type RegistrySettings } from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';
import type { PullSecret } from '../ports.ts';
import type { Call } from './call.ts';
import { createExchange } from './exchange.ts';
import { chooseCredentials } from './keychain.ts';
import { createMeter } from './meter.ts';

const canary = 'canarysecret';
/** Every form in which the secret might travel. */
const forms = [canary, Buffer.from(`bot:${canary}`).toString('base64'), encodeURIComponent(`bot:${canary}`), 'token-'];

type Mishap = (fake: FakeRegistry, abroad: FakeRegistry) => void;

const mishaps: readonly (readonly [string, Mishap])[] = [
  ['nothing', () => undefined],
  ['401 for ever', (fake) => Object.assign(fake.switches, { auth: 'bearer', acceptTokens: false })],
  ['a refused login', (fake) => Object.assign(fake.switches, { auth: 'bearer', users: { bot: 'other' } })],
  ['a refused Basic login', (fake) => Object.assign(fake.switches, { auth: 'basic', users: { bot: 'other' } })],
  ['a missing right', (fake) => Object.assign(fake.switches, { auth: 'bearer', denied: ['bot acme/app', 'identity acme/app'] })],
  ['a token endpoint that fails', (fake) => Object.assign(fake.switches, { auth: 'bearer', tokenStatus: 500 })],
  ['a token endpoint that is missing', (fake) => Object.assign(fake.switches, { auth: 'bearer', tokenStatus: 404 })],
  ['a token endpoint that echoes', (fake) => intercept(fake, '/token', (request) => [200, JSON.stringify(request)])],
  ['a token endpoint that echoes an error', (fake) => intercept(fake, '/token', (request) => [418, JSON.stringify(request)])],
  ['a token endpoint that echoes as an error code', (fake) => intercept(fake, '/token', echoedCode)],
  ['a registry that echoes', (fake) => intercept(fake, '/v2/', (request) => [400, JSON.stringify(request)], 'basic')],
  ['a registry that echoes as an error code', (fake) => intercept(fake, '/v2/', echoedCode, 'basic')],
  [
    'a registry that echoes into the challenge',
    (fake) => Object.assign(fake.switches, { auth: 'basic', challenge: `Basic realm="${forms[1]}` }),
  ],
  [
    'a registry that echoes into a list',
    (fake) => intercept(fake, '/v2/', (request) => [200, JSON.stringify({ tags: request.headers })], 'basic'),
  ],
  ['a redirect to another origin', redirectAbroad('/v2/', 'basic')],
  ['a redirect of the token endpoint', redirectAbroad('/token', 'bearer')],
  [
    'a redirect with a login at the other end',
    (fake, abroad) => {
      redirectAbroad('/v2/', 'basic')(fake, abroad);
      Object.assign(abroad.switches, { auth: 'bearer', anonymousPull: true });
    },
  ],
  [
    'a redirect to an origin that refuses and names a token endpoint of its own',
    (fake, abroad) => {
      fake.switches.intercept = (request, response) =>
        Boolean(response.writeHead(307, { location: `${abroad.origin}${request.url}` }).end());
      const challenge = `Bearer realm="${abroad.origin}/token",service="abroad"`;
      abroad.switches.intercept = ({ url }, response) =>
        url.startsWith('/v2/') && Boolean(response.writeHead(403, { 'www-authenticate': challenge }).end());
    },
  ],
  [
    'a link to another origin',
    (fake, abroad) => Object.assign(fake.switches, { auth: 'basic', headers: { link: `<${abroad.origin}/x>; rel="next"` } }),
  ],
  [
    'an unreachable registry',
    (fake) => Object.assign(fake.switches, { intercept: (_: unknown, response: { destroy(): void }) => (response.destroy(), true) }),
  ],
  ['a hanging registry', (fake) => Object.assign(fake.switches, { intercept: () => true })],
  ['a realm with a password', (fake) => Object.assign(fake.switches, { auth: 'bearer', realm: `http://bot:${canary}@127.0.0.1/token` })],
];

/** How a registry's credential comes to the client. */
interface Way {
  readonly secrets?: readonly PullSecret[];
  readonly settings?: Partial<RegistrySettings>;
}

const asBot = { username: 'bot', password: canary };
const programAnswer = (host: string) => ({
  apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
  kind: 'CredentialProviderResponse',
  cacheKeyType: 'Registry',
  auth: { [host]: asBot },
});

const ways: readonly (readonly [string, (host: string) => Way])[] = [
  ['user and password', (host) => ({ secrets: [aLogin(host, 'bot', canary)] })],
  ['auth', (host) => ({ secrets: [aPullSecret({ [host]: { auth: Buffer.from(`bot:${canary}`).toString('base64') } })] })],
  ['an identity token', (host) => ({ secrets: [aPullSecret({ [host]: { identitytoken: canary } })] })],
  ['a registry token', (host) => ({ secrets: [aPullSecret({ [host]: { registrytoken: canary } })] })],
  ['a configured login', () => configured({ kind: 'login', source: 'x', username: 'bot', password: new SecretText(canary) })],
  ['a configured token', () => configured({ kind: 'bearer', source: 'x', token: new SecretText(canary) })],
  [
    'a configured docker config',
    (host) => {
      const text = new SecretText(JSON.stringify({ auths: { [host]: asBot } }));
      return configured({ kind: 'docker-config', source: 'x', text, legacy: false });
    },
  ],
  [
    'a program',
    (host) => {
      const args = ['-e', 'process.stdout.write(process.argv[1])', JSON.stringify(programAnswer(host))];
      const program = { name: 'own', path: process.execPath, matchImages: [host], defaultCacheMs: 60_000, args, env: [] };
      return { settings: { credentialProviders: [program] } };
    },
  ],
];

function configured(credential: OperatorCredential): Way {
  return { settings: { hosts: [{ hostnamePattern: '*', credential, insecure: false, allowPrivate: false, mirrors: [], limits: {} }] } };
}

describe('registry/canary', () => {
  for (const [title, cause] of mishaps) {
    it(`no secret leaves its registry or is printed: ${title}`, async (t) => {
      let settings: RegistrySettings = noRegistrySettings;
      const { fake, registry, resolve, tags, repository, logged, debugged, counts } = await setUpRegistry(t, {
        limits: { timeouts: { callMs: 100 } },
        settings: () => settings,
      });
      const abroad = await startFakeRegistry();
      t.after(() => abroad.close());
      for (const one of [fake, abroad]) one.push('acme/app', '1.0.0');
      Object.assign(fake.switches, { users: { bot: canary }, identityTokens: [canary] });
      cause(fake, abroad);
      const printed: string[] = [];
      for (const [, make] of ways) {
        const { secrets = [], settings: more } = make(fake.host);
        settings = { ...noRegistrySettings, ...more };
        const outcomes = await Promise.allSettled([resolve('1.0.0', secrets), tags(secrets)]);
        const set = registry.credentials(repository(), secrets);
        printed.push(
          inspect(outcomes, { depth: 9, showHidden: true }),
          JSON.stringify(outcomes),
          inspect(set, { depth: 9 }),
          JSON.stringify(set),
        );
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') printed.push(String(outcome.reason), String(outcome.reason.stack));
      }
      const elsewhere = abroad.requests.map((request) => JSON.stringify(request));
      const urls = fake.requests.map(({ url }) => url);
      for (const text of [...printed, ...logged, ...debugged, ...counts.keys(), ...elsewhere, ...urls]) {
        // An anonymous token that the other origin itself gave may go back there.
        const found = forms.filter((form) => text.includes(form) && !(form === 'token-' && elsewhere.includes(text)));
        assert.deepEqual(found, [], text);
      }
    });
  }

  for (const [title, make] of ways) {
    it(`the canary does reach its own registry: ${title}`, async (t) => {
      const way: { settings: RegistrySettings } = { settings: noRegistrySettings };
      const { fake, resolve, tags } = await setUpRegistry(t, { settings: () => way.settings });
      fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, { auth: 'both', users: { bot: canary }, identityTokens: [canary] });
      const { secrets = [], settings } = make(fake.host);
      way.settings = { ...noRegistrySettings, ...settings };
      await Promise.allSettled([resolve('1.0.0', secrets), tags(secrets)]);
      assert.ok(fake.requests.some((request) => forms.slice(0, 2).some((form) => JSON.stringify(request).includes(form))));
    });
  }

  it('the credential of one registry is not sent to another one', async (t) => {
    const { fake, resolve, repository } = await setUpRegistry(t);
    const other = await startFakeRegistry();
    t.after(() => other.close());
    for (const one of [fake, other]) one.push('acme/app', '1.0.0');
    for (const one of [fake, other]) Object.assign(one.switches, { auth: 'basic', users: { bot: canary } });
    const secret = aPullSecret({
      [fake.host]: { username: 'bot', password: canary },
      [other.host]: { username: 'bot', password: 'different' },
    });
    await resolve('1.0.0', [secret]);
    await assert.rejects(resolve('1.0.0', [secret], repository('acme/app', other.host)), { code: 'Unauthorized' });
    assert.ok(other.requests.every((request) => !forms.slice(0, 2).some((form) => JSON.stringify(request).includes(form))));
  });
});

describe('registry/canary, another address of one call', () => {
  it('gets no credential of the registry', async () => {
    const repository = { registry: 'registry.example.com', repository: 'acme/app' };
    const secret = aPullSecret({ [repository.registry]: { registrytoken: canary } });
    const seen: (readonly [string, string | undefined])[] = [];
    const exchange = createExchange({
      send: async (_, { url, headers }) => {
        seen.push([url.host, headers?.['authorization']]);
        return { status: 200, headers: {}, url, body: Buffer.alloc(0) };
      },
      clock: { now: () => 0 },
      log: new RecordingLog(),
      meter: createMeter(new RecordingMetrics()),
    });
    const call: Call = {
      endpoint: { registry: repository.registry, origin: `https://${repository.registry}`, quirks: {} },
      repository: repository.repository,
      operation: 'resolve',
      task: 'x',
      credentials: chooseCredentials(repository, [secret], Buffer.alloc(32, 1)),
      signal: new AbortController().signal,
    };
    const request = { method: 'GET', maxBytes: 1, operation: 'resolve' } as const;
    for (const host of [repository.registry, 'elsewhere.example.com', `${repository.registry}:8443`])
      await exchange(call, { ...request, url: new URL(`https://${host}/v2/`) });
    assert.deepEqual(seen, [
      [repository.registry, `Bearer ${canary}`],
      ['elsewhere.example.com', undefined],
      [`${repository.registry}:8443`, undefined],
    ]);
  });
});

type Seen = FakeRegistry['requests'][number];

function intercept(fake: FakeRegistry, path: string, answer: (request: Seen) => readonly [number, string], auth = 'bearer'): void {
  fake.switches.auth = auth === 'basic' ? 'basic' : 'bearer';
  fake.switches.intercept = (request, response) => {
    if (!request.url.startsWith(path) || !(request.headers['authorization'] || request.body)) return false;
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    return true;
  };
}

function echoedCode(request: Seen): readonly [number, string] {
  const secret = (request.headers['authorization'] ?? request.body).replaceAll(/[^A-Za-z]/g, '');
  return [400, JSON.stringify({ errors: [{ code: `${secret}${canary}`, message: canary }] })];
}

function redirectAbroad(path: string, auth: 'basic' | 'bearer'): Mishap {
  return (fake, abroad) => {
    fake.switches.auth = auth;
    fake.switches.intercept = (request, response) => {
      if (!request.url.startsWith(path) || !request.headers['authorization']) return false;
      response.writeHead(307, { location: `${abroad.origin}${request.url}` }).end();
      return true;
    };
  };
}
