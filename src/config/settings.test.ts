import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testAuthority } from '../../test/fakes/certificate.ts';
import { defaultAutorolloutSettings } from '../core/autorollout-settings.ts';
import { noRegistrySettings, type OperatorCredential, type RegistrySettings } from '../core/registry-settings.ts';
import type { ReadFile } from './checked-files.ts';
import { type Layer, readFlatLayer, readLayer } from './layer.ts';
import { type BaseSettings, healthPortOf, type Settings, settingsOf } from './settings.ts';

const base: BaseSettings = {
  logLevel: 'info',
  controllersEnabled: true,
  polling: { enabled: false, intervalMs: 300_000 },
  requests: { expiryMs: 86_400_000, retentionMs: 604_800_000 },
};

const authority = testAuthority();
const client = authority.issue(['operator']);
const other = authority.issue(['other']);
const dockerConfig = '{"auths":{"ghcr.io":{"auth":"bWU6Y2FuYXJ5"}}}';
const providers = `
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-credential-provider
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages: ["*.dkr.ecr.*.amazonaws.com"]
    defaultCacheDuration: 1h30m
    args: [get-credentials]
    env: [{name: AWS_PROFILE, value: build}]
  - name: token-provider
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages: [reg.example.com]
    defaultCacheDuration: "0"
    tokenAttributes: {serviceAccountTokenAudience: reg, cacheType: Token, requireServiceAccount: true}
`;

const files: Readonly<Record<string, string>> = {
  '/ca/ca.crt': `# two of them\n${authority.cert}${client.cert}`,
  '/ca/empty.crt': '',
  '/ca/broken.crt': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  '/tls/tls.crt': client.cert,
  '/tls/tls.key': client.key,
  '/tls/other.key': other.key,
  '/tls/no.key': 'x',
  '/pull/.dockerconfigjson': dockerConfig,
  '/legacy/.dockercfg': '{"ghcr.io":{"auth":"bWU6Y2FuYXJ5"}}',
  '/empty/.dockerconfigjson': '{}',
  '/broken/.dockerconfigjson': '{"auths":',
  '/list/.dockerconfigjson': '[]',
  '/providers.yaml': providers,
  '/odd-providers.yaml': providers.replace('name: ecr-credential-provider', 'name: ../../bin/sh'),
};

const read: ReadFile = (path) => {
  const text = files[path];
  return text === undefined ? { problem: 'does not exist', missing: true } : { text };
};

async function layer(text: string, isFile = true): Promise<Layer> {
  const result = await readLayer(text, {
    source: 'config.yaml',
    variables: { TOKEN: 'canary', NOTHING: '', LINE: 'canary\r\n', USER: 'me\n' },
    isFile,
  });
  return 'layer' in result ? result.layer : assert.fail(result.mistakes.join('\n'));
}

function flat(data: Record<string, string>): Layer {
  const result = readFlatLayer(data, { source: 'ConfigMap', variables: undefined, isFile: false });
  return 'layer' in result ? result.layer : assert.fail(result.mistakes.join('\n'));
}

async function good(...layers: readonly Layer[]): Promise<{ settings: Settings; warnings: readonly string[] }> {
  const result = await settingsOf({ base, layers, read, systemRoots: [] });
  return 'settings' in result ? result : assert.fail(result.mistakes.join('\n'));
}

async function registries(text: string): Promise<RegistrySettings> {
  return (await good(await layer(text))).settings.registries;
}

const hostWith = (lines: string): string => `registries:\n  - hostnamePattern: reg.example.com\n    ${lines.split('\n').join('\n    ')}`;

