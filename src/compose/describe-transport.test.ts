import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noRegistrySettings, type RegistryHostSettings, type RegistrySettings } from '../core/registry-settings.ts';
import { SecretText } from '../core/secret-text.ts';
import { describeTransport } from './describe-transport.ts';

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
const system = 'HTTPS; the certificate is checked against the authorities of the system';

function settingsWith(host: Partial<RegistryHostSettings>, others: Partial<RegistrySettings> = {}): RegistrySettings {
  const entry = {
    hostnamePattern: 'reg.*',
    credential: { kind: 'none' },
    insecure: false,
    allowPrivate: false,
    mirrors: [],
    limits: {},
  } as const;
  return { ...noRegistrySettings, hosts: [{ ...entry, ...host }], ...others };
}

const tls = { caCertificates: [], skipVerify: false };
const login = new SecretText('canary:canary');
const environment = { httpProxy: undefined, httpsProxy: 'http://canary:canary@proxy:3128', noProxy: undefined };
const table: readonly (readonly [title: string, registry: string, settings: RegistrySettings, insecureHosts: string[], facts: string[]])[] =
  [
    ['nothing', 'reg.example', noRegistrySettings, [], [system]],
    ['Docker Hub', 'docker.io', noRegistrySettings, [], [system, 'its API is at registry-1.docker.io']],
    ['this machine', '127.0.0.1:5000', noRegistrySettings, [], ['plain HTTP: the host is this machine']],
    ['this machine, port 443', 'localhost:443', noRegistrySettings, [], [system]],
    ['a listed host', 'reg:5000', noRegistrySettings, ['REG'], ['plain HTTP: the host is in HEADWIND_REGISTRY_INSECURE_HOSTS']],
    ['insecure', 'reg.example', settingsWith({ insecure: true }), [], ['plain HTTP: insecure is set for the entry "reg.*" of registries']],
    [
      'authorities',
      'reg.example',
      settingsWith({ tls: { ...tls, caCertificates: [pem + pem] } }, { caCertificates: [pem] }),
      [],
      [`${system} and 1 of SSL_CERT_FILE, SSL_CERT_DIR and tls.caCertificatePaths and 2 of the entry "reg.*" of registries`],
    ],
    [
      'a client certificate and a name',
      'reg.example',
      settingsWith({ tls: { ...tls, clientCertificate: pem, clientKey: new SecretText('canary'), serverName: 'other' } }),
      [],
      [system, 'the certificate must be for other', 'the client certificate of the entry "reg.*" of registries is shown'],
    ],
    [
      'no check',
      'reg.example',
      settingsWith({ tls: { ...tls, skipVerify: true } }),
      [],
      ['HTTPS, and the certificate is NOT CHECKED: insecureSkipVerify is set for the entry "reg.*" of registries'],
    ],
    [
      'a proxy of its own',
      'reg.example',
      settingsWith({ proxy: { url: 'http://own:3128', login } }),
      [],
      [system, 'through the proxy http://own:3128 of the entry "reg.*" of registries'],
    ],
    ['no proxy', 'reg.example', settingsWith({ proxy: false }), [], [system, 'without a proxy: the entry "reg.*" of registries says so']],
    [
      'a mirror',
      'reg.example',
      settingsWith({ mirrors: [{ url: 'https://mirror.example/path', sendsNamespace: true }] }),
      [],
      [system, 'asked first, without credentials: the mirror https://mirror.example'],
    ],
  ];

describe('compose/describe-transport', () => {
  for (const [title, registry, settings, insecureHosts, facts] of table) {
    it(title, () => {
      const found = describeTransport({ registry, repository: 'team/app' }, { settings, insecureHosts, proxy: {} });
      assert.deepEqual(found.facts, facts);
      assert.equal(found.isPlainHttp, facts[0]?.startsWith('plain HTTP'));
      assert.doesNotMatch(JSON.stringify(found), /canary/);
    });
  }

  it('names the proxy of the environment without its login', () => {
    const repository = { registry: 'reg.example', repository: 'team/app' };
    const { facts } = describeTransport(repository, { settings: noRegistrySettings, insecureHosts: [], proxy: environment });
    assert.deepEqual(facts, [system, 'through the proxy http://proxy:3128 of the environment']);
  });
});
