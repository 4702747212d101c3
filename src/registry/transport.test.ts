import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { testAuthority } from '../../test/fakes/certificate.ts';
import { startFakeProxy } from '../../test/fakes/http-proxy.ts';
import { type FakeRegistry, startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, setUpRegistry, type SetupOptions } from '../../test/fakes/registry-setup.ts';
import {
  noRegistrySettings,
  type RegistryHostSettings,
  type RegistrySettings,
  type RegistryTlsSettings,
} from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';
import type { OutboundOptions } from '../outbound.ts';

const authority = testAuthority();
const name = 'registry.test';
const server = authority.issue([name, '127.0.0.1']);
const clients = testAuthority('clients');
const me = clients.issue(['me']);
const trusted: RegistryTlsSettings = { caCertificates: [authority.cert], skipVerify: false };

function aHost(more: Partial<RegistryHostSettings> = {}): RegistryHostSettings {
  return { hostnamePattern: '*', credential: { kind: 'none' }, insecure: false, allowPrivate: false, mirrors: [], limits: {}, ...more };
}

const toThisMachine: NonNullable<OutboundOptions['resolve']> = (_, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);

/** A registry at `registry.test`, and a configuration that may change. */
async function setUp(t: TestContext, settings: Partial<RegistrySettings>, options: SetupOptions & { more?: object } = {}) {
  const config = { settings: { ...noRegistrySettings, ...settings } };
  const setup = await setUpRegistry(t, {
    tls: { ...server, ...options.more },
    outbound: { resolve: toThisMachine },
    settings: () => config.settings,
    ...options,
  });
  setup.fake.push('acme/app', '1.0.0');
  const port = setup.fake.host.split(':')[1];
  const host = `${name}:${port}`;
  const ask = (at = host) => setup.resolve('1.0.0', [], setup.repository('acme/app', at));
  const use = (changed: Partial<RegistrySettings>) => void (config.settings = { ...noRegistrySettings, ...changed });
  return { ...setup, host, port, ask, use };
}

