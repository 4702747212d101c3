import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { CredentialProviderSettings } from '../core/registry-settings.ts';
import { ApiError } from '../errors.ts';
import { createCredentialPlugins } from './credential-plugin.ts';
import { createIdentityCache } from './identity-cache.ts';
import type { AccountRef, IdentityWorld } from './identity-world.ts';
import type { Fetched } from './registry-secret.ts';

/** Notes what it was given, then does what its first argument says. */
const program = `
import { appendFileSync, readFileSync } from 'node:fs';
const [mode, log, answer] = process.argv.slice(2);
const input = readFileSync(0, 'utf8');
appendFileSync(log, JSON.stringify({ input: JSON.parse(input), env: process.env, cwd: process.cwd() }) + '\\n');
if (mode === 'hang') setInterval(() => undefined, 1000);
if (mode === 'flood') process.stdout.write('x'.repeat(2_000_000));
if (mode === 'fail') { console.error('canary on stderr'); process.exitCode = 3; }
if (mode === 'answer') process.stdout.write(answer);
`;

const signal = new AbortController().signal;
const image = { registry: 'registry.example.com', repository: 'team/app' };
const login = { 'registry.example.com': { username: 'bot', password: 'canary' } };

interface Run {
  readonly input: Record<string, unknown>;
  readonly env: Record<string, string>;
  readonly cwd: string;
}

function anAnswer(more: object = {}): string {
  const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
  return JSON.stringify({
    apiVersion,
    kind: 'CredentialProviderResponse',
    cacheKeyType: 'Registry',
    cacheDuration: '6h',
    auth: login,
    ...more,
  });
}

function setUp(t: TestContext, options: { world?: Partial<IdentityWorld>; timeoutMs?: number } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'headwind-plugin-'));
  const script = join(folder, 'plugin.mjs');
  const log = join(folder, 'log');
  writeFileSync(script, program);
  writeFileSync(log, '');
  const clock = { ms: Date.parse('2026-01-15T10:00:00Z'), now: () => clock.ms };
  const cache = createIdentityCache({ clock, key: Buffer.alloc(32, 1) });
  const world = { environment: {}, readFile: async () => '', ...options.world };
  const { timeoutMs = 30_000 } = options;
  const plugins = createCredentialPlugins({ clock, cache, world, timeoutMs });
  t.after(() => {
    cache.close();
    rmSync(folder, { recursive: true });
  });

  function provider(mode: string, answer = '', more: Partial<CredentialProviderSettings> = {}): CredentialProviderSettings {
    const args = [script, mode, log, answer];
    return { name: 'own', path: process.execPath, matchImages: ['*.example.com'], defaultCacheMs: 60_000, args, env: [], ...more };
  }

  async function fetch(
    settings: CredentialProviderSettings,
    repository = image,
    account?: AccountRef,
    given: AbortSignal = signal,
    refused = false,
  ): Promise<Fetched> {
    const [wanted] = plugins(repository, [settings], account);
    assert.ok(wanted?.content.kind === 'fetched');
    return await wanted.content.fetch(given, { refused });
  }

  const runs = (): Run[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  return { clock, plugins, provider, fetch, runs };
}

function contentsOf(fetched: Fetched) {
  assert.ok('secrets' in fetched, inspect(fetched));
  return fetched.secrets.map((secret) => secret.reveal());
}

function reasonOf(fetched: Fetched): string {
  assert.ok('unavailable' in fetched);
  return fetched.unavailable;
}

const bot = { kind: 'basic', username: 'bot', password: 'canary' };

