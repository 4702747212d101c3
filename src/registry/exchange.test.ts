import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RegistryError } from '../errors.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const head = 'HEAD /v2/acme/app/manifests/1.0.0';
const scope = 'scope=repository%3Aacme%2Fapp%3Apull';
const token = `GET /token?service=fake&${scope}`;

/** A registry with `acme/app:1.0.0` and the user `bot`. */
async function setUp(t: Parameters<typeof setUpRegistry>[0], auth: 'none' | 'basic' | 'bearer' | 'both') {
  const setup = await setUpRegistry(t);
  setup.fake.push('acme/app', '1.0.0');
  Object.assign(setup.fake.switches, { auth, users: { bot: 'canary' } });
  return { ...setup, good: aLogin(setup.fake.host, 'bot', 'canary', 'good'), bad: aLogin(setup.fake.host, 'bot', 'wrong', 'bad') };
}

describe('registry/exchange', () => {
  it('asks for a token once and uses it for the next calls', async (t) => {
    const { resolve, tags, good, seen, counts } = await setUp(t, 'bearer');
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, token, head]);
    await resolve('1.0.0', [good]);
    await tags([good]);
    assert.deepEqual(seen(), [head, 'GET /v2/acme/app/tags/list?n=1000']);
    assert.equal(counts.get('registry_cache_hits_total cache=token'), 2);
  });

  it('brings a token unasked to a repository it sees for the first time', async (t) => {
    const { fake, resolve, repository, good, seen } = await setUp(t, 'bearer');
    fake.push('acme/web', '1.0.0');
    await resolve('1.0.0', [good]);
    seen();
    await resolve('1.0.0', [good], repository('acme/web'));
    assert.deepEqual(seen(), ['GET /token?service=fake&scope=repository%3Aacme%2Fweb%3Apull', 'HEAD /v2/acme/web/manifests/1.0.0']);
  });

  it('fetches a new token when the old one has expired', async (t) => {
    const { fake, resolve, good, seen, clock } = await setUp(t, 'bearer');
    fake.switches.tokenFields = { expires_in: 300 };
    await resolve('1.0.0', [good]);
    seen();
    clock.ms += 269_999;
    await resolve('1.0.0', [good]);
    clock.ms += 2;
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, token, head]);
  });

  it('fetches one new token when the registry has dropped the old one', async (t) => {
    const { fake, resolve, good, seen } = await setUp(t, 'bearer');
    await resolve('1.0.0', [good]);
    seen();
    fake.revokeTokens();
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, token, head]);
  });

  it('takes access_token too', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'bearer');
    fake.switches.tokenField = 'access_token';
    assert.ok(await resolve('1.0.0', [good]));
  });

  it('asks for the scope of the challenge first, and keeps the query of the realm', async (t) => {
    const { fake, resolve, good, seen } = await setUp(t, 'bearer');
    fake.switches.challenge = `Bearer realm="/token?x=a%20b",service="fake",scope="aws"`;
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, `GET /token?x=a%20b&service=fake&scope=aws&${scope}`, head]);
  });

  it('pulls anonymously where that is allowed, and sends no Authorization then', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer');
    fake.switches.anonymousPull = true;
    await resolve('1.0.0');
    assert.equal(fake.requests.find(({ url }) => url.startsWith('/token'))?.headers['authorization'], undefined);
    assert.deepEqual(seen(), [head, token, head]);
  });

  it('sends Basic where the registry asks for it, later unasked', async (t) => {
    const { resolve, good, seen } = await setUp(t, 'basic');
    await resolve('1.0.0', [good]);
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, head, head]);
  });

  it('prefers Bearer where both are offered', async (t) => {
    const { resolve, good, seen } = await setUp(t, 'both');
    await resolve('1.0.0', [good]);
    assert.deepEqual(seen(), [head, token, head]);
  });

  it('sends Basic to a Bearer challenge without realm', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'basic');
    fake.switches.challenge = 'Bearer scope="x"';
    assert.ok(await resolve('1.0.0', [good]));
  });

  it('trades an identity token by OAuth2, keeps a rotated one, and never puts it into a URL', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer');
    fake.switches.identityTokens = ['canary-1', 'canary-2'];
    fake.switches.tokenFields = { refresh_token: 'canary-2' };
    const secret = aPullSecret({ [fake.host]: { identitytoken: 'canary-1' } });
    await resolve('1.0.0', [secret]);
    fake.revokeTokens();
    await resolve('1.0.0', [secret]);
    const posts = fake.requests.filter(({ method }) => method === 'POST');
    assert.deepEqual(
      posts.map(({ body }) => Object.fromEntries(new URLSearchParams(body))),
      ['canary-1', 'canary-2'].map((refreshToken) => ({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: 'headwind',
        service: 'fake',
        scope: 'repository:acme/app:pull',
      })),
    );
    assert.ok(seen().every((line) => !line.includes('canary')));
  });

  it('tries an identity token by GET where POST is unknown', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer');
    fake.switches.users = { '<token>': 'canary-1' };
    fake.switches.intercept = ({ method }, response) => method === 'POST' && Boolean(response.writeHead(404).end());
    await resolve('1.0.0', [aPullSecret({ [fake.host]: { identitytoken: 'canary-1' } })]);
    assert.deepEqual(seen(), [head, 'POST /token', token, head]);
  });

  it('sends a registry token as it is', async (t) => {
    const { fake, resolve, seen } = await setUp(t, 'bearer');
    const digest = `sha256:${'a'.repeat(64)}`;
    fake.switches.intercept = ({ headers }, response) =>
      headers['authorization'] === 'Bearer canary-1' && Boolean(response.writeHead(200, { 'docker-content-digest': digest }).end());
    assert.equal(await resolve('1.0.0', [aPullSecret({ [fake.host]: { registrytoken: 'canary-1' } })]), digest);
    assert.deepEqual(seen(), [head]);
    await assert.rejects(resolve('1.0.0', [aPullSecret({ [fake.host]: { registrytoken: 'canary-2' } })]), { code: 'Unauthorized' });
    assert.deepEqual(seen().slice(0, 1), [head]);
  });

  it('tries the next credential after a refused login, and remembers who won', async (t) => {
    const { resolve, good, bad, seen, logged, counts } = await setUp(t, 'basic');
    await resolve('1.0.0', [bad, good]);
    assert.deepEqual(seen(), [head, head, head]);
    await resolve('1.0.0', [bad, good]);
    assert.deepEqual(seen(), [head]);
    assert.match(logged.join('\n'), /refused a credential .*Secret team\/bad/);
    assert.equal(counts.get('registry_auth_failures_total reason=login'), 1);
  });

  it('tries the next credential after 403', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'bearer');
    Object.assign(fake.switches, { users: { bot: 'canary', other: 'x' }, denied: ['other acme/app'] });
    assert.ok(await resolve('1.0.0', [aLogin(fake.host, 'other', 'x'), good]));
  });

  it('goes on anonymously when the token endpoint refuses the login', async (t) => {
    const { fake, resolve, bad } = await setUp(t, 'bearer');
    fake.switches.anonymousPull = true;
    assert.ok(await resolve('1.0.0', [bad]));
  });

  it('names everything it tried, and what to do', async (t) => {
    const { fake, resolve, bad } = await setUp(t, 'bearer');
    await assert.rejects(resolve('1.0.0', [bad]), (error) => {
      assert.ok(error instanceof RegistryError);
      assert.deepEqual([error.code, error.httpStatus, error.credentialSource], ['Unauthorized', 401, 'Secret team/bad, anonymous']);
      assert.match(
        error.message,
        /^Cannot resolve .*\/acme\/app:1\.0\.0: .* Check that the credential is valid and may pull this repository\.$/,
      );
      assert.ok(error.message.includes(fake.host));
      return true;
    });
  });

  it('says what to do when there was no credential at all', async (t) => {
    const { resolve } = await setUp(t, 'basic');
    await assert.rejects(resolve('1.0.0'), {
      code: 'Unauthorized',
      credentialSource: 'anonymous',
      message: /add a pull secret with an entry for/,
    });
  });

  it('says Denied when the login works and the right is missing', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'bearer');
    fake.switches.denied = ['bot acme/app'];
    await assert.rejects(resolve('1.0.0', [good]), { code: 'Denied', httpStatus: 403 });
  });

  it('lets a refused login rest, so that the account is not locked', async (t) => {
    const { fake, resolve, bad, clock } = await setUp(t, 'bearer');
    const logins = () => fake.requests.filter(({ url, headers }) => url.startsWith('/token') && headers['authorization']).length;
    for (let polls = 0; polls < 10; polls++) await assert.rejects(resolve('1.0.0', [bad]), { code: 'Unauthorized' });
    assert.equal(logins(), 1);
    clock.ms += 5 * 60_000;
    for (let polls = 0; polls < 10; polls++) await assert.rejects(resolve('1.0.0', [bad]), { code: 'Unauthorized' });
    await assert.rejects(resolve('1.0.0', [bad]), /rests, so that the account is not locked/);
    assert.equal(logins(), 2);
  });

  it('tries a login once when many repositories need it at the same time', async (t) => {
    const { fake, resolve, repository, bad } = await setUp(t, 'bearer');
    const names = Array.from({ length: 20 }, (_, index) => `acme/app-${index}`);
    await Promise.allSettled(names.map((name) => resolve('1.0.0', [bad], repository(name))));
    assert.equal(fake.requests.filter(({ url, headers }) => url.startsWith('/token') && headers['authorization']).length, 1);
  });

  it('does not count a missing right as a refused login', async (t) => {
    const { fake, resolve, repository, good } = await setUp(t, 'bearer');
    fake.push('acme/web', '1.0.0');
    fake.switches.denied = ['bot acme/app'];
    await assert.rejects(resolve('1.0.0', [good]), { code: 'Denied' });
    assert.ok(await resolve('1.0.0', [good], repository('acme/web')));
  });

  it('logs in to a registry that says 403 without asking for anything', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'basic');
    fake.switches.intercept = ({ headers }, response) => headers['authorization'] === undefined && Boolean(response.writeHead(403).end());
    assert.ok(await resolve('1.0.0', [good]));
  });

  it('gives tokens to nobody with another credential', async (t) => {
    const { fake, resolve, good, seen } = await setUp(t, 'bearer');
    fake.switches.anonymousPull = true;
    await resolve('1.0.0', [good]);
    seen();
    await resolve('1.0.0');
    assert.deepEqual(seen(), [token, head]);
  });

  it('asks the registry anew when the token endpoint has moved', async (t) => {
    const { fake, resolve, good } = await setUp(t, 'bearer');
    fake.switches.challenge = 'Bearer realm="/token/old",service="fake",scope="<scope>"';
    await resolve('1.0.0', [good]);
    fake.revokeTokens();
    fake.switches.challenge = undefined;
    fake.switches.tokenFields = {};
    fake.switches.intercept = ({ url }, response) => url.startsWith('/token/old') && Boolean(response.writeHead(410).end());
    assert.ok(await resolve('1.0.0', [good]));
  });

  it('looks for the token endpoint again after it failed', async (t) => {
    const { fake, resolve, good, clock } = await setUp(t, 'bearer');
    fake.switches.challenge = 'Bearer realm="/token/old",service="fake",scope="<scope>"';
    await resolve('1.0.0', [good]);
    clock.ms += 3_600_000;
    fake.switches.challenge = undefined;
    fake.switches.intercept = ({ url }, response) => url.startsWith('/token/old') && Boolean(response.writeHead(410).end());
    await assert.rejects(resolve('1.0.0', [good]), { code: 'Protocol', operation: 'resolve' });
    assert.ok(await resolve('1.0.0', [good]));
  });
});