const credentials: readonly [title: string, secret: string, credential: object][] = [
  ['None', '{type: None}', { kind: 'none' }],
  [
    'a token alone is a bearer',
    '{type: Opaque, token: "${TOKEN}"}',
    { kind: 'bearer', token: 'canary', source: 'registries[0] of the configuration' },
  ],
  [
    'an empty user is none',
    '{type: Opaque, username: "", token: "${TOKEN}"}',
    { kind: 'bearer', token: 'canary', source: 'registries[0] of the configuration' },
  ],
  [
    'a user with it is a login',
    '{type: Opaque, username: me, token: "${TOKEN}"}',
    { kind: 'login', username: 'me', password: 'canary', source: 'registries[0] of the configuration' },
  ],
  [
    'the line break at the end of a file or Secret is no part of it',
    '{type: Opaque, username: "${USER}", token: "${LINE}"}',
    { kind: 'login', username: 'me', password: 'canary', source: 'registries[0] of the configuration' },
  ],
  ['an empty token is no credential', '{type: Opaque, token: "${NOTHING}"}', { kind: 'none' }],
  [
    'a mounted Secret',
    '{type: ImagePullSecret, mountPath: /pull}',
    { kind: 'docker-config', source: '/pull/.dockerconfigjson', text: dockerConfig, legacy: false },
  ],
  [
    'a mounted Secret, with name and key that the chart reads',
    '{type: ImagePullSecret, mountPath: /pull/, name: regcred, key: x}',
    { kind: 'docker-config', source: '/pull/.dockerconfigjson', text: dockerConfig, legacy: false },
  ],
  [
    'the old form',
    '{type: ImagePullSecret, mountPath: /legacy}',
    { kind: 'docker-config', source: '/legacy/.dockercfg', text: files['/legacy/.dockercfg'], legacy: true },
  ],
  [
    'a docker config without entries',
    '{type: ImagePullSecret, mountPath: /empty}',
    { kind: 'docker-config', source: '/empty/.dockerconfigjson', text: '{}', legacy: false },
  ],
];

function revealed(credential: OperatorCredential | undefined): object {
  return Object.fromEntries(
    Object.entries(credential ?? {}).map(([name, value]) => [name, typeof value === 'object' ? value.reveal() : value]),
  );
}

const transports: readonly [title: string, lines: string, host: object][] = [
  ['nothing', 'secret: {type: None}', { insecure: false, allowPrivate: false, mirrors: [], limits: {} }],
  [
    'plain HTTP and private addresses',
    'secret: {type: None}\ninsecure: true\nallowPrivate: true',
    { insecure: true, allowPrivate: true, mirrors: [], limits: {} },
  ],
  [
    'a prefix',
    'secret: {type: None}\nrepositoryPrefix: team/',
    { repositoryPrefix: 'team/', insecure: false, allowPrivate: false, mirrors: [], limits: {} },
  ],
  ['no proxy', 'secret: {type: None}\nproxy: false', { proxy: false, insecure: false, allowPrivate: false, mirrors: [], limits: {} }],
  [
    'mirrors and limits',
    'secret: {type: None}\nmirrors: [https://m/, {url: "http://n:5000/x", sendsNamespace: true}]\nlimits: {concurrent: 3, requestsPerSecond: 0.5, burst: 2}',
    {
      insecure: false,
      allowPrivate: false,
      mirrors: [
        { url: 'https://m', sendsNamespace: false },
        { url: 'http://n:5000/x', sendsNamespace: true },
      ],
      limits: { concurrent: 3, requestsPerSecond: 0.5, burst: 2 },
    },
  ],
  [
    'a name and no check',
    'secret: {type: None}\nserverName: inside\ninsecureSkipVerify: true',
    { tls: { caCertificates: [], serverName: 'inside', skipVerify: true }, insecure: false, allowPrivate: false, mirrors: [], limits: {} },
  ],
];