describe('registry/credential-plugin', () => {
  it('gives the request on standard input and takes the login that is for the image', async (t) => {
    const { provider, fetch, runs } = setUp(t);
    const auth = { ...login, 'other.example.com': { username: 'other', password: 'x' }, '*': { username: 'star', password: 'x' } };
    const fetched = await fetch(provider('answer', anAnswer({ auth }), { env: [{ name: 'REGION', value: 'eu' }] }));
    assert.deepEqual(contentsOf(fetched), [bot]);
    assert.doesNotMatch(inspect(fetched, { depth: 9, showHidden: true }) + JSON.stringify(fetched), /canary/);
    const [run] = runs();
    assert.deepEqual(run?.input, {
      apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
      kind: 'CredentialProviderRequest',
      image: 'registry.example.com/team/app',
    });
    assert.deepEqual([run?.env, run?.cwd], [{ REGION: 'eu' }, '/']);
  });

  it('several logins of one answer are tried in the kubelet’s order', async (t) => {
    const { provider, fetch } = setUp(t);
    const auth = {
      'registry.example.com': { username: 'wide', password: 'x' },
      'registry.example.com/team': { username: 'narrow', password: 'x' },
    };
    const contents = contentsOf(await fetch(provider('answer', anAnswer({ auth }))));
    assert.deepEqual(
      contents.map((content) => 'username' in content && content.username),
      ['narrow', 'wide'],
    );
  });

  for (const [cacheKeyType, expected] of [
    ['Image', 3],
    ['Registry', 2],
    ['Global', 1],
  ] as const) {
    it(`an answer for ${cacheKeyType} is kept: three images of two registries make ${expected} runs`, async (t) => {
      const { provider, fetch, runs } = setUp(t);
      const settings = provider('answer', anAnswer({ cacheKeyType, auth: { '*.example.com': login['registry.example.com'] } }));
      const images = ['registry.example.com/team/app', 'registry.example.com/team/web', 'other.example.com/team/app'];
      for (const text of [...images, ...images]) {
        const [registry = '', ...rest] = text.split('/');
        assert.deepEqual(contentsOf(await fetch(settings, { registry, repository: rest.join('/') })), [bot]);
      }
      assert.equal(runs().length, expected);
    });
  }

  it('is kept as long as the answer says, else as configured, and not at all with 0', async (t) => {
    const { clock, provider, fetch, runs } = setUp(t);
    const lives = [
      ['1h', 3_000_000, 4_000_000],
      [undefined, 40_000, 70_000],
    ] as const;
    for (const [cacheDuration, youngMs, oldMs] of lives) {
      const settings = provider('answer', anAnswer({ cacheDuration }));
      const before = runs().length;
      await fetch(settings);
      clock.ms += youngMs;
      await fetch(settings);
      clock.ms += oldMs;
      await fetch(settings);
      // A renewal may run beside the second look.
      assert.ok(runs().length - before >= 2 && runs().length - before <= 3);
    }
    const never = provider('answer', anAnswer({ cacheDuration: '0s' }));
    const before = runs().length;
    await fetch(never);
    await fetch(never);
    assert.equal(runs().length - before, 2);
  });

  it('runs once for all who ask at the same time, and anew for a login that was refused', async (t) => {
    const { clock, provider, fetch, runs } = setUp(t);
    const settings = provider('answer', anAnswer());
    await Promise.all(Array.from({ length: 10 }, () => fetch(settings)));
    assert.equal(runs().length, 1);
    clock.ms += 600_000;
    await fetch(settings, image, undefined, signal, true);
    assert.equal(runs().length, 2);
  });

  it('a changed configuration is another program', async (t) => {
    const { provider, fetch, runs } = setUp(t);
    await fetch(provider('answer', anAnswer()));
    await fetch(provider('answer', anAnswer(), { env: [{ name: 'REGION', value: 'us' }] }));
    assert.equal(runs().length, 2);
  });

  for (const [mode, sentence] of [
    ['fail', /^it ended with the status 3$/],
    ['silent', /^its output is not a JSON object$/],
    ['flood', /^its output is longer than 1048576 bytes$/],
  ] as const) {
    it(`one that ends badly (${mode}) gives none, and rests`, async (t) => {
      const { clock, provider, fetch, runs } = setUp(t);
      const settings = provider(mode);
      for (let looks = 0; looks < 5; looks++) assert.match(reasonOf(await fetch(settings)), sentence);
      assert.equal(runs().length, 1);
      clock.ms += 31_000;
      await fetch(settings);
      assert.equal(runs().length, 2);
    });
  }

  it('one that hangs is ended in time, and when nobody waits any more', async (t) => {
    const { provider, fetch } = setUp(t, { timeoutMs: 700 });
    assert.match(reasonOf(await fetch(provider('hang'))), /^it gave no answer within 0\.7 s$/);
    const impatient = new AbortController();
    const waiting = fetch(provider('hang', 'again'), image, undefined, impatient.signal);
    impatient.abort(new Error('gave up'));
    await assert.rejects(waiting, /gave up/);
  });

  it('one that is not there is told', async (t) => {
    const { provider, fetch } = setUp(t);
    assert.match(reasonOf(await fetch(provider('answer', '', { path: '/nowhere/plugin' }))), /^it cannot be run \(ENOENT\)$/);
  });

  it('no shell sees its arguments', async (t) => {
    const { provider, fetch } = setUp(t);
    const answer = anAnswer({ auth: { 'registry.example.com': { username: '$(id); `id` "\'&', password: 'x' } } });
    const [content] = contentsOf(await fetch(provider('answer', answer)));
    assert.equal(content && 'username' in content && content.username, '$(id); `id` "\'&');
  });

  for (const [path, matchImages, repository, expected] of [
    ['plugin', ['*.example.com'], image, 0],
    ['./plugin', ['*.example.com'], image, 0],
    ['/bin/plugin', ['*.example.com'], image, 1],
    ['/bin/plugin', ['example.com', 'registry.example.com/team'], image, 1],
    ['/bin/plugin', ['registry.example.com/other'], image, 0],
    ['/bin/plugin', ['*'], image, 0],
    ['/bin/plugin', ['registry.example.com:5000'], image, 0],
    ['/bin/plugin', [], image, 0],
  ] as const) {
    it(`${path} for ${matchImages.join(' ') || 'no images'} is ${expected ? '' : 'not '}asked`, (t) => {
      const { plugins, provider } = setUp(t);
      assert.equal(plugins(repository, [provider('answer', '', { path, matchImages })], undefined).length, expected);
    });
  }
});

