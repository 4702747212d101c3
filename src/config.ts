import { isIP } from 'node:net';
import { settingReader, type SettingReader, type Source } from './config-values.ts';
import { configTable, type LogLevel, laterVariables, logLevels, type VerifyMode } from './core/config-table.ts';
import { nearest } from './core/nearest.ts';

export interface Listener {
  /** undefined: all interfaces, IPv4 and IPv6. */
  readonly host: string | undefined;
  /** 0: any free port. */
  readonly port: number;
}

/** The checked settings of `headwind run`. */
export interface Config {
  readonly logLevel: LogLevel;
  /** The configuration file, when one is named. */
  readonly configPath: string | undefined;
  /** In the home namespace. */
  readonly configMapName: string;
  readonly kubernetes: {
    readonly kubeconfig: string | undefined;
    readonly home: string | undefined;
    readonly serviceHost: string | undefined;
    readonly servicePort: string | undefined;
  };
  /** undefined: that of the pod, else `headwind-system`. */
  readonly namespace: string | undefined;
  /** Empty: all. */
  readonly watchNamespaces: readonly string[];
  /** Resources that are never asked for: `secrets`, `cronjobs.batch`. */
  readonly withheldRights: ReadonlySet<string>;
  readonly controllersEnabled: boolean;
  /** Nothing is created or changed; only told. */
  readonly dryRun: boolean;
  readonly polling: { readonly enabled: boolean; readonly intervalMs: number };
  readonly webhookVerify: VerifyMode;
  readonly requests: { readonly expiryMs: number; readonly retentionMs: number };
  readonly insecureRegistryHosts: readonly string[];
  readonly apiUrl: string;
  readonly uiUrl: string | undefined;
  readonly apiAuthMode: 'none';
  readonly listen: { readonly webhook: Listener; readonly api: Listener; readonly ui: Listener; readonly metrics: Listener };
  readonly identity: { readonly podIp: string | undefined; readonly podName: string | undefined };
  readonly proxy: { readonly httpProxy: string | undefined; readonly httpsProxy: string | undefined; readonly noProxy: string | undefined };
  /** Where OpenSSL looks for authorities. */
  readonly systemRoots: { readonly file: string | undefined; readonly folder: string | undefined };
}

export type ConfigResult =
  | { readonly config: Config; readonly warnings: string[] }
  /** `unchecked` has defaults in place of what is wrong: good for finding further mistakes, and for nothing else. */
  | { readonly mistakes: string[]; readonly unchecked: Config };

/** Environment and flags (by name without dashes; a flag wins) → the checked configuration, or every mistake at once. Empty = unset. */
export function readConfig(env: Source, flags: Source): ConfigResult {
  const { required, optional, mistakes } = settingReader(env, flags);
  const platform = (name: string): string | undefined => env[name] || undefined;
  const mode = readAuthMode(optional);
  const log = readLogLevel(optional(configTable.logLevel), required(configTable.rustLog));
  const configPath = readConfigPath(optional, mistakes);
  const config: Config = {
    logLevel: log.level,
    configPath,
    configMapName: required(configTable.configMapName),
    kubernetes: {
      kubeconfig: optional(configTable.kubeconfig),
      home: platform('HOME'),
      serviceHost: platform('KUBERNETES_SERVICE_HOST'),
      servicePort: platform('KUBERNETES_SERVICE_PORT'),
    },
    namespace: optional(configTable.namespace),
    watchNamespaces: required(configTable.watchNamespaces),
    withheldRights: new Set(required(configTable.withheldRights)),
    controllersEnabled: required(configTable.controllersEnabled),
    dryRun: required(configTable.dryRun),
    polling: { enabled: required(configTable.pollingEnabled), intervalMs: required(configTable.pollingInterval) },
    webhookVerify: required(configTable.webhookVerify),
    requests: { expiryMs: required(configTable.requestExpiry), retentionMs: required(configTable.requestRetention) },
    insecureRegistryHosts: required(configTable.insecureRegistryHosts),
    apiUrl: required(configTable.apiUrl),
    uiUrl: optional(configTable.uiUrl),
    apiAuthMode: 'none',
    listen: readListeners({ required, optional }, platform('KUBERNETES_SERVICE_HOST') !== undefined, mode),
    identity: { podIp: platform('POD_IP'), podName: platform('POD_NAME') ?? platform('HOSTNAME') },
    proxy: readProxy(platform),
    systemRoots: { file: platform('SSL_CERT_FILE'), folder: platform('SSL_CERT_DIR') },
  };
  mistakes.push(...portMistakes(config.listen));
  if (mistakes.length > 0) return { mistakes, unchecked: config };
  return { config, warnings: [...log.warnings, ...settingWarnings(config, mode), ...variableWarnings(env)] };
}

