/** Every setting of `headwind run`: variable, flag, accepted form, default, meaning. Parsing, `--help` and the reference are made from it. */

export interface SettingRow {
  readonly variable: string;
  /** Without the leading dashes. A flag wins over its variable. */
  readonly flag: string;
  readonly type: SettingType;
  /** As it would be written; missing = unset. */
  readonly default?: string;
  /** One line. */
  readonly help: string;
  /** Its value is never repeated in a message. */
  readonly secret?: boolean;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'off'] as const;
export type LogLevel = (typeof logLevels)[number];
export const verifyModes = ['prefer', 'require', 'off'] as const;
export type VerifyMode = (typeof verifyModes)[number];

/** What a value of each type accepts, in the words of an error message. */
export const settingForms = {
  text: 'any text',
  boolean: 'true or false',
  interval: 'seconds ≥ 1, or 90s, 5m, 6h, 7d (at most 3650d)',
  port: 'a port number from 0 to 65535; 0 is any free port',
  url: 'a URL that begins with http:// or https://, without query and credentials',
  namespace: 'the name of a namespace: lower-case letters, digits and "-", at most 63 characters',
  namespaces: 'names of namespaces, separated by commas; empty for all',
  resources: 'resources with their group, separated by commas: secrets,nodes,cronjobs.batch',
  hosts: 'registry hosts with optional port, separated by commas: registry.local:5000,10.0.0.5',
  address: 'an IP address, or localhost',
  level: 'trace, debug, info, warn, error or off',
  directive: 'a level, or target=level,…: headwind and kube_autorollout are this program, other targets are ignored',
  objectName: 'the name of a Kubernetes object: lower-case letters, digits, "-" and ".", at most 253 characters',
  verify: 'prefer, require or off',
  authMode: 'none; simple, token, proxy and oidc are not available in this version',
} as const;
export type SettingType = keyof typeof settingForms;

export const configTable = {
  logLevel: { variable: 'HEADWIND_LOG_LEVEL', flag: 'log-level', type: 'level', help: 'Log level; wins over RUST_LOG' },
  rustLog: {
    variable: 'RUST_LOG',
    flag: 'rust-log',
    type: 'directive',
    default: 'headwind=info,kube=info',
    help: 'Log level, in the form older manifests set',
  },
  configPath: {
    variable: 'HEADWIND_CONFIG_PATH',
    flag: 'config-path',
    type: 'text',
    help: 'Configuration file (YAML); by default /etc/headwind/config.yaml if it exists. What it says wins over flags and environment',
  },
  configFile: {
    variable: 'CONFIG_FILE',
    flag: 'config-file',
    type: 'text',
    help: 'The same under its name in kube-autorollout',
  },
  configMapName: {
    variable: 'HEADWIND_CONFIGMAP_NAME',
    flag: 'configmap-name',
    type: 'objectName',
    default: 'headwind-config',
    help: 'ConfigMap in the home namespace; what it says wins over the file, and changes without a restart',
  },
  kubeconfig: {
    variable: 'KUBECONFIG',
    flag: 'kubeconfig',
    type: 'text',
    help: 'Kubeconfig file, or several joined by ":"; otherwise ~/.kube/config, otherwise the service account of the pod',
  },
  namespace: {
    variable: 'HEADWIND_NAMESPACE',
    flag: 'namespace',
    type: 'namespace',
    help: 'Home of the Lease; by default the namespace of the pod, else headwind-system',
  },
  watchNamespaces: {
    variable: 'HEADWIND_WATCH_NAMESPACES',
    flag: 'watch-namespaces',
    type: 'namespaces',
    default: '',
    help: 'Only these namespaces (Roles suffice then); empty for all',
  },
  withheldRights: {
    variable: 'HEADWIND_WITHHELD_RIGHTS',
    flag: 'withheld-rights',
    type: 'resources',
    default: '',
    help: 'Resources to which rights are withheld on purpose: never asked for, and not told as missing',
  },
  controllersEnabled: {
    variable: 'HEADWIND_CONTROLLERS_ENABLED',
    flag: 'controllers-enabled',
    type: 'boolean',
    default: 'true',
    help: 'false: the registry is watched and shown, but nothing is decided, requested or applied',
  },
  dryRun: {
    variable: 'HEADWIND_DRY_RUN',
    flag: 'dry-run',
    type: 'boolean',
    default: 'false',
    help: 'true: everything is decided and told (Events, metrics, explain), but no update request and no workload is created or changed',
  },
  pollingEnabled: {
    variable: 'HEADWIND_POLLING_ENABLED',
    flag: 'polling-enabled',
    type: 'boolean',
    default: 'false',
    help: 'Ask registries for news regularly',
  },
  pollingInterval: {
    variable: 'HEADWIND_POLLING_INTERVAL',
    flag: 'polling-interval',
    type: 'interval',
    default: '300',
    help: 'How often; a workload may ask for another interval',
  },
  webhookVerify: {
    variable: 'HEADWIND_WEBHOOK_VERIFY',
    flag: 'webhook-verify',
    type: 'verify',
    default: 'prefer',
    help: 'Registry unreachable after a webhook: prefer = a person must approve, require = wait, off = believe the webhook without asking',
  },
  requestExpiry: {
    variable: 'HEADWIND_REQUEST_EXPIRY',
    flag: 'request-expiry',
    type: 'interval',
    default: '24h',
    help: 'How long an update request waits for approval',
  },
  requestRetention: {
    variable: 'HEADWIND_REQUEST_RETENTION',
    flag: 'request-retention',
    type: 'interval',
    default: '7d',
    help: 'How long finished update requests are kept',
  },
  insecureRegistryHosts: {
    variable: 'HEADWIND_REGISTRY_INSECURE_HOSTS',
    flag: 'registry-insecure-hosts',
    type: 'hosts',
    default: '',
    help: 'Registries that speak plain HTTP: host[:port],…; all others must speak HTTPS',
  },
  apiUrl: {
    variable: 'HEADWIND_API_URL',
    flag: 'api-url',
    type: 'url',
    default: 'http://localhost:8081',
    help: 'Base of links to the API',
  },
  uiUrl: { variable: 'HEADWIND_UI_URL', flag: 'ui-url', type: 'url', help: 'Base of links to the dashboard; unset for none' },
  apiAuthMode: {
    variable: 'HEADWIND_API_AUTH_MODE',
    flag: 'api-auth-mode',
    type: 'authMode',
    help: 'Authentication of the API (8081). Unset: none, and the API listens on loopback only, in a cluster too. none: without authentication on every address',
  },
  uiAuthMode: {
    variable: 'HEADWIND_UI_AUTH_MODE',
    flag: 'ui-auth-mode',
    type: 'authMode',
    help: 'The same for API and UI; HEADWIND_API_AUTH_MODE wins for the API',
  },
  bindAddress: {
    variable: 'HEADWIND_BIND_ADDRESS',
    flag: 'bind-address',
    type: 'address',
    help: 'Address to listen on; by default all interfaces in a cluster, 127.0.0.1 elsewhere. The API stays on loopback while its authentication mode is unset',
  },
  webhookPort: { variable: 'HEADWIND_WEBHOOK_PORT', flag: 'webhook-port', type: 'port', default: '8080', help: 'Port of inbound webhooks' },
  apiPort: { variable: 'HEADWIND_API_PORT', flag: 'api-port', type: 'port', default: '8081', help: 'Port of the API' },
  uiPort: { variable: 'HEADWIND_UI_PORT', flag: 'ui-port', type: 'port', default: '8082', help: 'Port of the dashboard' },
  metricsPort: {
    variable: 'HEADWIND_METRICS_PORT',
    flag: 'metrics-port',
    type: 'port',
    default: '9090',
    help: 'Port of metrics and probes',
  },
} as const satisfies Record<string, SettingRow>;

