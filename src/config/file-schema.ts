import * as v from 'valibot';
import { logLevels } from '../core/config-table.ts';
import { parseDuration } from '../core/duration.ts';
import { cronForm, isTimeZone, parseCron } from '../core/schedule.ts';
import { key, laterKey, leaf, requiredKey } from './file-leaf.ts';
import { boolean, glob, path, registrySchema, word } from './registry-schema.ts';

const longestMs = 3650 * 86_400_000;

const duration = leaf('seconds ≥ 1, or 90s, 5m, 6h, 7d (at most 3650d)', (value) => {
  const ms = parseDuration(value);
  return ms !== undefined && ms >= 1000 && ms <= longestMs ? ms : undefined;
});
const port = leaf('a port number from 0 to 65535', (value) =>
  /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined,
);
const count = leaf('a whole number from 1 to 1000', (value) =>
  /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= 1000 ? Number(value) : undefined,
);
const level = leaf(logLevels.join(', '), (value) => logLevels.find((known) => known === value.toLowerCase()));
const cron = leaf<string>(cronForm, (value) => {
  const result = parseCron(value, 'UTC');
  return 'schedule' in result ? value : result;
});
const timeZone = leaf('the IANA name of a time zone: Europe/Berlin, UTC', (value) => (isTimeZone(value) ? value : undefined));
const compare = leaf('platform or index', (value) => (['platform', 'index'] as const).find((known) => known === value));
const host = leaf('a registry host', (value) => (/^[^/\s]+$/.test(value) ? value.toLowerCase() : undefined));

const tls = v.strictObject(
  {
    caCertificatePaths: key(
      v.array(path, 'a list of paths'),
      'PEM files with authorities for all registries, beside those of the system; read again when they change',
    ),
  },
  'caCertificatePaths',
);

const featureFlags = v.strictObject(
  {
    enableJfrogArtifactoryFallback: key(boolean, 'Ask an Artifactory that answers 404 by its repository path too', { default: 'false' }),
    enableKubectlAnnotation: key(
      boolean,
      'Restart by `kubectl.kubernetes.io/restartedAt` (which Argo CD and Flux do not take for drift) instead of `kube-autorollout/restartedAt`',
      { default: 'false' },
    ),
  },
  'enableJfrogArtifactoryFallback and enableKubectlAnnotation',
);

const credentialProviders = v.strictObject(
  {
    configPath: requiredKey(path, 'A `CredentialProviderConfig` as the kubelet reads it'),
    directory: requiredKey(path, 'The only folder whose programs may be run'),
  },
  'configPath and directory',
);

const webserver = v.strictObject({ port: key(port, 'The health routes are served on this port too') }, 'port');
const polling = v.strictObject(
  {
    enabled: key(boolean, 'As `HEADWIND_POLLING_ENABLED`'),
    interval: key(duration, 'As `HEADWIND_POLLING_INTERVAL`'),
  },
  'enabled and interval',
);
const controllers = v.strictObject({ enabled: key(boolean, 'As `HEADWIND_CONTROLLERS_ENABLED`') }, 'enabled');
const updateRequests = v.strictObject(
  {
    expiry: key(duration, 'As `HEADWIND_REQUEST_EXPIRY`'),
    retention: key(duration, 'As `HEADWIND_REQUEST_RETENTION`'),
    keepPerContainer: key(count, 'How many finished requests of a container are kept', { default: '10' }),
  },
  'expiry, retention and keepPerContainer',
);

/** Everything the configuration file and the key `config.yaml` of the ConfigMap may say. Names in camelCase; snake_case is read too. */
export const fileSchema = v.strictObject(
  {
    cronSchedule: key(cron, 'When workloads with the label `kube-autorollout/enabled` are looked at', { default: '*/45 * * * * *' }),
    interval: key(duration, 'Instead of `cronSchedule`: every so often, from the start on'),
    timeZone: key(timeZone, 'Of `cronSchedule`', { default: 'UTC' }),
    compare: key(
      compare,
      '`platform`: only what changes for the platforms of the running pods restarts them; `index`: any digest that is not in the set of the tag',
      {
        default: 'platform',
      },
    ),
    webserver: key(webserver, 'A further listener for the health routes', { fileOnly: true }),
    registries: key(
      v.array(registrySchema, 'a list of registries'),
      'Credentials and transport by registry; the first entry that matches counts, alone',
      {
        default: '[]',
      },
    ),
    registryAliases: key(
      v.record(v.string(), host, 'names of registries'),
      'Other names of a registry (pull-through, split horizon): `<other name>: <registry>`',
    ),
    allowedRegistries: key(v.array(glob, 'a list of patterns'), 'Only these registries may be asked; empty for all', { default: '[]' }),
    deniedRegistries: key(v.array(glob, 'a list of patterns'), 'These may not', { default: '[]' }),
    credentialProviders: key(credentialProviders, 'Programs that give credentials, by the protocol of the kubelet', { fileOnly: true }),
    cloudIdentities: key(boolean, 'The identity of the operator at AWS, Google and Azure may be used for their registries', {
      default: 'true',
    }),
    workloadIdentities: key(
      boolean,
      'Those of the workloads’ ServiceAccounts too, before the operator’s; needs the right to create `serviceaccounts/token`',
      { default: 'false' },
    ),
    virtualRepositories: key(
      v.record(v.string(), v.array(word, 'a list of repositories'), 'lists of repositories'),
      'Artifactory: local repository → the virtual ones through which workloads pull',
    ),
    tls: key(tls, 'Authorities'),
    featureFlags: key(featureFlags, 'Switches of kube-autorollout'),
    logLevel: key(level, 'As `HEADWIND_LOG_LEVEL`'),
    polling: key(polling, 'Polling'),
    controllers: key(controllers, 'Deciding and applying'),
    updateRequests: key(updateRequests, 'Life of update requests'),
    helm: laterKey(),
    freeze: laterKey(),
    notifications: laterKey(),
    slack: laterKey(),
    teams: laterKey(),
    webhook: laterKey(),
    webhooks: laterKey(),
    observability: laterKey(),
    dashboard: laterKey(),
    refreshInterval: laterKey(),
    maxItemsPerPage: laterKey(),
  },
  'keys with values',
);

export type FileValues = v.InferOutput<typeof fileSchema>;
