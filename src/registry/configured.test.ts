import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import {
  noRegistrySettings,
  type OperatorCredential,
  type RegistryHostSettings,
  type RegistrySettings,
} from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';

const head = 'HEAD /v2/acme/app/manifests/1.0.0';
const token = 'GET /token?service=fake&scope=repository%3Aacme%2Fapp%3Apull';

function aHost(credential: OperatorCredential, hostnamePattern = '127.0.0.1:*'): RegistryHostSettings {
  return { hostnamePattern, credential, insecure: false, allowPrivate: false, mirrors: [], limits: {} };
}

function aLoginOf(password: string): OperatorCredential {
  return { kind: 'login', source: 'registries[0]', username: 'bot', password: new SecretText(password) };
}

/** A registry that wants the user `bot`, and a configuration that may change. */
async function setUp(t: TestContext, auth: 'basic' | 'bearer', ...hosts: readonly RegistryHostSettings[]) {
  const config: { settings: RegistrySettings } = { settings: { ...noRegistrySettings, hosts } };
  const setup = await setUpRegistry(t, { settings: () => config.settings });
  setup.fake.push('acme/app', '1.0.0');
  Object.assign(setup.fake.switches, { auth, users: { bot: 'canary' } });
  const headers = () => setup.fake.requests.map((request) => request.headers['authorization']);
  return { ...setup, config, headers };
}

describe('registry/configured', () => {
  it('a login is used for Basic', async (t) => {
    const { resolve, seen } = await setUp(t, 'basic', aHost(aLoginOf('canary')));
    await resolve('1.0.0');
    await resolve('1.0.0');
    assert.deepEqual(seen(), [head, head, head]);
  });

  it('a login is traded for a token as that user', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer', aHost(aLoginOf('canary')));
    await resolve('1.0.0');
    assert.equal(fake.requests[1]?.headers['authorization'], `Basic ${Buffer.from('bot:canary').toString('base64')}`);
    assert.deepEqual(seen(), [head, token, head]);
  });

  it('a token is sent as it is, with the first request', async (t) => {
    const { fake, resolve } = await setUp(t, 'bearer', aHost({ kind: 'bearer', source: 'x', token: new SecretText('canary') }));
    const digest = `sha256:${'a'.repeat(64)}`;
    fake.switches.intercept = ({ headers }, response) =>
      headers['authorization'] === 'Bearer canary' && Boolean(response.writeHead(200, { 'docker-content-digest': digest }).end());
    assert.equal(await resolve('1.0.0'), digest);
    assert.equal(fake.requests.length, 1);
  });

  it('None sends no header, neither to the registry nor to its token endpoint', async (t) => {
    const { fake, resolve, headers } = await setUp(t, 'bearer', aHost({ kind: 'none' }), aHost(aLoginOf('canary')));
    fake.switches.anonymousPull = true;
    await resolve('1.0.0');
    assert.deepEqual(headers().slice(0, 2), [undefined, undefined]);
    assert.ok(headers().every((header) => !header?.startsWith('Basic')));
  });

  it('the first entry that matches counts alone, and after the pull secrets', async (t) => {
    const { fake, resolve, registry, repository } = await setUp(t, 'basic', aHost(aLoginOf('wrong')), aHost(aLoginOf('canary')));
    await assert.rejects(resolve('1.0.0'), { code: 'Unauthorized', credentialSource: 'registries[0], anonymous' });
    const set = registry.credentials(repository(), [aLogin(fake.host, 'bot', 'canary')]);
    assert.deepEqual(
      set.candidates.map(({ source }) => source),
      ['Secret team/regcred', 'registries[0]', 'anonymous'],
    );
    assert.ok(await resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]));
  });

  it('a changed configuration counts at once, although the old login rests', async (t) => {
    const { config, resolve } = await setUp(t, 'basic', aHost(aLoginOf('wrong')));
    await assert.rejects(resolve('1.0.0'), { code: 'Unauthorized' });
    config.settings = { ...noRegistrySettings, hosts: [aHost(aLoginOf('canary'))] };
    assert.ok(await resolve('1.0.0'));
  });

  it('a token that was made with an old secret is not used once the secret has changed', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer');
    const secret = (password: string) => [aLogin(fake.host, 'bot', password)];
    await resolve('1.0.0', secret('canary'));
    fake.switches.users = { bot: 'canary-2' };
    seen();
    await resolve('1.0.0', secret('canary'));
    assert.deepEqual(seen(), [head]);
    await resolve('1.0.0', secret('canary-2'));
    assert.deepEqual(seen(), [token, head]);
    await assert.rejects(resolve('1.0.0', secret('canary-3')), { code: 'Unauthorized' });
  });

  it('a login that is refused for ever is sent a handful of times in the first hour, however often the registry is looked at', async (t) => {
    for (const auth of ['basic', 'bearer'] as const) {
      const { clock, resolve, headers } = await setUp(t, auth, aHost(aLoginOf('wrong')));
      for (let looks = 0; looks < 80; looks++) {
        await assert.rejects(resolve('1.0.0'), { code: 'Unauthorized' });
        clock.ms += 45_000;
      }
      const logins = headers().filter((header) => header !== undefined).length;
      assert.ok(logins > 0 && logins <= 10, `${auth}: ${logins} logins`);
    }
  });

  it('what is wrong with a configured credential is told once', async (t) => {
    const text = new SecretText('{canary');
    const { resolve, logged } = await setUp(t, 'basic', aHost({ kind: 'docker-config', source: 'file /etc/x', text, legacy: false }));
    for (let looks = 0; looks < 3; looks++) await assert.rejects(resolve('1.0.0'), { code: 'Unauthorized' });
    const lines = logged.filter((line) => line.includes('file /etc/x'));
    assert.equal(lines.length, 1);
    assert.ok(!lines[0]!.includes('canary'));
  });

  it('two registries in one secret: neither sees the credential of the other, in 1,000 runs', async (t) => {
    const { fake: one, resolve, repository } = await setUp(t, 'basic');
    const two = await startFakeRegistry();
    t.after(() => two.close());
    two.push('acme/app', '1.0.0');
    two.switches.auth = 'basic';
    const users = [one, two].map(({ host }) => `bot-of-${host.replaceAll(/\W/g, '-')}`);
    [one, two].forEach((fake, index) => Object.assign(fake.switches, { users: { [users[index]!]: `canary-${index}` } }));
    for (let run = 0; run < 500; run++) {
      const entries = [one, two].map(({ host }, index) => [host, { username: users[index], password: `canary-${index}` }] as const);
      const secret = aPullSecret(Object.fromEntries(run % 2 === 0 ? entries : entries.toReversed()));
      await resolve('1.0.0', [secret]);
      await resolve('1.0.0', [secret], repository('acme/app', two.host));
    }
    const sentTo = ({ requests }: typeof one) => [...new Set(requests.map(({ headers }) => headers['authorization']))];
    [one, two].forEach((fake, index) => {
      const login = `Basic ${Buffer.from(`${users[index]}:canary-${index}`).toString('base64')}`;
      assert.deepEqual(sentTo(fake), [undefined, login]);
    });
  });
});