function readAuthMode(optional: SettingReader['optional']): 'none' | undefined {
  const ofApi = optional(configTable.apiAuthMode);
  const ofBoth = optional(configTable.uiAuthMode);
  return ofApi ?? ofBoth;
}

function readListeners(
  { required, optional }: Pick<SettingReader, 'required' | 'optional'>,
  inCluster: boolean,
  mode: 'none' | undefined,
): Config['listen'] {
  const host = optional(configTable.bindAddress) ?? (inCluster ? undefined : '127.0.0.1');
  return {
    webhook: { host, port: required(configTable.webhookPort) },
    // Without a mode nobody chose to open the API: it stays on this machine whatever the bind address says.
    api: { host: mode === undefined && !isLoopback(host) ? '127.0.0.1' : host, port: required(configTable.apiPort) },
    ui: { host, port: required(configTable.uiPort) },
    metrics: { host, port: required(configTable.metricsPort) },
  };
}

function readConfigPath(optional: SettingReader['optional'], mistakes: string[]): string | undefined {
  const path = optional(configTable.configPath);
  const alias = optional(configTable.configFile);
  if (path !== undefined && alias !== undefined && path !== alias) {
    mistakes.push(`HEADWIND_CONFIG_PATH and CONFIG_FILE name two files, "${path}" and "${alias}"; set one of them`);
  }
  return path ?? alias;
}

function readProxy(platform: (name: string) => string | undefined): Config['proxy'] {
  const all = platform('ALL_PROXY') ?? platform('all_proxy');
  // It may name a SOCKS proxy, for programs that speak that.
  const other = all !== undefined && /^https?:\/\//i.test(all) ? all : undefined;
  return {
    httpProxy: platform('HTTP_PROXY') ?? platform('http_proxy') ?? other,
    httpsProxy: platform('HTTPS_PROXY') ?? platform('https_proxy') ?? other,
    noProxy: platform('NO_PROXY') ?? platform('no_proxy'),
  };
}

/** Names under which this program, or the one whose manifests it takes over, sets its level. */
const ownTargets = new Set(['headwind', 'kube_autorollout', 'kube-autorollout']);
/** Named by older manifests; nothing here has this name. */
const silentTargets = new Set(['kube', 'kube_client', 'kube_runtime', 'hyper', 'tower', 'tower_http', 'reqwest', 'h2', 'rustls']);

function readLogLevel(level: LogLevel | undefined, rustLog: string): { level: LogLevel; warnings: string[] } {
  const directives = rustLog
    .split(',')
    .map((item) => item.trim().toLowerCase().split('='))
    .filter(([first]) => first !== '');
  const ofTarget = directives.flatMap(([target = '', word]) => (word !== undefined && ownTargets.has(target) ? [word] : []));
  // A target alone asks for all of its lines.
  const bare = directives.flatMap(([word = '', more]) => (more === undefined ? [ownTargets.has(word) ? 'trace' : word] : []));
  const wanted = ofTarget.at(-1) ?? bare.at(-1);
  const found = logLevels.find((known) => known === wanted);
  const unknown = directives.flatMap(([target = '', word]) =>
    word === undefined || ownTargets.has(target) || silentTargets.has(target.split('::')[0] ?? '') ? [] : [`"${target}"`],
  );
  const warnings =
    unknown.length === 0 ? [] : [`RUST_LOG: ${unknown.join(', ')} is no target of this program and is ignored; write headwind=<level>`];
  if (wanted !== undefined && found === undefined && level === undefined) {
    warnings.push(`RUST_LOG: "${wanted}" is no log level (${logLevels.join(', ')}); info is used`);
  }
  return { level: level ?? found ?? 'info', warnings };
}