const refused: readonly [title: string, text: string, mistake: RegExp][] = [
  [
    'no mountPath',
    hostWith('secret: {type: ImagePullSecret}'),
    /^config\.yaml line 3: registries\[0\]\.secret\.mountPath is missing; write the folder/,
  ],
  ['no token', hostWith('secret: {type: Opaque, username: me}'), /secret\.token is missing; write the token/],
  [
    'nothing mounted',
    hostWith('secret: {type: ImagePullSecret, mountPath: /nowhere}'),
    /^config\.yaml line 3: registries\[0\]\.secret\.mountPath: \/nowhere has neither \.dockerconfigjson nor \.dockercfg; mount/,
  ],
  [
    'a docker config that is no JSON',
    hostWith('secret: {type: ImagePullSecret, mountPath: /broken}'),
    /\/broken\/\.dockerconfigjson is no docker config/,
  ],
  [
    'a docker config that is a list',
    hostWith('secret: {type: ImagePullSecret, mountPath: /list}'),
    /\/list\/\.dockerconfigjson is no docker config/,
  ],
  [
    'no authorities',
    'tls: {caCertificatePaths: [/ca/ca.crt, /ca/none.crt]}',
    /^config\.yaml line 1: tls\.caCertificatePaths\[1\]: \/ca\/none\.crt does not exist$/,
  ],
  ['an empty file of authorities', 'tls: {caCertificatePaths: [/ca/empty.crt]}', /\/ca\/empty\.crt has no certificate; it must be PEM/],
  ['a broken authority', 'tls: {caCertificatePaths: [/ca/broken.crt]}', /certificate 1 in \/ca\/broken\.crt cannot be read: /],
  [
    'a broken authority of one registry',
    hostWith('secret: {type: None}\ncaCertificatePaths: [/ca/broken.crt]'),
    /^config\.yaml line 4: registries\[0\]\.caCertificatePaths\[0\]: certificate 1/,
  ],
  [
    'a certificate without its key',
    hostWith('secret: {type: None}\nclientCertificatePath: /tls/tls.crt'),
    /registries\[0\]\.clientKeyPath is missing; write the key too, or neither/,
  ],
  ['a key without its certificate', hostWith('secret: {type: None}\nclientKeyPath: /tls/tls.key'), /clientCertificatePath is missing/],
  [
    'the key of another certificate',
    hostWith('secret: {type: None}\nclientCertificatePath: /tls/tls.crt\nclientKeyPath: /tls/other.key'),
    /\/tls\/other\.key does not belong to the certificate/,
  ],
  [
    'no key',
    hostWith('secret: {type: None}\nclientCertificatePath: /tls/tls.crt\nclientKeyPath: /tls/no.key'),
    /\/tls\/no\.key is no private key in PEM/,
  ],
  [
    'no file of providers',
    'credentialProviders: {configPath: /none.yaml, directory: /bin}',
    /credentialProviders\.configPath: \/none\.yaml does not exist/,
  ],
  [
    'a provider outside of the folder',
    'credentialProviders: {configPath: /odd-providers.yaml, directory: /opt}',
    /\/odd-providers\.yaml: providers\.0\.name: write a file name/,
  ],
];