const attributes = {
  serviceAccountTokenAudience: 'sts.example.com',
  cacheType: 'ServiceAccount',
  requireServiceAccount: true,
  requiredServiceAccountAnnotationKeys: ['role'],
  optionalServiceAccountAnnotationKeys: ['tenant', 'region'],
} as const;

/** ServiceAccounts whose tokens are numbered. */
function accounts(annotations: Readonly<Record<string, string>>): NonNullable<IdentityWorld['serviceAccounts']> {
  let given = 0;
  return {
    read: async ({ name }) => ({ uid: `uid-of-${name}`, annotations }),
    token: async ({ name }, audience) => ({ token: `canary-${name}-${audience}-${++given}` }),
  };
}

describe('registry/credential-plugin, tokens of service accounts', () => {
  const web = { namespace: 'team', name: 'web' };

  it('gets a token for its audience and the annotations it asked for, and answers are kept for each account', async (t) => {
    const { provider, fetch, runs } = setUp(t, { world: { serviceAccounts: accounts({ role: 'r', region: 'eu', secret: 'x' }) } });
    const settings = provider('answer', anAnswer({ cacheKeyType: 'Global' }), { tokenAttributes: attributes });
    for (const account of [web, web, { ...web, name: 'other' }, { ...web, namespace: 'b' }]) await fetch(settings, image, account);
    assert.equal(runs().length, 3);
    const { serviceAccountToken, serviceAccountAnnotations } = runs()[0]?.input ?? {};
    assert.equal(serviceAccountToken, 'canary-web-sts.example.com-1');
    assert.deepEqual(serviceAccountAnnotations, { role: 'r', region: 'eu' });
  });

  it('or for each token', async (t) => {
    const { provider, fetch, runs } = setUp(t, { world: { serviceAccounts: accounts({ role: 'r' }) } });
    const settings = provider('answer', anAnswer(), { tokenAttributes: { ...attributes, cacheType: 'Token' } });
    for (let looks = 0; looks < 2; looks++) await fetch(settings, image, web);
    assert.equal(runs().length, 2);
  });

  it('is not run for an account without an annotation that it requires', async (t) => {
    const { provider, fetch, runs } = setUp(t, { world: { serviceAccounts: accounts({}) } });
    const fetched = await fetch(provider('answer', anAnswer(), { tokenAttributes: attributes }), image, web);
    assert.match(reasonOf(fetched), /ServiceAccount team\/web lacks an annotation/);
    assert.deepEqual(runs(), []);
  });

  it('is not run without an account if it requires one, else it is run without a token', async (t) => {
    const { provider, fetch, runs } = setUp(t);
    const strict = await fetch(provider('answer', anAnswer(), { tokenAttributes: attributes }), image);
    assert.match(reasonOf(strict), /needs a token of a ServiceAccount/);
    assert.deepEqual(runs(), []);
    const lenient = { ...attributes, requireServiceAccount: false };
    assert.deepEqual(contentsOf(await fetch(provider('answer', anAnswer(), { tokenAttributes: lenient }), image)), [bot]);
    assert.equal(runs()[0]?.input['serviceAccountToken'], undefined);
  });

  it('without the right to make tokens it says so', async (t) => {
    const serviceAccounts = {
      ...accounts({ role: 'r' }),
      token: async () => {
        throw new ApiError(403, 'Forbidden', 'cannot create resource "serviceaccounts/token"');
      },
    };
    const { provider, fetch } = setUp(t, { world: { serviceAccounts } });
    assert.match(
      reasonOf(await fetch(provider('answer', anAnswer(), { tokenAttributes: attributes }), image, web)),
      /serviceaccounts\/token/,
    );
  });
});
