import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFlatLayer, readLayer } from './layer.ts';

const variables = { PORT: '8080', IDENTITY_TOKEN: 'canary' };
const file = { source: 'config.yaml', variables, isFile: true };

const minimal = `
cronSchedule: "*/45 * * * * *"
webserver: { port: 8080 }
registries:
  - { hostnamePattern: "ghcr.io", secret: { type: ImagePullSecret, mountPath: /etc/secrets/registries/ghcr.io } }
  - { hostnamePattern: "*.artifactory.example.com", secret: { type: Opaque, token: "\${IDENTITY_TOKEN}" } }
  - { hostnamePattern: "*", secret: { type: None } }
`;

const entry = '\n  - hostnamePattern: a\n    secret: {type: None}\n    ';

/** Each is the only mistake of its text. */
const refused: readonly [text: string, mistake: string | RegExp][] = [
  ['cronScedule: x', /line 1: "cronScedule" is no key; did you mean cronSchedule\? \(known: cronSchedule, interval, .*updateRequests\)$/],
  [
    'tls:\n  caCertificatePath: [a]',
    'config.yaml line 2: "caCertificatePath" is no key in tls; did you mean caCertificatePaths? (known: caCertificatePaths)',
  ],
  ['a: 1', /line 1: "a" is no key \(known/],
  [
    'cron_schedule: "@daily"\ncronSchedule: "@hourly"',
    'config.yaml line 2: "cronSchedule" and "cron_schedule" (line 1) are the same key; write it once',
  ],
  ['cronSchedule: "@daily"\ninterval: 45s', 'config.yaml line 2: interval and cronSchedule (line 1) are both set; write one of them'],
  [
    'cronSchedule: "61 * * * * *"',
    /^config\.yaml line 1: cronSchedule: "61 \* \* \* \* \*": Invalid value for second: 61; write six fields/,
  ],
  ['cronSchedule: "0 0 0 30 2 *"', 'config.yaml line 1: cronSchedule: "0 0 0 30 2 *" never matches any day'],
  ['cronSchedule: "${IDENTITY_TOKEN}"', /^config\.yaml line 1: cronSchedule: "\$\{IDENTITY_TOKEN\}" is not valid; write six fields/],
  [
    'timeZone: Mars/Phobos',
    'config.yaml line 1: timeZone: "Mars/Phobos" is not valid; write the IANA name of a time zone: Europe/Berlin, UTC',
  ],
  ['interval: 0', 'config.yaml line 1: interval: "0" is not valid; write seconds ≥ 1, or 90s, 5m, 6h, 7d (at most 3650d)'],
  ['compare: both', 'config.yaml line 1: compare: "both" is not valid; write platform or index'],
  ['webserver:\n  port: ${PORT}0', 'config.yaml line 2: webserver.port: "${PORT}0" is not valid; write a port number from 0 to 65535'],
  ['webserver: 8080', 'config.yaml line 1: webserver: "8080" is not valid; write port'],
  ['registries: {}', 'config.yaml line 1: registries: a map is not valid; write a list of registries'],
  [`registries:${entry}proxy: http://user:ca/na@ry@proxy:1`, /proxy: "http:\/\/\(hidden\)@proxy:1" is not valid/],
  ['registries:\n  - {hostnamePattern: a, secret: canary}', /line 2: registries\[0\]\.secret: \(hidden\) is not valid; write type/],
  ['registries: [x]', 'config.yaml line 1: registries[0]: "x" is not valid; write an entry with hostnamePattern and secret'],
  ['registries:\n  - secret: {type: None}', /line 2: registries\[0\]\.hostnamePattern is missing; write a pattern/],
  ['registries:\n  - hostnamePattern: a', 'config.yaml line 2: registries[0].secret is missing; write type and what belongs to it'],
  [
    'registries:\n  - {hostnamePattern: a, secret: {}}',
    'config.yaml line 2: registries[0].secret.type is missing; write None, ImagePullSecret or Opaque',
  ],
  [
    'registries:\n  - {hostnamePattern: a, secret: {type: opaque}}',
    /secret\.type: "opaque" is not valid; write None, ImagePullSecret or Opaque/,
  ],
  [
    'registries:\n  - {hostnamePattern: "a[", secret: {type: None}}',
    /registries\[0\]\.hostnamePattern: the glob "a\[" has a \[ without \]; write a pattern/,
  ],
  [
    'registries:\n  - {hostnamePattern: a, secret: {type: Opaque, token: [x]}}',
    /registries\[0\]\.secret\.token: a list is not valid; write a text/,
  ],
  [
    'registries:\n  - {hostnamePattern: a, secret: {type: None, tokn: x}}',
    /"tokn" is no key in registries\[0\]\.secret; did you mean token\?/,
  ],
  [`registries:${entry}insecure: yes`, /line 4: registries\[0\]\.insecure: "yes" is not valid; write true or false/],
  [`registries:${entry}limits: {concurrent: 0}`, /limits\.concurrent: "0" is not valid; write a whole number from 1/],
  [`registries:${entry}limits: {requestsPerSecond: -1}`, /limits\.requestsPerSecond: "-1" is not valid/],
  [`registries:${entry}proxy: true`, /proxy: "true" is not valid; write false, or url/],
  [`registries:${entry}proxy: {url: "ftp://x"}`, /proxy\.url: "ftp:\/\/x" is not valid; write a URL/],
  [`registries:${entry}proxy: {url: "http://me:canary@x"}`, /proxy\.url: .* is not valid; write a URL .* without credentials/],
  [`registries:${entry}mirrors: [{sendsNamespace: true}]`, /mirrors\[0\]\.url is missing; write a URL/],
  [`registries:${entry}mirrors: [m.example.com]`, /mirrors\[0\]: "m\.example\.com" is not valid; write a URL, or url and/],
  [
    'registries:\n  - {hostnamePattern: "[^g]hcr.io", secret: {type: None}}',
    /the glob "\[\^g\]hcr\.io" negates a set with \^; write \[!…\]; write/,
  ],
  ['allowedRegistries: ["["]', /allowedRegistries\[0\]: the glob "\[" has a \[ without \]; write a pattern/],
  ['registryAliases: {a: [b]}', /registryAliases\.a: a list is not valid; write a registry host/],
  ['virtualRepositories: {a: b}', /virtualRepositories\.a: "b" is not valid; write a list of repositories/],
  ['credentialProviders: {configPath: /a}', /credentialProviders\.directory is missing; write the path/],
  ['logLevel: loud', /logLevel: "loud" is not valid; write trace, debug/],
  ['updateRequests: {keepPerContainer: none}', /keepPerContainer: "none" is not valid/],
  ['polling: {enabled: 1}', /polling\.enabled: "1" is not valid; write true or false/],
  ['just words', 'config.yaml line 1: the document: "just words" is not valid; write keys with values'],
  ['[a]', 'config.yaml line 1: the document: a list is not valid; write keys with values'],
  ['${UNSET}: UTC', /line 1: \$\{UNSET\} is used, but/],
  ['? [a, b]\n: c', /line 1: a key must be a text, not a list or map/],
  ['timeZone: ${UNSET}', /line 1: \$\{UNSET\} is used, but/],
  [
    'registries:\n  - hostnamePattern: *.example.com\n    secret: {type: None}',
    /line 2: there is no anchor .* for the text "\*\.example\.com" write it in quotes/,
  ],
];

async function values(text: string): Promise<unknown> {
  const result = await readLayer(text, file);
  return 'layer' in result ? result.layer.values : assert.fail(result.mistakes.join('\n'));
}

describe('config/layer', () => {
  it('reads the smallest file of kube-autorollout as it is', async () => {
    assert.deepEqual(await values(minimal), {
      cronSchedule: '*/45 * * * * *',
      webserver: { port: 8080 },
      registries: [
        { hostnamePattern: 'ghcr.io', secret: { type: 'ImagePullSecret', mountPath: '/etc/secrets/registries/ghcr.io' } },
        { hostnamePattern: '*.artifactory.example.com', secret: { type: 'Opaque', token: 'canary' } },
        { hostnamePattern: '*', secret: { type: 'None' } },
      ],
    });
  });

  it('takes for a substituted value the type that the schema asks for', async () => {
    assert.deepEqual(await values('webserver: {port: ${PORT}}'), { webserver: { port: 8080 } });
  });

  for (const [text, value] of [
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['false', false],
    ['False', false],
    ['FALSE', false],
  ] as const) {
    it(`takes ${text} for ${value}, as YAML does`, async () => {
      assert.deepEqual(await values(`featureFlags: {enableKubectlAnnotation: ${text}}`), {
        featureFlags: { enableKubectlAnnotation: value },
      });
    });
  }

  it('reads snake_case', async () => {
    const text =
      'time_zone: UTC\ntls: {ca_certificate_paths: [/a]}\nfeature_flags: {enable_kubectl_annotation: true}\nregistries: [{hostname_pattern: a, secret: {type: ImagePullSecret, mount_path: /m}}]';
    assert.deepEqual(await values(text), {
      timeZone: 'UTC',
      tls: { caCertificatePaths: ['/a'] },
      featureFlags: { enableKubectlAnnotation: true },
      registries: [{ hostnamePattern: 'a', secret: { type: 'ImagePullSecret', mountPath: '/m' } }],
    });
  });

  it('takes the keys of people as they are', async () => {
    const text = 'registryAliases: {harbor_old.local: Harbor.example.com}\nvirtualRepositories: {docker_local: [docker]}';
    assert.deepEqual(await values(text), {
      registryAliases: { 'harbor_old.local': 'harbor.example.com' },
      virtualRepositories: { docker_local: ['docker'] },
    });
  });

  it('nothing is nothing, and so is what is empty', async () => {
    assert.deepEqual(await values(''), {});
    assert.deepEqual(await values('registries:\ntls: ~\npolling: {}'), { polling: {} });
  });

  for (const [text, expected] of refused) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      const result = await readLayer(text, file);
      const mistakes = 'mistakes' in result ? result.mistakes : [];
      assert.equal(mistakes.length, 1, mistakes.join('\n'));
      if (typeof expected === 'string') assert.equal(mistakes[0], expected);
      else assert.match(mistakes[0] ?? '', expected);
      assert.doesNotMatch(mistakes.join(''), /canary/);
    });
  }

  it('tells all mistakes at once, in the order of their lines', async () => {
    const result = await readLayer('compare: x\nfoo: 1\nregistries:\n  - {}\nlogLevel: y\ncronSchedule: ${UNSET}\nfoo: 2\n', file);
    const lines = 'mistakes' in result ? result.mistakes.map((mistake) => /line (\d+)/.exec(mistake)?.[1]) : [];
    assert.deepEqual(lines, ['1', '2', '4', '4', '5', '6', '7']);
  });

  it('what belongs to a later version is accepted, and told once', async () => {
    const result = await readLayer('slack: {enabled: true, anything: [1]}\nobservability:\nrefresh_interval: 30\n', file);
    assert.deepEqual('warnings' in result && result.warnings, [
      'config.yaml: slack is set, but what it asks for is not available in this version',
      'config.yaml: refreshInterval is set, but what it asks for is not available in this version',
    ]);
  });

  const map = { source: 'ConfigMap headwind-system/headwind-config', variables: undefined, isFile: false };

  for (const text of ['webserver: {port: 1}', 'credentialProviders: {configPath: /a, directory: /b}', 'cronSchedule: "${PORT}"']) {
    it(`a ConfigMap may not say ${text}`, async () => {
      const result = await readLayer(text, map);
      assert.match('mistakes' in result ? result.mistakes.join() : '', /in the file only, not in a ConfigMap/);
    });
  }

  it('reads single keys of a ConfigMap', () => {
    const data = {
      'polling.enabled': ' true ',
      'polling.interval': '60',
      'updateRequests.expiry': '',
      'config.yaml': 'x: [',
      'slack.enabled': 'false',
    };
    const result = readFlatLayer(data, map);
    assert.ok('layer' in result);
    assert.deepEqual(result.layer.values, { polling: { enabled: true, interval: 60_000 }, updateRequests: {} });
    assert.equal(result.warnings.length, 1);
  });

  it('an unknown key of a ConfigMap is a warning, a bad value a mistake', () => {
    const unknown = readFlatLayer({ 'other.key': '1' }, map);
    assert.match('warnings' in unknown ? unknown.warnings.join() : '', /headwind-config: "other" is no key .*; it is ignored/);
    const bad = readFlatLayer({ 'polling.enabled': 'yes' }, map);
    assert.deepEqual('mistakes' in bad && bad.mistakes, [
      'ConfigMap headwind-system/headwind-config: polling.enabled: "yes" is not valid; write true or false',
    ]);
  });
});