describe('config/settings', () => {
  it('without file and ConfigMap: the environment, and the defaults', async () => {
    const { settings } = await good();
    assert.deepEqual(settings, {
      ...base,
      requests: { ...base.requests, keepPerContainer: 10 },
      autorollout: defaultAutorolloutSettings,
      registries: noRegistrySettings,
      virtualRepositories: {},
    });
  });

  for (const [title, secret, credential] of credentials) {
    it(`credential: ${title}`, async () => {
      const { hosts } = await registries(hostWith(`secret: ${secret}`));
      assert.deepEqual(revealed(hosts[0]?.credential), credential);
    });
  }

  for (const [title, lines, host] of transports) {
    it(`transport: ${title}`, async () => {
      const { hosts } = await registries(hostWith(lines));
      assert.deepEqual(hosts, [{ hostnamePattern: 'reg.example.com', credential: { kind: 'none' }, ...host }]);
    });
  }

  it('authorities and client certificates are read', async () => {
    const settings = await registries(
      `tls: {caCertificatePaths: [/ca/ca.crt]}\n${hostWith('secret: {type: None}\ncaCertificatePaths: [/ca/ca.crt]\nclientCertificatePath: /tls/tls.crt\nclientKeyPath: /tls/tls.key')}`,
    );
    assert.equal(settings.caCertificates.length, 2);
    const tls = settings.hosts[0]?.tls;
    assert.deepEqual(
      [tls?.caCertificates.length, tls?.clientCertificate?.trim(), tls?.clientKey?.reveal()],
      [2, client.cert.trim(), client.key],
    );
  });

  it('a proxy has its login', async () => {
    const { hosts } = await registries(
      hostWith('secret: {type: None}\nproxy: {url: "http://proxy:3128/", username: me, password: "${TOKEN}"}'),
    );
    const { proxy } = hosts[0] ?? {};
    assert.ok(typeof proxy === 'object');
    assert.deepEqual([proxy.url, proxy.login?.reveal()], ['http://proxy:3128', 'me:canary']);
  });

  it('what is not about one registry', async () => {
    const settings = await registries(
      'registryAliases: {Old.Local: new.local}\nallowedRegistries: ["*.local"]\ndeniedRegistries: [bad.local]\ncloudIdentities: false\nworkloadIdentities: true',
    );
    assert.deepEqual(settings, {
      ...noRegistrySettings,
      aliases: { 'old.local': 'new.local' },
      allowed: ['*.local'],
      denied: ['bad.local'],
      cloudIdentities: false,
      workloadIdentities: true,
      artifactoryFallback: false,
    });
  });

  it('the programs of the kubelet', async () => {
    const { credentialProviders } = await registries('credentialProviders: {configPath: /providers.yaml, directory: /opt/bin/}');
    assert.deepEqual(credentialProviders, [
      {
        name: 'ecr-credential-provider',
        path: '/opt/bin/ecr-credential-provider',
        matchImages: ['*.dkr.ecr.*.amazonaws.com'],
        defaultCacheMs: 5_400_000,
        args: ['get-credentials'],
        env: [{ name: 'AWS_PROFILE', value: 'build' }],
      },
      {
        name: 'token-provider',
        path: '/opt/bin/token-provider',
        matchImages: ['reg.example.com'],
        defaultCacheMs: 0,
        args: [],
        env: [],
        tokenAttributes: {
          serviceAccountTokenAudience: 'reg',
          cacheType: 'Token',
          requireServiceAccount: true,
          requiredServiceAccountAnnotationKeys: [],
          optionalServiceAccountAnnotationKeys: [],
        },
      },
    ]);
  });

  for (const [title, text, mistake] of refused) {
    it(`refuses ${title}`, async () => {
      const result = await settingsOf({ base, layers: [await layer(text)], read, systemRoots: [] });
      const mistakes = 'mistakes' in result ? result.mistakes : [];
      assert.equal(mistakes.length, 1, mistakes.join('\n'));
      assert.match(mistakes[0] ?? '', mistake);
    });
  }

  const fallbacks: readonly [title: string, layers: readonly Promise<Layer>[], asks: boolean][] = [
    ['without a configuration', [], true],
    ['with single keys of a ConfigMap', [Promise.resolve(flat({ 'polling.enabled': 'true' }))], true],
    ['with a file, as with kube-autorollout', [layer('registries: []')], false],
    ['when it is asked for', [layer('featureFlags: {enableJfrogArtifactoryFallback: true}')], true],
  ];
  for (const [title, layers, asks] of fallbacks) {
    it(`the other paths of an Artifactory, ${title}: ${asks ? 'tried' : 'not tried'}`, async () => {
      assert.equal((await good(...(await Promise.all(layers)))).settings.registries.artifactoryFallback, asks);
    });
  }

  it('the file wins over the environment, the ConfigMap over the file, its single keys over all', async () => {
    const fromFile = await layer(
      'polling: {enabled: true, interval: 60}\nlogLevel: debug\nupdateRequests: {expiry: 1h}\nregistries: [{hostnamePattern: a, secret: {type: None}}]',
    );
    const fromMap = await layer(
      'polling: {interval: 90}\ncontrollers: {enabled: false}\nregistries: [{hostnamePattern: b, secret: {type: None}}]',
      false,
    );
    const { settings } = await good(fromFile, fromMap, flat({ 'polling.interval': '120', 'updateRequests.retention': '1d' }));
    assert.deepEqual(settings.polling, { enabled: true, intervalMs: 120_000 });
    assert.deepEqual([settings.logLevel, settings.controllersEnabled], ['debug', false]);
    assert.deepEqual(settings.requests, { expiryMs: 3_600_000, retentionMs: 86_400_000, keepPerContainer: 10 });
    assert.deepEqual(
      settings.registries.hosts.map(({ hostnamePattern }) => hostnamePattern),
      ['b'],
    );
  });

  it('a schedule in either form replaces the one below it', async () => {
    const [cron, interval] = await Promise.all([layer('cronSchedule: "@daily"\ntimeZone: Europe/Berlin'), layer('interval: 45s')]);
    assert.deepEqual((await good(cron, interval)).settings.autorollout.schedule, { kind: 'interval', everyMs: 45_000 });
    assert.deepEqual((await good(interval, cron)).settings.autorollout.schedule, {
      kind: 'cron',
      expression: '@daily',
      timeZone: 'Europe/Berlin',
    });
  });

  it('a message names the layer in which the value stands', async () => {
    const result = await settingsOf({
      base,
      layers: [
        await layer('logLevel: info'),
        flat({ 'tls.caCertificatePaths': '' }),
        await layer('tls: {caCertificatePaths: [/none]}', false),
      ],
      read,
      systemRoots: [],
    });
    assert.match(
      'mistakes' in result ? (result.mistakes[0] ?? '') : '',
      /^config\.yaml line 1: tls\.caCertificatePaths\[0\]: \/none does not exist/,
    );
  });

  it('warns of what has no effect, of a token that is empty, and of certificates that are not checked', async () => {
    const text = `${hostWith('secret: {type: None, token: x}\ninsecureSkipVerify: true')}\n  - {hostnamePattern: b, secret: {type: Opaque, token: "\${NOTHING}"}}`;
    const { warnings } = await good(await layer(text));
    assert.deepEqual(warnings, [
      'config.yaml line 4: registries[0].insecureSkipVerify: the certificates of reg.example.com are NOT CHECKED',
      'config.yaml line 3: registries[0].secret.token has no effect with type None',
      'config.yaml line 5: registries[1].secret.token is empty: this registry is asked without a credential',
    ]);
  });

  it('warns of entries that no registry reaches', async () => {
    const patterns = ['https://ghcr.io', 'ghcr.io/acme', 'a', '*', 'b'];
    const { warnings } = await good(
      await layer(`registries: [${patterns.map((each) => `{hostnamePattern: "${each}", secret: {type: None}}`).join(', ')}]`),
    );
    const at = (index: number) => `config.yaml line 1: registries[${index}].hostnamePattern: "${patterns[index]}"`;
    const without = 'matches no registry: write its name only, without https:// and path';
    assert.deepEqual(warnings, [
      `${at(0)} ${without}`,
      `${at(1)} ${without}`,
      `${at(4)} is never reached, as registries[3] ("*") matches before; put it first`,
    ]);
  });

  it('nothing secret can be printed', async () => {
    const { settings } = await good(
      await layer(
        hostWith('secret: {type: Opaque, username: u, token: "${TOKEN}"}\nproxy: {url: "http://p", username: u, password: "${TOKEN}"}'),
      ),
    );
    assert.doesNotMatch(JSON.stringify(settings), /canary/);
  });

  it('the port of the health routes', async () => {
    assert.equal(healthPortOf([await layer('webserver: {port: 8099}')]), 8099);
    assert.equal(healthPortOf([]), undefined);
  });
});