export type SettingKey = keyof typeof configTable;

/** Variables of the platform that are read too; they have no flag. */
export const platformVariables: Readonly<Record<string, string>> = {
  HOME: 'Where ~/.kube/config is looked for',
  KUBERNETES_SERVICE_HOST: 'Set in every pod: the API server, and the sign of running in a cluster',
  KUBERNETES_SERVICE_PORT: 'Set in every pod',
  POD_IP: 'Address under which other replicas reach this one',
  POD_NAME: 'Identity in the Lease',
  HOSTNAME: 'Identity in the Lease when POD_NAME is unset',
  HTTP_PROXY: 'Proxy for requests to http:// addresses',
  HTTPS_PROXY: 'Proxy for requests to https:// addresses',
  ALL_PROXY: 'Proxy for all other requests',
  SSL_CERT_FILE: 'PEM file with further authorities for registries',
  SSL_CERT_DIR: 'Folder with such files',
  NO_PROXY: 'Hosts, suffixes, addresses and CIDRs that are reached without the proxy',
};

/** When a variable of a capability that this version does not have asks for it: at any value, at `true`, or never. */
export const laterVariables: Readonly<Record<string, 'any' | 'true' | 'never'>> = {
  HEADWIND_HELM_AUTO_DISCOVERY: 'true',
  HEADWIND_UI_PROXY_HEADER: 'never',
  SLACK_ENABLED: 'true',
  SLACK_WEBHOOK_URL: 'never',
  SLACK_CHANNEL: 'never',
  SLACK_USERNAME: 'never',
  SLACK_ICON_EMOJI: 'never',
  TEAMS_ENABLED: 'true',
  TEAMS_WEBHOOK_URL: 'never',
  WEBHOOK_ENABLED: 'true',
  WEBHOOK_URL: 'never',
  WEBHOOK_SECRET: 'never',
  WEBHOOK_TIMEOUT: 'never',
  WEBHOOK_MAX_RETRIES: 'never',
  HEADWIND_SLACK_WEBHOOK_URL: 'any',
  HEADWIND_TEAMS_WEBHOOK_URL: 'any',
  HEADWIND_GENERIC_WEBHOOK_URL: 'any',
  HEADWIND_INFLUXDB_TOKEN: 'never',
  HEADWIND_SECRET_NAME: 'any',
  HEADWIND_AUTHORIZATION: 'any',
  HEADWIND_TRUSTED_PROXIES: 'any',
  HEADWIND_TLS_CERT_FILE: 'any',
  HEADWIND_TLS_KEY_FILE: 'never',
  HEADWIND_OIDC_ISSUER: 'any',
  HEADWIND_OIDC_CLIENT_ID: 'never',
  HEADWIND_OIDC_CLIENT_SECRET: 'never',
  HEADWIND_OIDC_AUDIENCE: 'never',
  HEADWIND_OIDC_USERNAME_CLAIM: 'never',
  HEADWIND_OIDC_GROUPS_CLAIM: 'never',
  HEADWIND_OIDC_USERNAME_PREFIX: 'never',
  HEADWIND_API_SERVICE: 'never',
};
