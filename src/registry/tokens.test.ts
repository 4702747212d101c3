import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { FakeRegistry } from '../../test/fakes/registry.ts';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, aPullSecret, setUpRegistry } from '../../test/fakes/registry-setup.ts';

type Answer = NonNullable<FakeRegistry['switches']['intercept']>;

const head = 'HEAD /v2/acme/app/manifests/1.0.0';
const scope = 'scope=repository%3Aacme%2Fapp%3Apull';

/** A registry whose token endpoint answers so. */
async function setUp(t: TestContext, atToken?: Answer) {
  const setup = await setUpRegistry(t, { limits: { timeouts: { callMs: 2_000 } } });
  setup.fake.push('acme/app', '1.0.0');
  Object.assign(setup.fake.switches, { auth: 'bearer', users: { bot: 'canary' } });
  setup.fake.switches.intercept = (request, response) => request.url.startsWith('/token') && atToken?.(request, response) === true;
  const secrets = [aLogin(setup.fake.host, 'bot', 'canary')];
  const tokenCalls = () => setup.fake.requests.filter(({ url }) => url.startsWith('/token')).length;
  return { ...setup, secrets, tokenCalls };
}

const gives =
  (status: number, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_, response) =>
    Boolean(response.writeHead(status, headers).end(body));

const redirects =
  (times: number): Answer =>
  ({ url }, response) => {
    const hop = Number(new URL(url, 'http://x').searchParams.get('hop') ?? 0);
    if (hop >= times) return false;
    const next = new URL(url, 'http://x');
    next.searchParams.set('hop', String(hop + 1));
    return Boolean(response.writeHead(307, { location: next.pathname + next.search }).end());
  };

const answers = [
  // title, what the token endpoint does, what the call is
  ['a token', gives(200, '{"token":"nobody-knows-it"}'), 'Unauthorized'],
  ['an answer of 129 KiB', gives(200, JSON.stringify({ token: 'x', more: 'y'.repeat(129 * 1024) })), 'TooLarge'],
  ['a page for people', gives(200, '<html>Welcome</html>', { 'content-type': 'text/html' }), 'Protocol'],
  ['nothing', gives(200, ''), 'Protocol'],
  ['no token', gives(200, '{}'), 'Protocol'],
  ['a token that breaks the line', gives(200, '{"token":"a\\r\\nx-evil: 1"}'), 'Protocol'],
  ['a token that is a number', gives(200, '{"token":5}'), 'Protocol'],
  ['a token of the prototype', gives(200, '{"__proto__":{"token":"x"}}'), 'Protocol'],
  ['three redirects on its own host', redirects(3), 'a digest'],
  ['four redirects', redirects(4), 'Protocol'],
  ['a redirect to a file', gives(302, '', { location: 'file:///etc/passwd' }), 'Blocked'],
  ['a redirect to a metadata service', gives(302, '', { location: 'http://169.254.169.254/' }), 'Blocked'],
  ['a redirect into the network', gives(302, '', { location: 'http://10.0.0.1/token' }), 'Blocked'],
  ['a refusal', gives(401, ''), 'Unauthorized'],
  ['a bad request', gives(400, '{"error":"invalid_grant"}'), 'Unauthorized'],
  ['a fault', gives(500, ''), 'Unavailable'],
  ['too many requests', gives(429, ''), 'RateLimited'],
  ['gone', gives(410, ''), 'Protocol'],
] as const;

