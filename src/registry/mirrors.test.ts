import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type FakeRegistry, startFakeRegistry } from '../../test/fakes/registry.ts';
import { aLogin, setUpRegistry } from '../../test/fakes/registry-setup.ts';
import { noRegistrySettings, type RegistryHostSettings } from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';

type Mirror = RegistryHostSettings['mirrors'][number];

function aHost(hostnamePattern: string, more: Partial<RegistryHostSettings> = {}): RegistryHostSettings {
  return { hostnamePattern, credential: { kind: 'none' }, insecure: false, allowPrivate: false, mirrors: [], limits: {}, ...more };
}

/** A registry with two mirrors; all of them have the same image. */
async function setUp(
  t: TestContext,
  change: (mirror: Mirror) => Mirror = (mirror) => mirror,
  others: readonly RegistryHostSettings[] = [],
) {
  const mirrors = [await start(t), await start(t)] as const;
  const hosts: RegistryHostSettings[] = [...others];
  const settings = { ...noRegistrySettings, hosts };
  const setup = await setUpRegistry(t, { settings: () => settings, limits: { timeouts: { callMs: 200 } } });
  hosts.push(aHost(setup.fake.host, { mirrors: mirrors.map(({ origin }) => change({ url: origin, sendsNamespace: false })) }));
  setup.fake.push('acme/app', '1.0.0');
  /** How many requests each saw since the last call: first mirror, second mirror, registry. */
  const seen = () => [...mirrors, setup.fake].map((one) => one.requests.splice(0).length);
  return { ...setup, mirrors, seen, settings };
}

async function start(t: TestContext): Promise<FakeRegistry> {
  const mirror = await startFakeRegistry();
  t.after(() => mirror.close());
  mirror.push('acme/app', '1.0.0');
  return mirror;
}

const mishaps: readonly (readonly [string, (mirror: FakeRegistry) => void])[] = [
  ['does not have it', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(404) })],
  ['has an empty list', (mirror) => Object.assign(mirror.switches, { tagsBody: '{"tags":null}', intercept: onlyTags() })],
  ['fails', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(500) })],
  ['asks for fewer requests', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(429) })],
  ['hangs', (mirror) => Object.assign(mirror.switches, { intercept: () => true })],
  ['wants a login', (mirror) => Object.assign(mirror.switches, { auth: 'basic', users: { bot: 'canary' } })],
  ['refuses', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(403) })],
  ['leads into the network', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(307, { location: 'http://10.0.0.1/' }) })],
  ['talks nonsense', (mirror) => Object.assign(mirror.switches, { intercept: answerWith(200, {}, '<html>') })],
];

