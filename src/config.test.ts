import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Config, readConfig } from './config.ts';
import { configTable } from './core/config-table.ts';

type Texts = Record<string, string | undefined>;

function good(env: Texts = {}, flags: Texts = {}): { config: Config; warnings: string[] } {
  const result = readConfig(env, flags);
  if ('mistakes' in result) assert.fail(result.mistakes.join('\n'));
  return result;
}

function bad(env: Texts, flags: Texts = {}): string[] {
  const result = readConfig(env, flags);
  return 'mistakes' in result ? result.mistakes : assert.fail('was accepted');
}

const cluster = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

const accepted: readonly [title: string, env: Texts, flags: Texts, read: (config: Config) => unknown, value: unknown][] = [
  ['polling is off by default', {}, {}, (config) => config.polling, { enabled: false, intervalMs: 300_000 }],
  ['polling on', { HEADWIND_POLLING_ENABLED: 'true' }, {}, (config) => config.polling.enabled, true],
  ['an empty text counts as unset', { HEADWIND_POLLING_ENABLED: ' ' }, {}, (config) => config.polling.enabled, false],
  ['an interval in seconds', { HEADWIND_POLLING_INTERVAL: '60' }, {}, (config) => config.polling.intervalMs, 60_000],
  ['an interval with a unit', { HEADWIND_POLLING_INTERVAL: '5m' }, {}, (config) => config.polling.intervalMs, 300_000],
  ['a flag wins', { HEADWIND_POLLING_INTERVAL: '60' }, { 'polling-interval': '90s' }, (config) => config.polling.intervalMs, 90_000],
  [
    'an empty flag does not',
    { HEADWIND_POLLING_INTERVAL: '60' },
    { 'polling-interval': '' },
    (config) => config.polling.intervalMs,
    60_000,
  ],
  ['expiry and retention', {}, {}, (config) => config.requests, { expiryMs: 86_400_000, retentionMs: 604_800_000 }],
  ['a list of namespaces', { HEADWIND_WATCH_NAMESPACES: 'shop, team-a,,shop' }, {}, (config) => config.watchNamespaces, ['shop', 'team-a']],
  [
    'rights that are withheld',
    { HEADWIND_WITHHELD_RIGHTS: 'secrets, nodes,cronjobs.batch' },
    {},
    (config) => [...config.withheldRights],
    ['secrets', 'nodes', 'cronjobs.batch'],
  ],
  ['no list is all namespaces', {}, {}, (config) => config.watchNamespaces, []],
  [
    'insecure hosts',
    { HEADWIND_REGISTRY_INSECURE_HOSTS: 'Reg:5000,10.0.0.5,[::1]:5000' },
    {},
    (config) => config.insecureRegistryHosts,
    ['reg:5000', '10.0.0.5', '[::1]:5000'],
  ],
  [
    'a URL loses its trailing slash',
    { HEADWIND_UI_URL: 'https://hw.example.com/ui/' },
    {},
    (config) => config.uiUrl,
    'https://hw.example.com/ui',
  ],
  ['no UI URL', {}, {}, (config) => config.uiUrl, undefined],
  ['the API URL', {}, {}, (config) => config.apiUrl, 'http://localhost:8081'],
  ['no dry run', {}, {}, (config) => config.dryRun, false],
  ['a dry run', { HEADWIND_DRY_RUN: 'true' }, {}, (config) => config.dryRun, true],
  ['verification', { HEADWIND_WEBHOOK_VERIFY: 'Require' }, {}, (config) => config.webhookVerify, 'require'],
  ['level info', {}, {}, (config) => config.logLevel, 'info'],
  ['RUST_LOG with a target', { RUST_LOG: 'kube=warn,headwind=debug' }, {}, (config) => config.logLevel, 'debug'],
  ['RUST_LOG with a bare level', { RUST_LOG: 'WARN' }, {}, (config) => config.logLevel, 'warn'],
  ['RUST_LOG: the target wins over the bare level', { RUST_LOG: 'headwind=trace,error' }, {}, (config) => config.logLevel, 'trace'],
  ['RUST_LOG of kube-autorollout', { RUST_LOG: 'info,kube_autorollout=debug' }, {}, (config) => config.logLevel, 'debug'],
  ['RUST_LOG with the target alone', { RUST_LOG: 'headwind' }, {}, (config) => config.logLevel, 'trace'],
  ['RUST_LOG with spaces and empty parts', { RUST_LOG: ' ,headwind=warn, ' }, {}, (config) => config.logLevel, 'warn'],
  ['no file', {}, {}, (config) => config.configPath, undefined],
  ['a file', { HEADWIND_CONFIG_PATH: '/etc/a.yaml' }, {}, (config) => config.configPath, '/etc/a.yaml'],
  ['a file by its name in kube-autorollout', { CONFIG_FILE: '/etc/a.yaml' }, {}, (config) => config.configPath, '/etc/a.yaml'],
  [
    'the same file by both names',
    { CONFIG_FILE: '/etc/a.yaml', HEADWIND_CONFIG_PATH: '/etc/a.yaml' },
    {},
    (config) => config.configPath,
    '/etc/a.yaml',
  ],
  ['the ConfigMap', {}, {}, (config) => config.configMapName, 'headwind-config'],
  [
    'ALL_PROXY for what has no proxy of its own',
    { ALL_PROXY: 'http://all:1', HTTPS_PROXY: 'http://p:2' },
    {},
    (config) => config.proxy,
    { httpProxy: 'http://all:1', httpsProxy: 'http://p:2', noProxy: undefined },
  ],
  ['a SOCKS proxy is for others', { ALL_PROXY: 'socks5://all:1' }, {}, (config) => config.proxy.httpsProxy, undefined],
  [
    'authorities of the system',
    { SSL_CERT_FILE: '/ca.pem', SSL_CERT_DIR: '/certs' },
    {},
    (config) => config.systemRoots,
    { file: '/ca.pem', folder: '/certs' },
  ],
  ['RUST_LOG of others is ignored', { RUST_LOG: 'kube=debug,headwind::api=trace' }, {}, (config) => config.logLevel, 'info'],
  ['HEADWIND_LOG_LEVEL wins', { RUST_LOG: 'headwind=debug', HEADWIND_LOG_LEVEL: 'error' }, {}, (config) => config.logLevel, 'error'],
  ['on a machine everything listens on loopback', {}, {}, hosts, ['127.0.0.1', '127.0.0.1', '127.0.0.1']],
  ['in a cluster without a mode only the API stays on loopback', cluster, {}, hosts, [undefined, '127.0.0.1', undefined]],
  [
    'in a cluster with mode none the API is open',
    { ...cluster, HEADWIND_API_AUTH_MODE: 'None' },
    {},
    hosts,
    [undefined, undefined, undefined],
  ],
  ['the mode of the UI counts for both', { ...cluster, HEADWIND_UI_AUTH_MODE: 'none' }, {}, hosts, [undefined, undefined, undefined]],
  [
    'a bind address without a mode does not open the API',
    { HEADWIND_BIND_ADDRESS: '0.0.0.0' },
    {},
    hosts,
    ['0.0.0.0', '127.0.0.1', '0.0.0.0'],
  ],
  ['a loopback bind address holds for the API too', { ...cluster, HEADWIND_BIND_ADDRESS: '[::1]' }, {}, hosts, ['::1', '::1', '::1']],
  ['ports', { HEADWIND_API_PORT: '0', HEADWIND_METRICS_PORT: '9191' }, {}, ports, [8080, 0, 8082, 9191]],
  ['several free ports', { HEADWIND_API_PORT: '0', HEADWIND_METRICS_PORT: '0', HEADWIND_WEBHOOK_PORT: '0' }, {}, ports, [0, 0, 8082, 0]],
  ['the port of a Service is not ours', { HEADWIND_API_PORT: 'tcp://10.0.0.7:8081' }, {}, ports, [8080, 8081, 8082, 9090]],
  [
    'proxy in small letters',
    { https_proxy: 'http://p:3128', NO_PROXY: '10.0.0.0/8' },
    {},
    (config) => config.proxy,
    { httpProxy: undefined, httpsProxy: 'http://p:3128', noProxy: '10.0.0.0/8' },
  ],
  [
    'identity',
    { POD_IP: '10.1.2.3', HOSTNAME: 'headwind-abc' },
    {},
    (config) => config.identity,
    { podIp: '10.1.2.3', podName: 'headwind-abc' },
  ],
];

