import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareKeysReversed, coversForeignNames, keyMatches, labelMatches, parseRegistryKey, splitKey } from './keychain-match.ts';

const matches = [
  // key, image, match
  ['docker.io', 'docker.io/library/nginx', true],
  ['https://docker.io/', 'docker.io/library/nginx', true],
  ['https://docker.io', 'docker.io/library/nginx', true],
  ['*', 'docker.io/library/nginx', false],
  ['*.example.com', 'a.b.example.com/app', false],
  ['reg', 'reg:5000/app', false],
  ['http://reg:5000/v2/', 'reg:5000/app', true],
  ['registry.local:5000/team', 'registry.local:5000/team/app', true],
  ['ghcr.io', 'ghcr.io/acme/app', true],
  ['ghcr.io/acme', 'ghcr.io/acme/app', true],
  ['ghcr.io/acme', 'ghcr.io/acme-evil/app', true],
  ['ghcr.io/acme/', 'ghcr.io/acme-evil/app', false],
  ['ghcr.io/other', 'ghcr.io/acme/app', false],
  ['https://ghcr.io/', 'ghcr.io/acme/app', true],
  ['ghcr.io/v2/', 'ghcr.io/acme/app', true],
  ['ghcr.io/v1', 'ghcr.io/acme/app', false],
  ['ghcr.io/v2/acme', 'ghcr.io/acme/app', true],
  ['*.azurecr.io', 'foo.azurecr.io/app', true],
  ['*.azurecr.io', 'a.b.azurecr.io/app', false],
  ['*.dkr.ecr.*.amazonaws.com', '1.dkr.ecr.us-east-1.amazonaws.com/app', true],
  ['registry.local', 'registry.local:5000/app', false],
  ['registry.local:443', 'registry.local/app', false],
  ['registry.local:5000', 'registry.local:5000/app', true],
  ['http://registry.local:5000/v2/', 'registry.local:5000/app', true],
  ['https://user:password@registry.local:5000', 'registry.local:5000/app', true],
  ['reg*.local', 'reg1.local/app', true],
  ['reg?.local', 'reg1.local/app', true],
  ['reg?.local', 'reg10.local/app', false],
  ['reg[12].local', 'reg1.local/app', true],
  ['reg[^12].local', 'reg1.local/app', false],
  ['ghcr.io/*', 'ghcr.io/acme/app', false],
  ['GHCR.io', 'ghcr.io/acme/app', false],
  ['[::1]:5000', '[::1]:5000/app', true],
  ['[::1]', '[::1]/app', true],
  ['ghcr.io/acme?x=1#y', 'ghcr.io/acme/app', true],
] as const;

const labels = [
  // pattern, label, match
  ['a*c', 'abbc', true],
  ['a*c*e', 'abcde', true],
  ['a*c', 'ab', false],
  ['**', 'x', true],
  ['[a-c]', 'b', true],
  ['[a-c]', 'd', false],
  ['[', 'a', false],
  ['[]', 'a', false],
  ['a?', 'a', false],
] as const;

function image(text: string) {
  const slash = text.indexOf('/');
  return splitKey(text.slice(0, slash), text.slice(slash));
}

describe('registry/keychain-match', () => {
  for (const [key, reference, expected] of matches) {
    it(`key ${key} ${expected ? 'counts' : 'does not count'} for ${reference}`, () => {
      const parsed = parseRegistryKey(key);
      assert.equal(parsed !== undefined && keyMatches(parsed, image(reference)), expected);
    });
  }

  for (const [pattern, label, expected] of labels) {
    it(`label ${label} is ${expected ? '' : 'not '}like ${pattern}`, () => assert.equal(labelMatches(pattern, label), expected));
  }

  for (const key of ['', 'https://', 'a b', '/acme', 'a%zz']) {
    it(`key ${JSON.stringify(key)} names no host`, () => assert.equal(parseRegistryKey(key), undefined));
  }

  it('sorts keys in reverse byte order', () => {
    const keys = ['*.io', 'ghcr.io', 'ghcr.io/acme', 'ghcr.io/acme/app', 'ghcr.io:443'].map((text) => parseRegistryKey(text)!);
    assert.deepEqual(
      keys.sort(compareKeysReversed).map(({ text }) => text),
      ['ghcr.io:443', 'ghcr.io/acme/app', 'ghcr.io/acme', 'ghcr.io', '*.io'],
    );
  });

  it('tells a path that ends inside a name', () => {
    const key = parseRegistryKey('ghcr.io/acme')!;
    assert.equal(coversForeignNames(key, image('ghcr.io/acme-evil/app')), true);
    assert.equal(coversForeignNames(key, image('ghcr.io/acme/app')), false);
    assert.equal(coversForeignNames(parseRegistryKey('ghcr.io')!, image('ghcr.io/acme/app')), false);
  });

  it('answers for every key and label, in bounded time', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (key, label) => typeof labelMatches(key, label) === 'boolean'));
    fc.assert(fc.property(fc.string(), (key) => void parseRegistryKey(key)));
    const started = performance.now();
    labelMatches('*a'.repeat(200), 'a'.repeat(5000));
    assert.ok(performance.now() - started < 1000);
  });
});