describe('registry/mirrors', () => {
  it('the first mirror answers HEAD, lists of tags and contents; the registry is not asked', async (t) => {
    const { registry, resolve, tags, repository, seen, signal } = await setUp(t);
    const digest = await resolve('1.0.0');
    assert.deepEqual(await tags(), { tags: ['1.0.0'], truncated: false });
    await registry.contents(repository(), digest, registry.credentials(repository(), []), signal);
    assert.deepEqual(seen(), [3, 0, 0]);
  });

  for (const [title, cause] of mishaps) {
    it(`where the first ${title}, the second is asked, and then the registry`, async (t) => {
      const { mirrors, resolve, tags, seen } = await setUp(t);
      cause(mirrors[0]);
      assert.ok(await resolve('1.0.0'));
      assert.deepEqual((await tags()).tags, ['1.0.0']);
      const [first, second, last] = seen();
      assert.ok((first ?? 0) >= 1 && second === 2 && last === 0, String([first, second, last]));
      cause(mirrors[1]);
      assert.ok(await resolve('1.0.0'));
      assert.deepEqual((await tags()).tags, ['1.0.0']);
      assert.equal(seen()[2], 2);
    });
  }

  it('a list that a mirror cuts short is no answer', async (t) => {
    const { fake, mirrors, tags, seen } = await setUp(t);
    fake.push('acme/app', '2.0.0');
    for (const mirror of mirrors) {
      mirror.push('acme/app', '2.0.0');
      Object.assign(mirror.switches, { pageSize: 1, link: 'itself' });
    }
    assert.deepEqual((await tags()).tags, ['1.0.0', '2.0.0']);
    assert.equal(seen()[2], 1);
  });

  it('never sees a credential of the registry', async (t) => {
    const { fake, mirrors, resolve, seen } = await setUp(t, undefined, [
      aHost('nowhere.test', { credential: { kind: 'login', source: 'x', username: 'bot', password: new SecretText('canary') } }),
    ]);
    for (const one of [fake, ...mirrors]) Object.assign(one.switches, { auth: 'bearer', users: { bot: 'canary' } });
    assert.ok(await resolve('1.0.0', [aLogin(fake.host, 'bot', 'canary')]));
    const told = mirrors.flatMap(({ requests }) => requests.map(({ headers, url }) => `${headers['authorization']} ${url}`));
    assert.ok(told.length > 0 && told.every((text) => text.startsWith('undefined ')), told.join());
    assert.ok(fake.requests.some(({ headers }) => headers['authorization']?.startsWith('Basic')));
    seen();
  });

  it('may have a credential of its own in the configuration, and an anonymous token of its own', async (t) => {
    const { mirrors, settings, resolve, seen } = await setUp(t);
    Object.assign(mirrors[0].switches, { auth: 'basic', users: { mirror: 'own' } });
    settings.hosts.unshift(
      aHost(mirrors[0].host, { credential: { kind: 'login', source: 'x', username: 'mirror', password: new SecretText('own') } }),
    );
    assert.ok(await resolve('1.0.0'));
    assert.deepEqual(seen().slice(1), [0, 0]);
    settings.hosts.shift();
    Object.assign(mirrors[0].switches, { auth: 'bearer', anonymousPull: true });
    assert.ok(await resolve('1.0.0'));
    assert.deepEqual(seen().slice(1), [0, 0]);
  });

  it('tells which registry is meant only where it is to', async (t) => {
    const { fake, mirrors, resolve, tags } = await setUp(t, (mirror) => ({ ...mirror, sendsNamespace: true }));
    Object.assign(mirrors[0].switches, { pageSize: 1, auth: 'bearer', anonymousPull: true });
    mirrors[0].push('acme/app', '2.0.0');
    await resolve('1.0.0');
    await tags();
    const urls = mirrors[0].requests.map(({ url }) => url);
    assert.ok(urls.length >= 4);
    for (const url of urls) {
      assert.equal(new URL(url, 'http://x').searchParams.get('ns'), url.startsWith('/token') ? null : fake.host, url);
    }
  });

  const paths = [
    // path of the mirror, where the image is asked for
    ['', '/v2/acme/app/'],
    ['/', '/v2/acme/app/'],
    ['/hub', '/v2/hub/acme/app/'],
    ['/v2/hub/', '/v2/hub/acme/app/'],
    ['/v2/', '/v2/acme/app/'],
  ] as const;
  for (const [path, root] of paths) {
    it(`a mirror at "${path}" is asked below ${root}`, async (t) => {
      const { mirrors, resolve } = await setUp(t, (mirror) => ({ ...mirror, url: mirror.url + path }));
      mirrors[0].push('hub/acme/app', '1.0.0');
      await resolve('1.0.0');
      assert.equal(mirrors[0].requests[0]?.url, `${root}manifests/1.0.0`);
    });
  }

  it('a mirror that hangs costs a moment five times, and then nothing for half a minute', async (t) => {
    const { mirrors, resolve, seen, clock } = await setUp(t);
    mirrors[0].switches.intercept = () => true;
    for (let calls = 1; calls <= 8; calls++) await resolve('1.0.0');
    assert.deepEqual(seen(), [5, 8, 0]);
    clock.ms += 30_000;
    await resolve('1.0.0');
    assert.deepEqual(seen(), [1, 1, 0]);
  });

  it('a mirror whose URL cannot be read is passed over', async (t) => {
    const { resolve, seen } = await setUp(t, () => ({ url: 'ftp://nonsense', sendsNamespace: false }));
    assert.ok(await resolve('1.0.0'));
    assert.deepEqual(seen(), [0, 0, 1]);
  });

  it('who gives up is not sent from mirror to mirror', async (t) => {
    const { registry, repository, mirrors, seen } = await setUp(t);
    const controller = new AbortController();
    mirrors[0].switches.intercept = () => (controller.abort(new Error('enough')), true);
    const asked = registry.resolve(repository(), '1.0.0', registry.credentials(repository(), []), controller.signal);
    await assert.rejects(asked, /enough/);
    assert.deepEqual(seen(), [1, 0, 0]);
  });
});

function answerWith(status: number, headers: Record<string, string> = {}, body = ''): NonNullable<FakeRegistry['switches']['intercept']> {
  return (_, response) => Boolean(response.writeHead(status, headers).end(body));
}

/** Manifests are missing. */
function onlyTags(): NonNullable<FakeRegistry['switches']['intercept']> {
  return ({ url }, response) => url.includes('/manifests/') && Boolean(response.writeHead(404).end());
}