function hosts({ listen }: Config): unknown {
  return [listen.webhook.host, listen.api.host, listen.metrics.host];
}

function ports({ listen }: Config): unknown {
  return [listen.webhook.port, listen.api.port, listen.ui.port, listen.metrics.port];
}

const refused: readonly [variable: string, value: string, accepts: RegExp][] = [
  ['HEADWIND_POLLING_ENABLED', 'yes', /true or false/],
  ['HEADWIND_CONTROLLERS_ENABLED', 'constructor', /true or false/],
  ['HEADWIND_POLLING_INTERVAL', '0', /seconds ≥ 1, or 90s/],
  ['HEADWIND_POLLING_INTERVAL', '-5', /seconds ≥ 1/],
  ['HEADWIND_REQUEST_EXPIRY', '1w', /90s, 5m, 6h, 7d/],
  ['HEADWIND_REQUEST_RETENTION', '9999d', /at most 3650d/],
  ['HEADWIND_API_PORT', '65536', /0 to 65535/],
  ['HEADWIND_API_URL', 'localhost:8081', /http:\/\/ or https:\/\//],
  ['HEADWIND_UI_URL', 'https://user:pw@hw.example.com', /without query and credentials/],
  ['HEADWIND_NAMESPACE', 'Shop', /lower-case/],
  ['HEADWIND_WATCH_NAMESPACES', 'shop,Bad_One', /separated by commas/],
  ['HEADWIND_REGISTRY_INSECURE_HOSTS', 'http://reg:5000', /host/],
  ['HEADWIND_BIND_ADDRESS', 'everywhere', /an IP address/],
  ['HEADWIND_WEBHOOK_VERIFY', 'maybe', /prefer, require or off/],
  ['HEADWIND_LOG_LEVEL', 'loud', /trace, debug, info/],
  ['HEADWIND_API_AUTH_MODE', 'token', /not available in this version/],
  ['HEADWIND_UI_AUTH_MODE', 'OIDC', /not available in this version/],
  ['HEADWIND_UI_AUTH_MODE', 'open', /unknown authentication mode/],
  ['HEADWIND_DRY_RUN', 'yes', /true or false/],
  ['HEADWIND_CONFIGMAP_NAME', 'Head_Wind', /name of a Kubernetes object/],
];

const warned: readonly [title: string, env: Texts, warning: RegExp | undefined][] = [
  ['no mode', {}, /API has no authentication yet and listens on 127\.0\.0\.1 only/],
  ['mode none in a cluster', { ...cluster, HEADWIND_API_AUTH_MODE: 'none' }, /ANYBODY.*all interfaces WITHOUT AUTHENTICATION/],
  ['mode none on loopback', { HEADWIND_API_AUTH_MODE: 'none' }, undefined],
  ['open webhooks', { ...cluster, HEADWIND_API_AUTH_MODE: 'none' }, /webhook routes on port 8080 accept deliveries without authentication/],
  ['a dry run', { HEADWIND_DRY_RUN: 'true' }, /everything is decided, nothing is created or changed/],
  ['verification off', { HEADWIND_WEBHOOK_VERIFY: 'off' }, /BELIEVED WITHOUT ASKING/],
  [
    'a misspelt variable',
    { HEADWIND_POLING_ENABLED: 'true' },
    /HEADWIND_POLING_ENABLED is no variable .* did you mean HEADWIND_POLLING_ENABLED\?/,
  ],
  ['Slack on', { SLACK_ENABLED: 'true' }, /SLACK_ENABLED is set, but what it asks for is not available/],
  [
    'a target of another program',
    { RUST_LOG: 'info,other=debug,headwind::api=trace' },
    /RUST_LOG: "other", "headwind::api" is no target .* ignored/,
  ],
  ['an odd RUST_LOG', { RUST_LOG: 'headwind=loud' }, /"loud" is no log level/],
];

const silent: readonly [title: string, env: Texts][] = [
  ['the limit of the heap, which is read before the start', { HEADWIND_MAX_HEAP_MB: '256' }],
  ['Slack off', { SLACK_ENABLED: 'false', SLACK_CHANNEL: '#x' }],
  ['the header of a later mode', { HEADWIND_UI_PROXY_HEADER: 'X-Forwarded-User' }],
  [
    'what Kubernetes sets for Services',
    {
      HEADWIND_SERVICE_HOST: '10.0.0.1',
      HEADWIND_API_SERVICE_PORT_HTTP: '80',
      HEADWIND_WEBHOOK_PORT_8080_TCP_ADDR: '10.0.0.1',
      HEADWIND_PORT: 'tcp://10.0.0.1:80',
    },
  ],
  ['targets that older manifests name', { RUST_LOG: 'headwind=info,kube=info,kube_autorollout=info,hyper::proto=warn' }],
  ['variables of others', { OTHER: '1', RUST_BACKTRACE: '1' }],
];

describe('config', () => {
  for (const [title, env, flags, read, value] of accepted) {
    it(title, () => assert.deepEqual(read(good(env, flags).config), value));
  }

  for (const [variable, value, accepts] of refused) {
    it(`${variable}=${value} is a mistake`, () => {
      const mistakes = bad({ [variable]: value });
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0] ?? '', accepts);
      assert.ok(mistakes[0]?.startsWith(variable));
      assert.ok(mistakes[0]?.includes(`"${value}"`));
    });
  }

  it('names all mistakes at once, flags by their name', () => {
    const mistakes = bad({ HEADWIND_POLLING_ENABLED: 'on', HEADWIND_API_PORT: 'x' }, { 'polling-interval': 'soon' });
    const names = new Set(mistakes.map((mistake) => mistake.split(':')[0]));
    assert.deepEqual(names, new Set(['HEADWIND_API_PORT', 'HEADWIND_POLLING_ENABLED', '--polling-interval']));
  });

  it('two different files are a mistake', () => {
    assert.deepEqual(bad({ CONFIG_FILE: '/a.yaml', HEADWIND_CONFIG_PATH: '/b.yaml' }), [
      'HEADWIND_CONFIG_PATH and CONFIG_FILE name two files, "/b.yaml" and "/a.yaml"; set one of them',
    ]);
  });

  it('two servers on one port are a mistake', () => {
    assert.match(bad({ HEADWIND_API_PORT: '9090' })[0] ?? '', /HEADWIND_METRICS_PORT and HEADWIND_API_PORT are both 9090/);
  });

  for (const [title, env, warning] of warned) {
    it(`${title}: ${warning === undefined ? 'no warning' : 'warned'}`, () => {
      const { warnings } = good(env);
      assert.equal(
        warning === undefined ? warnings.length : warnings.filter((text) => warning.test(text)).length,
        warning ? 1 : 0,
        warnings.join('\n'),
      );
    });
  }

  for (const [title, env] of silent) {
    it(`${title}: no warning`, () => assert.equal(good({ ...env, HEADWIND_API_AUTH_MODE: 'none' }).warnings.join('\n'), ''));
  }

  it('every row has its own variable and flag, and a default that is valid', () => {
    const rows = Object.values(configTable);
    assert.equal(new Set(rows.map(({ variable }) => variable)).size, rows.length);
    assert.equal(new Set(rows.map(({ flag }) => flag)).size, rows.length);
    good();
  });
});