describe('registry/tokens', () => {
  for (const [title, atToken, expected] of answers) {
    it(`${title} from the token endpoint: ${expected}`, async (t) => {
      const { resolve, secrets } = await setUp(t, atToken);
      const outcome = await resolve('1.0.0', secrets).then(
        () => 'a digest',
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
      );
      assert.equal(outcome, expected);
    });
  }

  for (const realm of ['http://169.254.169.254/token', 'http://10.0.0.1/token', 'http://[::1]:1/token', 'http://localhost:1/token']) {
    it(`a realm at ${realm} gets nothing`, async (t) => {
      const { fake, resolve, secrets, seen } = await setUp(t);
      fake.switches.realm = realm;
      await assert.rejects(resolve('1.0.0', secrets), { code: 'Blocked' });
      assert.deepEqual(seen(), [head]);
    });
  }

  it('a token that nobody accepts is fetched once in each look, and no more', async (t) => {
    const { fake, resolve, secrets, seen, tokenCalls } = await setUp(t);
    fake.switches.acceptTokens = false;
    await assert.rejects(resolve('1.0.0', secrets), { code: 'Unauthorized' });
    // With the login, then anonymously.
    assert.ok(tokenCalls() <= 2);
    assert.ok(seen().length <= 6);
  });

  it('a token that lives shorter than it says costs one more request, and the call goes well', async (t) => {
    const { fake, resolve, secrets, seen } = await setUp(t);
    fake.switches.tokenFields = { expires_in: 3_600 };
    await resolve('1.0.0', secrets);
    fake.revokeTokens();
    seen();
    await resolve('1.0.0', secrets);
    assert.deepEqual(seen(), [head, `GET /token?service=fake&${scope}`, head]);
  });

  it('a registry that wants another scope for what a token does not cover is asked for that one first', async (t) => {
    const { fake, resolve, secrets, seen } = await setUp(t);
    await resolve('1.0.0', secrets);
    fake.revokeTokens();
    fake.switches.challenge = 'Bearer realm="/token",service="fake",scope="repository:acme/app:metadata_read",error="insufficient_scope"';
    seen();
    await resolve('1.0.0', secrets);
    assert.deepEqual(seen(), [head, `GET /token?service=fake&scope=repository%3Aacme%2Fapp%3Ametadata_read&${scope}`, head]);
  });

  /** A registry whose first challenge names no scope, and that says afterwards which one it wants. */
  const lateScope =
    (wanted: string, told: string): Answer =>
    ({ url, headers }, response) => {
      if (url.startsWith('/token')) {
        const scopes = new URL(url, 'http://fake').searchParams.getAll('scope');
        return Boolean(response.end(JSON.stringify({ token: scopes.includes(wanted) ? 'wide' : 'narrow' })));
      }
      if (headers['authorization'] === 'Bearer wide') return false;
      const more = headers['authorization'] === 'Bearer narrow' ? `,error="insufficient_scope",scope="${told}"` : '';
      return Boolean(response.writeHead(401, { 'www-authenticate': `Bearer realm="/token",service="fake"${more}` }).end());
    };

  const metadata = 'repository:acme/app:metadata_read';

  it('a registry that tells the scope it wants only when a fresh token lacks it is given that one', async (t) => {
    const { fake, resolve, seen } = await setUp(t);
    Object.assign(fake.switches, { auth: 'none', intercept: lateScope(metadata, metadata) });
    const wide = `GET /token?service=fake&scope=repository%3Aacme%2Fapp%3Ametadata_read&${scope}`;
    await resolve('1.0.0');
    assert.deepEqual(seen(), [head, `GET /token?service=fake&${scope}`, head, wide, head]);
    await resolve('1.0.0');
    assert.deepEqual(seen(), [head]);
  });

  for (const told of ['repository:acme/app:pull', 'aws', '']) {
    it(`a registry that is never content with the scope it told ("${told}") is not asked for ever`, async (t) => {
      const { fake, resolve, seen } = await setUp(t);
      Object.assign(fake.switches, { auth: 'none', intercept: lateScope('none', told) });
      await assert.rejects(resolve('1.0.0'), { code: 'Unauthorized', message: /may not be pulled/ });
      assert.ok(seen().length <= 5);
    });
  }

  for (const status of [404, 405]) {
    it(`an identity token goes by GET where POST answers ${status}`, async (t) => {
      const { fake, resolve } = await setUp(t, ({ method }, response) => method === 'POST' && Boolean(response.writeHead(status).end()));
      fake.switches.users = { '<token>': 'canary' };
      assert.ok(await resolve('1.0.0', [aPullSecret({ [fake.host]: { identitytoken: 'canary' } })]));
    });
  }

  it('an identity token that was rotated and is refused gives way to the one of the secret', async (t) => {
    const { fake, resolve } = await setUp(t);
    const secrets = [aPullSecret({ [fake.host]: { identitytoken: 'canary-1' } })];
    Object.assign(fake.switches, { identityTokens: ['canary-1'], tokenFields: { refresh_token: 'canary-2' } });
    await resolve('1.0.0', secrets);
    fake.revokeTokens();
    assert.ok(await resolve('1.0.0', secrets));
    const posts = fake.requests.filter(({ method }) => method === 'POST').map(({ body }) => new URLSearchParams(body).get('refresh_token'));
    assert.deepEqual(posts, ['canary-1', 'canary-2', 'canary-1']);
  });

  it('one token for all who need it at the same time, and one for each repository', async (t) => {
    const { fake, repository, resolve, secrets, tokenCalls } = await setUp(t);
    fake.push('acme/web', '1.0.0');
    await Promise.all(Array.from({ length: 20 }, (_, index) => resolve('1.0.0', secrets, repository(index % 2 ? 'acme/app' : 'acme/web'))));
    assert.equal(tokenCalls(), 2);
  });

  it('the same login in two namespaces shares a token, another login never gets it', async (t) => {
    const { fake, resolve, tokenCalls } = await setUp(t);
    fake.switches.users = { bot: 'canary', other: 'canary-2' };
    const login = (username: string, password: string, namespace: string) => [
      aPullSecret({ [fake.host]: { username, password } }, 'regcred', namespace),
    ];
    await resolve('1.0.0', login('bot', 'canary', 'a'));
    await resolve('1.0.0', login('bot', 'canary', 'b'));
    assert.equal(tokenCalls(), 1);
    await resolve('1.0.0', login('other', 'canary-2', 'b'));
    assert.equal(tokenCalls(), 2);
    const users = fake.requests.filter(({ url }) => url.startsWith('/token')).map(({ headers }) => headers['authorization']);
    assert.equal(new Set(users).size, 2);
  });

  it('the same login at two registries makes two tokens, and neither registry sees that of the other', async (t) => {
    const { fake: one, resolve, repository } = await setUp(t);
    const two = await startFakeRegistry();
    t.after(() => two.close());
    two.push('acme/app', '1.0.0');
    Object.assign(two.switches, { auth: 'bearer', users: { bot: 'canary' }, tokenFields: { token: 'of-two' } });
    const secrets = [
      aPullSecret({ [one.host]: { username: 'bot', password: 'canary' }, [two.host]: { username: 'bot', password: 'canary' } }),
    ];
    await resolve('1.0.0', secrets);
    await assert.rejects(resolve('1.0.0', secrets, repository('acme/app', two.host)));
    assert.ok(one.requests.every(({ headers }) => headers['authorization'] !== 'Bearer of-two'));
    assert.ok(two.requests.every(({ headers }) => !headers['authorization']?.startsWith('Bearer token-')));
  });
});
