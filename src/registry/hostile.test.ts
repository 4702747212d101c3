import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RegistryError } from '../errors.ts';
import { selfSigned } from '../../test/fakes/certificate.ts';
import { beginning, drip, endless, type Intercept } from '../../test/fakes/hostile-answers.ts';
import { startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';

const timeouts = { headersMs: 300, idleMs: 300, callMs: 600 };
/** Every way to misbehave, the code it ends with, and how many requests that takes at most. */
const answers: readonly (readonly [string, Intercept, string, number])[] = [
  ['a redirect to itself', (request, response) => Boolean(response.writeHead(307, { location: request.url }).end()), 'Protocol', 6],
  ['a chain of redirects', (request, response) => Boolean(response.writeHead(302, { location: `${request.url}x` }).end()), 'Protocol', 6],
  ['a redirect to the metadata service', redirectTo('http://169.254.169.254/latest/meta-data/'), 'Blocked', 1],
  ['a redirect to the metadata service by name', redirectTo('http://metadata.google.internal/'), 'Blocked', 1],
  ['a redirect to the metadata service in IPv6', redirectTo('http://[::ffff:169.254.169.254]/'), 'Blocked', 1],
  ['a redirect to another address of this machine', redirectTo('http://127.0.0.2:1/'), 'Blocked', 1],
  ['a redirect into the network', redirectTo('http://10.0.0.1/'), 'Blocked', 1],
  ['a redirect to a file', redirectTo('file:///etc/passwd'), 'Blocked', 1],
  ['a redirect with a password', redirectTo('http://user:password@example.com/'), 'Blocked', 1],
  ['headers that never come', () => true, 'Timeout', 1],
  ['a body that never ends', endless(), 'TooLarge', 1],
  ['a length of 10 GB', beginning(200, '{', { 'content-length': '10000000000' }), 'TooLarge', 1],
  ['a body that comes drop by drop', drip(), 'Timeout', 1],
  ['a body that stops', beginning(200, '{"tags":['), 'Timeout', 1],
  ['an unknown encoding', (_, response) => Boolean(response.writeHead(200, { 'content-encoding': 'snappy' }).end('x')), 'Protocol', 1],
  ['a broken encoding', (_, response) => Boolean(response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')), 'Protocol', 1],
  ['headers without end', (_, response) => Boolean(response.writeHead(200, { 'x-long': 'x'.repeat(40_000) }).end()), 'TooLarge', 1],
  [
    'a page with 200',
    (_, response) => Boolean(response.writeHead(200, { 'content-type': 'text/html' }).end('<html>login</html>')),
    'Protocol',
    1,
  ],
  ['an empty 200', (_, response) => Boolean(response.writeHead(200).end()), 'Protocol', 1],
  ['a depth bomb', (_, response) => Boolean(response.writeHead(200).end('{"tags":'.concat('['.repeat(5_000_000)))), 'Protocol', 1],
  ['a flood of objects', (_, response) => Boolean(response.writeHead(200).end(`{"tags":[${'{},'.repeat(1_000_000)}{}]}`)), 'Protocol', 1],
  [
    'an unreadable challenge',
    (_, response) => Boolean(response.writeHead(401, { 'www-authenticate': 'Bearer realm="' }).end()),
    'Protocol',
    1,
  ],
  ['401 without a challenge', (_, response) => Boolean(response.writeHead(401).end()), 'Unauthorized', 2],
  [
    'a challenge nobody knows',
    (_, response) => Boolean(response.writeHead(401, { 'www-authenticate': 'Negotiate' }).end()),
    'Unauthorized',
    2,
  ],
  ['an error of 1 MB', (_, response) => Boolean(response.writeHead(404).end('x'.repeat(1_000_000))), 'NotFound', 1],
  ['an error that never ends', beginning(404, 'x'), 'NotFound', 1],
];

const realms = [
  // realm, code
  ['http://169.254.169.254/latest/api/token', 'Blocked'],
  ['http://[fd00:ec2::254]/token', 'Blocked'],
  ['http://metadata.google.internal/token', 'Blocked'],
  ['http://127.0.0.2:1/token', 'Blocked'],
  ['http://localhost:1/token', 'Blocked'],
  ['http://10.0.0.1/token', 'Blocked'],
  ['http://[::1]:1/token', 'Blocked'],
  ['ftp://127.0.0.1/token', 'Blocked'],
  ['http://user:password@127.0.0.1/token', 'Blocked'],
] as const;

describe('registry/hostile', () => {
  for (const [title, intercept, code, most] of answers) {
    it(`${title} ends as ${code}, and the next call works`, async (t) => {
      const { fake, tags } = await setUpRegistry(t, { limits: { timeouts, listing: { pageBytes: 8_000_000 } } });
      fake.push('acme/app', '1.0.0');
      fake.switches.intercept = intercept;
      const started = performance.now();
      const login = aLogin(fake.host, 'bot', 'canary');
      if (code === 'TooLarge') assert.deepEqual(await tags([login]), { tags: [], truncated: true });
      else await assert.rejects(tags([login]), { code, name: 'RegistryError' });
      assert.ok(performance.now() - started < 3_000);
      assert.ok(fake.requests.length <= most, `${fake.requests.length} requests`);
      fake.switches.intercept = undefined;
      assert.deepEqual(await tags([login]), { tags: ['1.0.0'], truncated: false });
    });
  }

  for (const [realm, code] of realms) {
    it(`a token endpoint at ${realm} is ${code}`, async (t) => {
      const { fake, resolve } = await setUpRegistry(t);
      fake.push('acme/app', '1.0.0');
      Object.assign(fake.switches, { auth: 'bearer', realm });
      await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), { code });
      assert.equal(fake.requests.length, 1);
    });
  }

  it('a token endpoint that redirects to the metadata service is Blocked', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    fake.switches.auth = 'bearer';
    fake.switches.intercept = (request, response) =>
      request.url.startsWith('/token') && redirectTo('http://169.254.169.254/')(request, response);
    await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), { code: 'Blocked', operation: 'token' });
  });

  it('a name that leads into the network is no token endpoint', async (t) => {
    const { fake, resolve } = await setUpRegistry(t, {
      outbound: { resolve: (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]) },
    });
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'bearer', realm: `http://innocent.example:${fake.host.split(':')[1]}/token` });
    await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), {
      code: 'Blocked',
      message: new RegExp(`127\\.0\\.0\\.1 is private; if it may be contacted, set allowPrivate for ${fake.host} in the configuration\\.$`),
    });
    assert.equal(fake.requests.length, 1);
  });

  const tokens = [
    // title, body, code
    ['a page', '<html>', 'Protocol'],
    ['no token', '{}', 'Protocol'],
    ['a token with a line break', '{"token":"a\\r\\nx-evil: 1"}', 'Protocol'],
    ['200 kB', JSON.stringify({ token: 'x'.repeat(200_000) }), 'TooLarge'],
  ] as const;
  for (const [title, body, code] of tokens) {
    it(`a token endpoint that answers with ${title} is ${code}`, async (t) => {
      const { fake, tags } = await setUpRegistry(t);
      fake.push('acme/app', '1.0.0');
      fake.switches.auth = 'bearer';
      fake.switches.intercept = ({ url }, response) => url.startsWith('/token') && Boolean(response.writeHead(200).end(body));
      await assert.rejects(tags([aLogin(fake.host, 'bot', 'canary')]), { code });
    });
  }

  it('401 in a loop with fresh tokens ends after one renewal', async (t) => {
    const { fake, resolve } = await setUpRegistry(t);
    fake.push('acme/app', '1.0.0');
    Object.assign(fake.switches, { auth: 'bearer', users: { bot: 'canary' }, acceptTokens: false, anonymousPull: true });
    await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), { code: 'Unauthorized' });
    assert.equal(fake.requests.length, 5);
    fake.requests.length = 0;
    await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), { code: 'Unauthorized' });
    assert.ok(fake.requests.length <= 6, String(fake.requests.length));
  });

  it('a host behind a redirect gets an anonymous token of its own', async (t) => {
    const { fake, resolve, logged } = await setUpRegistry(t, {
      outbound: { resolve: toThisMachine },
      insecureHosts: ['registry.test'],
    });
    const abroad = await startFakeRegistry();
    t.after(() => abroad.close());
    fake.push('acme/app', '1.0.0');
    abroad.push('acme/app', '1.0.0');
    Object.assign(abroad.switches, { auth: 'bearer', users: { bot: 'canary' }, anonymousPull: true });
    // Same host, other port: another origin that may still be reached in this test.
    fake.switches.intercept = (request, response) => redirectTo(`${abroad.origin}${request.url}`)(request, response);
    assert.ok(await resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]));
    assert.deepEqual(
      abroad.requests.map(({ headers }) => headers['authorization']?.split(' ')[0]),
      [undefined, undefined, 'Bearer'],
    );
    abroad.switches.anonymousPull = false;
    abroad.revokeTokens();
    await assert.rejects(resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]), {
      code: 'Unauthorized',
      message: /wants a login of its own/,
    });
    assert.deepEqual(logged, []);
  });

  it('a million tags are a truncated list, and the loop of events turns on', async (t) => {
    const { fake, tags } = await setUpRegistry(t);
    fake.push('acme/app', 'x');
    fake.switches.tagsBody = JSON.stringify({ tags: Array.from({ length: 1_000_000 }, (_, index) => `v${index}`) });
    const list = await tags();
    assert.deepEqual([list.tags.length, list.truncated], [100_000, true]);
  });

  const certificates = [
    // title, names, valid until, trusted, part of the message
    ['an expired certificate', ['registry.test'], new Date(Date.now() - 3_600_000), true, /CERT_HAS_EXPIRED/],
    ['a certificate of somebody else', ['other.test'], undefined, true, /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['a certificate of an unknown authority', ['registry.test'], undefined, false, /SELF_SIGNED/],
  ] as const;
  for (const [title, names, validUntil, isTrusted, message] of certificates) {
    it(`${title} is named as the cause`, async (t) => {
      const { fake, resolve, repository } = await setUpRegistry(t, {
        tls: selfSigned(names, validUntil),
        isTrusted,
        outbound: { resolve: toThisMachine },
      });
      const host = `registry.test:${fake.host.split(':')[1]}`;
      await assert.rejects(resolve('1.0.0', [aLogin(host, 'bot', 'canary')], repository('acme/app', host)), (error) => {
        assert.ok(error instanceof RegistryError && error.code === 'Unavailable');
        assert.match(error.message, message);
        assert.match(error.message, /check the certificate of the registry/);
        return true;
      });
      assert.equal(fake.requests.length, 0);
    });
  }

  it('plain HTTP where TLS is expected is not spoken', async (t) => {
    const { fake, resolve, repository } = await setUpRegistry(t, { outbound: { resolve: toThisMachine } });
    fake.push('acme/app', '1.0.0');
    const host = `registry.test:${fake.host.split(':')[1]}`;
    await assert.rejects(resolve('1.0.0', [aLogin(host, 'bot', 'canary')], repository('acme/app', host)), {
      code: 'Unavailable',
      message:
        /wrong version number .*speaks plain HTTP, set insecure for it in the configuration, or name it in HEADWIND_REGISTRY_INSECURE_HOSTS\.$/,
    });
    assert.equal(fake.requests.length, 0);
  });
});

function redirectTo(location: string): Intercept {
  return (_, response) => Boolean(response.writeHead(307, { location }).end());
}

/** Every name is this machine. */
function toThisMachine(_: string, done: (error: null, addresses: readonly { address: string; family: number }[]) => void): void {
  done(null, [{ address: '127.0.0.1', family: 4 }]);
}
