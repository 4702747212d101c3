import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noRegistrySettings, type OperatorCredential } from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';
import { operatorCredentials } from './operator-credentials.ts';

function dockerConfig(entries: object, legacy = false): OperatorCredential {
  const text = new SecretText(JSON.stringify(legacy ? entries : { auths: entries }));
  return { kind: 'docker-config', source: 'file /etc/reg', text, legacy };
}

const login = { kind: 'login', source: 'registries[0]', username: 'bot', password: new SecretText('canary') } as const;
const bearer = (token: string): OperatorCredential => ({ kind: 'bearer', source: 'registries[0]', token: new SecretText(token) });
const asBot = { username: 'bot', password: 'canary' };

const table = [
  // title, credential, image, what is tried
  ['none is tried without a header', { kind: 'none' }, 'ghcr.io/acme/app', [['anonymous', { kind: 'anonymous' }]]],
  ['a login', login, 'ghcr.io/acme/app', [['registries[0]', { kind: 'basic', ...asBot }]]],
  ['a token', bearer('canary'), 'ghcr.io/acme/app', [['registries[0]', { kind: 'bearer', token: 'canary' }]]],
  ['a token with a line break', bearer(' canary\n'), 'ghcr.io/acme/app', [['registries[0]', { kind: 'bearer', token: 'canary' }]]],
  [
    'of a docker config the entries by the rule of pull secrets',
    dockerConfig({ 'ghcr.io': asBot, 'ghcr.io/acme': { identitytoken: 'i' }, 'quay.io': { auth: 'eDp5' } }),
    'ghcr.io/acme/app',
    [
      ['file /etc/reg', { kind: 'identity', token: 'i' }],
      ['file /etc/reg', { kind: 'basic', ...asBot }],
    ],
  ],
  ['of a docker config nothing that is for others', dockerConfig({ 'quay.io': asBot, '*': asBot }), 'ghcr.io/acme/app', []],
  [
    'the key of Docker Hub',
    dockerConfig({ 'https://index.docker.io/v1/': asBot }),
    'docker.io/library/nginx',
    [['file /etc/reg', { kind: 'basic', ...asBot }]],
  ],
  ['the older form', dockerConfig({ 'ghcr.io': asBot }, true), 'ghcr.io/acme/app', [['file /etc/reg', { kind: 'basic', ...asBot }]]],
] as const;

const broken = [
  // title, credential, sentence
  ['an empty token', bearer(''), /^registries\[0\]: the token is empty/],
  ['a token that no header can hold', bearer('canary\nx: y'), /^registries\[0\]: .* characters that a header cannot/],
  [
    'a docker config that is no JSON',
    { kind: 'docker-config', source: 'file /etc/reg', text: new SecretText('{canary'), legacy: false },
    /^file \/etc\/reg: .* is not a JSON object$/,
  ],
  ['a broken entry', dockerConfig({ 'ghcr.io': 'canary' }), /^file \/etc\/reg: the entry for "ghcr\.io" is ignored/],
] as const;

function ask(credential: OperatorCredential, image: string, complain: (sentence: string) => void = () => undefined) {
  const slash = image.indexOf('/');
  const host = { hostnamePattern: '*', credential, insecure: false, allowPrivate: false, mirrors: [], limits: {} };
  const repository = { registry: image.slice(0, slash), repository: image.slice(slash + 1) };
  return operatorCredentials(repository, { ...noRegistrySettings, hosts: [host] }, complain);
}

describe('registry/operator-credentials', () => {
  for (const [title, credential, image, expected] of table) {
    it(`${title}: ${image}`, () => {
      const found = ask(credential, image).map(({ source, content }) => [source, content]);
      assert.deepEqual(found, expected);
    });
  }

  for (const [title, credential, sentence] of broken) {
    it(`says what is wrong, and no secret: ${title}`, () => {
      const told: string[] = [];
      assert.deepEqual(
        ask(credential, 'ghcr.io/acme/app', (text) => told.push(text)),
        [],
      );
      assert.equal(told.length, 1);
      assert.match(told[0]!, sentence);
      assert.ok(!told[0]!.includes('canary'));
    });
  }

  it('gives nothing where nothing is configured', () => {
    assert.deepEqual(
      operatorCredentials({ registry: 'ghcr.io', repository: 'a/b' }, noRegistrySettings, () => undefined),
      [],
    );
  });
});