describe('registry/transport', () => {
  const authorities: readonly (readonly [string, Partial<RegistrySettings>, RegExp | undefined])[] = [
    ['an unknown authority', {}, /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify/],
    ['an authority of the registry', { hosts: [aHost({ tls: trusted })] }, undefined],
    ['an authority for all registries', { caCertificates: [authority.cert] }, undefined],
    ['two authorities in one text', { caCertificates: [`${testAuthority('other').cert}${authority.cert}`] }, undefined],
    ['both', { caCertificates: [testAuthority('other').cert], hosts: [aHost({ tls: trusted })] }, undefined],
    ['an authority of another registry', { hosts: [aHost({ hostnamePattern: 'other.test:*', tls: trusted })] }, /unable to verify/],
    ['an authority of the first entry that matches, alone', { hosts: [aHost(), aHost({ tls: trusted })] }, /unable to verify/],
    ['an authority for other repositories', { hosts: [aHost({ repositoryPrefix: 'other/', tls: trusted })] }, /unable to verify/],
    ['an authority for these repositories', { hosts: [aHost({ repositoryPrefix: 'acme/', tls: trusted })] }, undefined],
    ['another name in the certificate', { hosts: [aHost({ tls: { ...trusted, serverName: 'other.test' } })] }, /does not match/],
    ['no check', { hosts: [aHost({ tls: { caCertificates: [], skipVerify: true } })] }, undefined],
    [
      'a certificate that is none',
      { hosts: [aHost({ tls: { ...trusted, clientCertificate: 'x', clientKey: new SecretText('y') } })] },
      /PEM/,
    ],
  ];
  for (const [title, settings, failure] of authorities) {
    it(`${title}: ${failure ? 'no answer, and the cause is named' : 'answers'}`, async (t) => {
      const { ask } = await setUp(t, settings);
      if (failure === undefined) assert.match(await ask(), /^sha256:/);
      else await assert.rejects(ask(), { code: 'Unavailable', message: failure });
    });
  }

  it('a server name is what its certificate must hold', async (t) => {
    const { fake, ask } = await setUp(t, { hosts: [aHost({ tls: { ...trusted, serverName: name } })] });
    assert.ok(await ask(`elsewhere.test:${fake.host.split(':')[1]}`));
  });

  it('says once, and loudly, that a certificate is not checked', async (t) => {
    const { ask, logged } = await setUp(t, { hosts: [aHost({ tls: { caCertificates: [], skipVerify: true } })] });
    await ask();
    await ask();
    assert.equal(logged.filter((line) => line.includes('NOT CHECKED')).length, 1);
  });

  it('shows its client certificate to the registry, and to nobody else', async (t) => {
    const more = { requestCert: true, rejectUnauthorized: true, ca: clients.cert };
    const tls = { ...trusted, clientCertificate: me.cert, clientKey: new SecretText(me.key) };
    const { ask, use, fake } = await setUp(t, { hosts: [aHost({ hostnamePattern: 'registry.test:*', tls })] }, { more });
    assert.ok(await ask());
    const abroad = await startAbroad(t, { ...authority.issue(['abroad.test']), requestCert: true, rejectUnauthorized: false });
    use({ hosts: [aHost({ hostnamePattern: 'registry.test:*', tls, allowPrivate: true })], caCertificates: [authority.cert] });
    let certificates = 0;
    abroad.switches.intercept = (_, response) => {
      if (Object.keys((response.socket as unknown as { getPeerCertificate(): object }).getPeerCertificate()).length > 0) certificates++;
      return false;
    };
    fake.switches.intercept = (request, response) =>
      Boolean(response.writeHead(307, { location: `https://abroad.test:${abroad.host.split(':')[1]}${request.url}` }).end());
    assert.ok(await ask());
    assert.deepEqual([abroad.requests.length, certificates], [1, 0]);
    use({ hosts: [aHost({ tls: trusted })] });
    await assert.rejects(ask(), { code: 'Unavailable' });
  });

  it('trusts the authorities for all registries at the token endpoint too', async (t) => {
    const tokens = await startAbroad(t, authority.issue(['auth.test']));
    const { fake, ask, host } = await setUp(t, { hosts: [aHost({ allowPrivate: true })], caCertificates: [authority.cert] });
    Object.assign(fake.switches, { auth: 'bearer', realm: `https://auth.test:${tokens.host.split(':')[1]}/token` });
    Object.assign(tokens.switches, { auth: 'bearer', anonymousPull: true });
    await assert.rejects(ask(), { code: 'Unauthorized' });
    assert.deepEqual([tokens.requests.length > 0, host.startsWith(name)], [true, true]);
  });

  it('a token endpoint inside the network is asked only where that is allowed', async (t) => {
    const { fake, ask, use, port } = await setUp(t, { hosts: [aHost({ hostnamePattern: 'registry.test:*', tls: trusted })] });
    Object.assign(fake.switches, { auth: 'bearer', anonymousPull: true, realm: `https://127.0.0.1:${port}/token` });
    await assert.rejects(ask(), { code: 'Blocked' });
    use({ hosts: [aHost({ hostnamePattern: 'registry.test:*', tls: trusted, allowPrivate: true })] });
    await assert.rejects(ask(), { message: /certificate/ });
    use({ hosts: [aHost({ hostnamePattern: 'registry.test:*', tls: trusted, allowPrivate: true })], caCertificates: [authority.cert] });
    assert.ok(await ask());
  });

  const plain: readonly (readonly [string, Partial<RegistryHostSettings>, string, boolean])[] = [
    ['nothing is said', {}, name, false],
    ['insecure', { insecure: true }, name, true],
    ['insecure, and TLS is configured', { insecure: true, tls: trusted }, name, false],
    ['this machine', {}, '127.0.0.1', true],
    ['this machine, and TLS is configured', { tls: trusted }, '127.0.0.1', false],
  ];
  for (const [title, host, at, isSpoken] of plain) {
    it(`plain HTTP, ${title}: ${isSpoken ? 'spoken' : 'not spoken'}`, async (t) => {
      const config = { ...noRegistrySettings, hosts: [aHost(host)] };
      const { fake, resolve, repository } = await setUpRegistry(t, { outbound: { resolve: toThisMachine }, settings: () => config });
      fake.push('acme/app', '1.0.0');
      const answer = resolve('1.0.0', [], repository('acme/app', `${at}:${fake.host.split(':')[1]}`));
      if (isSpoken) assert.ok(await answer);
      else await assert.rejects(answer, { code: 'Unavailable' });
      assert.equal(fake.requests.length, isSpoken ? 1 : 0);
    });
  }

  describe('proxy', () => {
    it('of a registry, with a login, through a tunnel', async (t) => {
      const proxy = await startFakeProxy(t, { login: 'me:canary:x' });
      const { ask, host } = await setUp(t, {
        hosts: [aHost({ tls: trusted, proxy: { url: proxy.url, login: new SecretText('me:canary:x\n') } })],
      });
      assert.ok(await ask());
      assert.deepEqual(proxy.seen, [`CONNECT ${host} as me:canary:x`]);
    });

    it('that refuses the login is named, without the login', async (t) => {
      const proxy = await startFakeProxy(t, { login: 'me:canary' });
      const withLogin = proxy.url.replace('http://', 'http://me:wrongcanary@');
      const { ask } = await setUp(t, { hosts: [aHost({ tls: trusted, proxy: { url: withLogin } })] });
      await assert.rejects(
        ask(),
        ({ message }: Error) => message.includes(`through the proxy ${proxy.url}`) && /407/.test(message) && !message.includes('canary'),
      );
    });

    it('that hangs is a Timeout, one that is not there is named', async (t) => {
      const hanging = createServer(() => undefined);
      await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
      const address = hanging.address();
      const url = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
      const sockets: Socket[] = [];
      hanging.on('connection', (socket) => sockets.push(socket));
      const { ask } = await setUp(
        t,
        { hosts: [aHost({ tls: trusted, proxy: { url } })] },
        {
          limits: { timeouts: { callMs: 300 } },
          outbound: { connectMs: 400 },
        },
      );
      await assert.rejects(ask(), { code: 'Timeout' });
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => hanging.close(resolve));
      await assert.rejects(ask(), ({ message }: Error) => message.includes(`through the proxy ${url}`) && message.includes('ECONNREFUSED'));
    });

    it('of a registry that speaks plain HTTP', async (t) => {
      const proxy = await startFakeProxy(t);
      const config = { ...noRegistrySettings, hosts: [aHost({ insecure: true, proxy: { url: proxy.url } })] };
      const { fake, resolve, repository } = await setUpRegistry(t, { settings: () => config });
      fake.push('acme/app', '1.0.0');
      assert.ok(await resolve('1.0.0', [], repository('acme/app', `nowhere.invalid:${fake.host.split(':')[1]}`)));
      assert.match(proxy.seen.join(), /^HEAD http:\/\/nowhere\.invalid:\d+\/v2\/acme\/app\/manifests\/1\.0\.0$/);
    });

    it('that speaks TLS itself, with an authority for all registries', async (t) => {
      const proxy = await startFakeProxy(t, { tls: authority.issue(['localhost']) });
      const { ask, host } = await setUp(t, { caCertificates: [authority.cert], hosts: [aHost({ proxy: { url: proxy.url } })] });
      assert.ok(await ask());
      assert.deepEqual(proxy.seen, [`CONNECT ${host}`]);
    });

    it('of the environment, unless the registry has its own, or none', async (t) => {
      const [ofAll, own] = [await startFakeProxy(t), await startFakeProxy(t)];
      const { ask, use } = await setUp(
        t,
        { hosts: [aHost({ tls: trusted })] },
        { outbound: { resolve: toThisMachine, proxy: { httpsProxy: ofAll.url } } },
      );
      const seen = () => [ofAll.seen.splice(0).length, own.seen.splice(0).length];
      await ask();
      assert.deepEqual(seen(), [1, 0]);
      use({ hosts: [aHost({ tls: trusted, proxy: { url: own.url } })] });
      await ask();
      assert.deepEqual(seen(), [0, 1]);
      use({ hosts: [aHost({ tls: trusted, proxy: false })] });
      await ask();
      assert.deepEqual(seen(), [0, 0]);
    });

    it('does not see what a registry inside NO_PROXY is asked', async (t) => {
      const proxy = await startFakeProxy(t);
      const settings = { httpsProxy: proxy.url, noProxy: '10.0.0.0/8,.test' };
      const { ask } = await setUp(t, { hosts: [aHost({ tls: trusted })] }, { outbound: { resolve: toThisMachine, proxy: settings } });
      assert.ok(await ask());
      assert.deepEqual(proxy.seen, []);
    });

    it('serves the token endpoint of its registry too', async (t) => {
      const proxy = await startFakeProxy(t);
      const { fake, ask, port } = await setUp(t, {
        caCertificates: [authority.cert],
        hosts: [aHost({ proxy: { url: proxy.url }, hostnamePattern: 'registry.test:*' })],
      });
      Object.assign(fake.switches, { auth: 'bearer', anonymousPull: true, realm: `https://auth.test:${port}/token` });
      await assert.rejects(ask(), { message: /certificate|altnames/ });
      assert.deepEqual(proxy.seen.at(-1), `CONNECT auth.test:${port}`);
    });
  });

  it('a change of the settings counts with the next call', async (t) => {
    const { ask, use, fake } = await setUp(t, {});
    await assert.rejects(ask(), { code: 'Unavailable' });
    use({ caCertificates: [authority.cert] });
    assert.ok(await ask());
    use({ caCertificates: [authority.cert], denied: ['registry.*'] });
    await assert.rejects(ask(), { code: 'Blocked' });
    use({ hosts: [aHost({ tls: trusted })] });
    assert.ok(await ask());
    use({ hosts: [aHost({ tls: { caCertificates: [testAuthority('next').cert], skipVerify: false } })] });
    await assert.rejects(ask(), { code: 'Unavailable' });
    assert.equal(fake.requests.length, 2);
  });

  it('equal settings that were read again keep the connections', async (t) => {
    const { ask, use, fake } = await setUp(t, { hosts: [aHost({ tls: { ...trusted } })] });
    const ports = new Set<number | undefined>();
    fake.switches.intercept = (_, response) => ports.add(response.socket?.remotePort).size < 0;
    for (let reads = 1; reads <= 5; reads++) {
      await ask();
      use({ hosts: [aHost({ tls: { ...trusted, caCertificates: [...trusted.caCertificates] } })] });
    }
    assert.ok(ports.size <= 2, `${ports.size} connections`);
  });

  describe('host rules', () => {
    it('are checked before any name is resolved, and name the setting', async (t) => {
      let resolved = 0;
      const settings = { allowed: ['ghcr.io'], caCertificates: [authority.cert] };
      const { ask } = await setUp(t, settings, {
        outbound: { resolve: (_, done) => (resolved++, done(null, [])) },
      });
      await assert.rejects(ask(), {
        code: 'Blocked',
        name: 'RegistryError',
        message: /registry\.test:\d+ is not among allowedRegistries \(ghcr\.io\)/,
      });
      assert.equal(resolved, 0);
    });

    it('hold for the token endpoint and for redirects', async (t) => {
      const hosts = [aHost({ allowPrivate: true })];
      const { fake, ask, port } = await setUp(t, { hosts, caCertificates: [authority.cert], denied: ['*.evil.test'] });
      fake.switches.intercept = (request, response) =>
        Boolean(response.writeHead(307, { location: `https://cdn.evil.test:${port}${request.url}` }).end());
      await assert.rejects(ask(), { code: 'Blocked', message: /denied by "\*\.evil\.test" in deniedRegistries/ });
      fake.switches.intercept = undefined;
      Object.assign(fake.switches, { auth: 'bearer', realm: `https://auth.evil.test:${port}/token` });
      await assert.rejects(ask(), { code: 'Blocked', message: /deniedRegistries/ });
    });
  });

  it('no login, key or password of the settings is printed', async (t) => {
    const proxy = await startFakeProxy(t, { login: 'x:y' });
    const tls = { ...trusted, clientCertificate: me.cert, clientKey: new SecretText(me.key) };
    const { ask, logged, host, resolve, repository } = await setUp(t, {
      hosts: [aHost({ tls, proxy: { url: proxy.url, login: new SecretText('me:canary') } })],
    });
    await assert.rejects(ask());
    const outcome = await Promise.allSettled([resolve('1.0.0', [aLogin(host, 'bot', 'canary')], repository('acme/app', host))]);
    const printed = [...logged, inspect(outcome, { depth: 9, showHidden: true })].join();
    for (const secret of ['canary', Buffer.from('me:canary').toString('base64'), me.key.slice(60, 100)])
      assert.ok(!printed.includes(secret));
  });
});

async function startAbroad(
  t: TestContext,
  tls: { key: string; cert: string; requestCert?: boolean; rejectUnauthorized?: boolean },
): Promise<FakeRegistry> {
  const abroad = await startFakeRegistry({ tls });
  t.after(() => abroad.close());
  abroad.push('acme/app', '1.0.0');
  return abroad;
}
