import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { chooseCredentials, type WantedCredential } from './keychain.ts';

const processKey = Buffer.alloc(32, 1);

/** A dockerconfigjson Secret whose entries have the user names given. */
function aSecret(name: string, users: Readonly<Record<string, string>>, namespace = 'team') {
  const auths = Object.fromEntries(Object.entries(users).map(([key, user]) => [key, { username: user, password: `canary-${user}` }]));
  return { namespace, name, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': JSON.stringify({ auths }) } };
}

function choose(image: string, secrets: ReturnType<typeof aSecret>[], key = processKey) {
  const slash = image.indexOf('/');
  return chooseCredentials({ registry: image.slice(0, slash), repository: image.slice(slash + 1) }, secrets, key);
}

function users(set: ReturnType<typeof choose>) {
  return set.candidates.map(({ secret }) => {
    const content = secret.reveal();
    return content.kind === 'basic' ? content.username : content.kind;
  });
}

const table = [
  // image, keys, users in order
  ['docker.io/library/nginx', { 'https://index.docker.io/v1/': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'index.docker.io': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'docker.io': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'docker.io': 'exact', 'https://index.docker.io/v1/': 'hub' }, ['exact', 'anonymous']],
  ['docker.io/library/nginx', { 'registry-1.docker.io': 'alias' }, ['alias', 'anonymous']],
  ['registry-1.docker.io/library/nginx', { 'docker.io': 'hub' }, ['hub', 'anonymous']],
  ['registry-1.docker.io/library/nginx', { 'https://index.docker.io/v1/': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'https://docker.io': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'https://docker.io/': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { 'https://index.docker.io/v1/': 'v1', 'index.docker.io': 'bare' }, ['v1', 'bare', 'anonymous']],
  ['index.docker.io/library/nginx', { 'docker.io': 'hub' }, ['hub', 'anonymous']],
  ['index.docker.io/library/nginx', { 'https://index.docker.io/v1/': 'hub' }, ['hub', 'anonymous']],
  ['registry.hub.docker.com/library/nginx', { 'docker.io': 'hub' }, ['hub', 'anonymous']],
  ['docker.io/library/nginx', { '*': 'star' }, ['anonymous']],
  ['ghcr.io/acme/app', { 'https://index.docker.io/v1/': 'hub' }, ['anonymous']],
  ['ghcr.io/acme/app', { 'ghcr.io': 'wide', 'ghcr.io/acme': 'narrow', 'quay.io': 'other' }, ['narrow', 'wide', 'anonymous']],
  ['ghcr.io/acme/app', { 'ghc*.io': 'glob', 'ghcr.io': 'literal' }, ['literal', 'glob', 'anonymous']],
  ['ghcr.io/acme/app', {}, ['anonymous']],
] as const;

describe('registry/keychain', () => {
  for (const [image, keys, expected] of table) {
    it(`uses ${expected.join(', ')} for ${image} with ${Object.keys(keys).join(' ') || 'no keys'}`, () => {
      assert.deepEqual(users(choose(image, [aSecret('regcred', keys)])), expected);
    });
  }

  it('tries no more than ten logins, however many a secret holds for one registry', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`ghcr.io/acme?${index}`, `user${index}`]));
    const found = users(choose('ghcr.io/acme/app', [aSecret('regcred', many)]));
    assert.deepEqual([found.length, found[0], found.at(-1)], [11, 'user0', 'anonymous']);
  });

  it('of a secret with thousands of entries only the first are read, and that is said', () => {
    const many = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`r${index}.example.com`, 'bot']));
    const secrets = [aSecret('regcred', many)];
    assert.deepEqual(users(choose('r499.example.com/app', secrets)), ['bot', 'anonymous']);
    const late = choose('r500.example.com/app', secrets);
    assert.deepEqual(users(late), ['anonymous']);
    assert.match(late.problems[0]?.message ?? '', /^Secret team\/regcred has 12000 entries; only the first 500 are read$/);
  });

  it('keeps the order of the secrets within one key', () => {
    const set = choose('ghcr.io/acme/app', [
      aSecret('one', { 'ghcr.io': 'first' }),
      aSecret('two', { 'ghcr.io': 'second', 'ghcr.io/a': 'path' }),
    ]);
    assert.deepEqual(users(set), ['path', 'first', 'second', 'anonymous']);
    assert.deepEqual(
      set.candidates.map(({ source }) => source),
      ['Secret team/two', 'Secret team/one', 'Secret team/two', 'anonymous'],
    );
  });

  it('tries a credential once that stands in two secrets', () => {
    const set = choose('ghcr.io/acme/app', [aSecret('one', { 'ghcr.io': 'same' }), aSecret('two', { 'ghcr.io': 'same' })]);
    assert.deepEqual(users(set), ['same', 'anonymous']);
  });

  it('gives equal credentials one fingerprint, others another', () => {
    const set = (user: string, namespace: string) => choose('ghcr.io/acme/app', [aSecret('regcred', { 'ghcr.io': user }, namespace)]);
    assert.equal(set('bot', 'a').fingerprint, set('bot', 'b').fingerprint);
    assert.notEqual(set('bot', 'a').fingerprint, set('other', 'a').fingerprint);
    assert.notEqual(set('bot', 'a').fingerprint, choose('ghcr.io/acme/app', []).fingerprint);
    const another = choose('ghcr.io/acme/app', [], Buffer.alloc(32, 2));
    assert.notEqual(another.fingerprint, choose('ghcr.io/acme/app', []).fingerprint);
  });

  it('does not let unused entries change the fingerprint', () => {
    const set = choose('ghcr.io/acme/app', [aSecret('regcred', { 'quay.io': 'other' })]);
    assert.equal(set.fingerprint, choose('ghcr.io/acme/app', []).fingerprint);
  });

  it('makes a problem of a malformed secret and goes on', () => {
    const broken = { ...aSecret('broken', {}), data: { '.dockerconfigjson': 'canary' } };
    const set = choose('ghcr.io/acme/app', [broken, aSecret('regcred', { 'ghcr.io': 'bot', '': 'nobody' })]);
    assert.deepEqual(users(set), ['bot', 'anonymous']);
    assert.deepEqual(
      set.problems.map(({ reason }) => reason),
      ['PullSecretMissing', 'PullSecretMissing'],
    );
  });

  it('of several registries in one secret each gets its own credential, in every order of the entries (1,000 runs)', () => {
    const hosts = ['a.example.com', 'b.example.com', 'a.example.com:5000', 'example.com', 'docker.io', 'ghcr.io/acme', '*.azurecr.io'];
    const images = [
      'a.example.com/x',
      'b.example.com/x',
      'a.example.com:5000/x',
      'docker.io/library/x',
      'ghcr.io/acme/x',
      'my.azurecr.io/x',
    ];
    const own = ['a.example.com', 'b.example.com', 'a.example.com:5000', 'docker.io', 'ghcr.io/acme', '*.azurecr.io'];
    fc.assert(
      fc.property(fc.shuffledSubarray(hosts), fc.nat(images.length - 1), (keys, index) => {
        const secret = aSecret('regcred', Object.fromEntries(keys.map((key) => [key, key])));
        const expected = keys.filter((key) => key === own[index]);
        assert.deepEqual(users(choose(images[index]!, [secret])), [...expected, 'anonymous']);
      }),
      { numRuns: 1_000 },
    );
  });

  it('tries the others after those of the secrets, each once, and anonymous where it stands first', () => {
    const basic = (username: string) => ({ kind: 'basic', username, password: `canary-${username}` }) as const;
    const repository = { registry: 'ghcr.io', repository: 'acme/app' };
    const set = (...contents: readonly WantedCredential['content'][]) =>
      users(
        chooseCredentials(
          repository,
          [aSecret('regcred', { 'ghcr.io': 'bot' })],
          processKey,
          contents.map((content) => ({ source: 'registries[0]', content })),
        ),
      );
    assert.deepEqual(set(basic('other'), basic('bot')), ['bot', 'other', 'anonymous']);
    assert.deepEqual(set({ kind: 'anonymous' }, basic('other')), ['bot', 'anonymous', 'other']);
    assert.equal(set(...Array.from({ length: 50 }, (_, index) => basic(`u${index}`))).length, 12);
  });

  it('names a key that covers a foreign name by its prefix', () => {
    const set = choose('ghcr.io/acme-evil/app', [aSecret('regcred', { 'ghcr.io/acme': 'bot' })]);
    assert.deepEqual([users(set), set.broadKeys], [['bot', 'anonymous'], ['Secret team/regcred, key ghcr.io/acme']]);
  });

  it('prints no secret', () => {
    const set = choose('ghcr.io/acme/app', [aSecret('regcred', { 'ghcr.io': 'bot' })]);
    const printed = [
      JSON.stringify(set),
      inspect(set, { depth: 9, showHidden: true }),
      set.candidates.map(({ secret }) => secret.toString()).join(),
    ];
    assert.ok(
      printed.every((text) => text.includes('[redacted]') && !text.includes('canary')),
      printed.join('\n'),
    );
  });
});