function portMistakes(listen: Config['listen']): string[] {
  const opened = [
    ['HEADWIND_WEBHOOK_PORT', listen.webhook.port],
    ['HEADWIND_API_PORT', listen.api.port],
    ['HEADWIND_METRICS_PORT', listen.metrics.port],
  ] as const;
  return opened.flatMap(([name, port], index) => {
    const earlier = opened.slice(0, index).find(([, other]) => other === port && port !== 0);
    return earlier ? [`${name} and ${earlier[0]} are both ${port}; give each server a port of its own`] : [];
  });
}

function settingWarnings(config: Config, mode: string | undefined): string[] {
  const { api, webhook } = config.listen;
  const warnings: string[] = [];
  if (mode === undefined) {
    warnings.push(
      `the API has no authentication yet and listens on ${api.host ?? 'loopback'} only; HEADWIND_API_AUTH_MODE=none opens it on every address`,
    );
  } else if (!isLoopback(api.host)) {
    warnings.push(
      `ANYBODY who reaches port ${api.port} may approve updates: the API listens on ${api.host ?? 'all interfaces'} WITHOUT AUTHENTICATION (HEADWIND_API_AUTH_MODE=none)`,
    );
  }
  if (!isLoopback(webhook.host)) {
    warnings.push(`the webhook routes on port ${webhook.port} accept deliveries without authentication; each only makes the operator look`);
  }
  if (config.dryRun) warnings.push('HEADWIND_DRY_RUN=true: everything is decided, nothing is created or changed');
  if (config.webhookVerify === 'off') {
    warnings.push('HEADWIND_WEBHOOK_VERIFY=off: webhooks are BELIEVED WITHOUT ASKING THE REGISTRY; anybody who reaches them chooses tags');
  }
  return warnings;
}

/** Read before this program starts, by `bin/headwind`. */
const heapVariable = 'HEADWIND_MAX_HEAP_MB';

function variableWarnings(env: Source): string[] {
  const settings = Object.values(configTable).map(({ variable }) => variable);
  const known = new Set([...settings, ...Object.keys(laterVariables), heapVariable]);
  const later = Object.keys(laterVariables).filter((name) => asksFor(env, name));
  const unknown = Object.keys(env).filter((name) => name.startsWith('HEADWIND_') && !known.has(name) && !isServiceLink(name));
  return [
    ...later.map((name) => `${name} is set, but what it asks for is not available in this version`),
    ...unknown.map((name) => {
      const guess = nearest(name, known);
      return `${name} is no variable of Headwind and is ignored${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    }),
  ];
}

function asksFor(env: Source, name: string): boolean {
  const value = env[name]?.trim() ?? '';
  const when = laterVariables[name];
  return when === 'any' ? value !== '' : when === 'true' && value.toLowerCase() === 'true';
}

/** Kubernetes sets such variables in every pod for a Service whose name begins with `headwind`. */
function isServiceLink(name: string): boolean {
  return /_SERVICE_(HOST|PORT)(_|$)/.test(name) || /_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/.test(name);
}

/** Is this address reachable from this machine only? */
export function isLoopback(host: string | undefined): boolean {
  return host === 'localhost' || host === '::1' || (host !== undefined && isIP(host) === 4 && host.startsWith('127.'));
}
