import { readFile } from 'node:fs/promises';
import { type Config, readConfig } from '../config.ts';
import { canonicalRegistry, type ImageReference } from '../core/image-reference.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import type { WorkloadKind } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { KubeConfigMap } from '../kubernetes/config-map.ts';
import { ClusterAccessError } from '../kubernetes/credentials.ts';
import { type ClusterAccess, loadClusterAccess } from '../kubernetes/kubeconfig.ts';
import { KubePullSecrets, noPullSecrets } from '../kubernetes/pull-secrets.ts';
import { KubeServiceAccountTokens } from '../kubernetes/service-account-tokens.ts';
import { checkRegistry, type RegistryCheck, type TriedCredential } from '../operator/check-registry.ts';
import { RepositoryAccess } from '../operator/repository-access.ts';
import { TagBook } from '../operator/tag-book.ts';
import type { Log, Metrics } from '../ports.ts';
import { createRegistry } from '../registry/client.ts';
import { createHostRules } from '../registry/host-rules.ts';
import { nobody, type Puller, readPuller } from './check-puller.ts';
import { describeTransport } from './describe-transport.ts';
import { type OpenedSettings, openSettings } from './open-settings.ts';
import { warningsAsNotes } from './warnings-as-notes.ts';
import { openOutbound } from './open-outbound.ts';

export interface RegistryCheckQuery {
  readonly reference: ImageReference;
  /** Tag or digest. */
  readonly wanted: string;
  /** Without a cluster: anonymous, and what the configuration says. */
  readonly noCluster: boolean;
  /** undefined: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  /** Whose pull secrets count; undefined: those of the namespace's ServiceAccount `default`. */
  readonly workload: { readonly kind: WorkloadKind; readonly name: string } | undefined;
  /** Flags by name, as `headwind run` takes them. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export interface CheckProcess {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

export type RegistryCheckReply =
  | { readonly check: RegistryCheck }
  | { readonly failed: 'usage' | 'unreachable' | 'forbidden' | 'refused'; readonly message: string };

/** Where the check is made, and what counts there. */
interface Place extends Puller {
  readonly client: KubeClient | undefined;
  readonly settings: RegistrySettings;
  readonly blockedOrigins: readonly string[];
}

const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const uncounted: Metrics = { increment: nothing, set: nothing, observe: nothing, reset: nothing };
const clock = { now: () => Date.now() };

/** Looks once at one image with the credentials that a pod would use, and tells what happened on the way. Changes nothing anywhere. */
export async function checkRegistryOnce(query: RegistryCheckQuery, process: CheckProcess): Promise<RegistryCheckReply> {
  const opened = await openSettings(readConfig(process.environment, query.flags), process.environment);
  if ('mistakes' in opened) return { failed: 'usage', message: opened.mistakes.join('\n') };
  const { config } = opened;
  try {
    if (query.noCluster) {
      const place = { ...nobody(), client: undefined, settings: opened.settings.registries, blockedOrigins: [] };
      return { check: await check(query, place, config, process) };
    }
    const access = await loadClusterAccess({ kubeconfig: config.kubernetes.kubeconfig, environment: process.environment });
    return await checkFromCluster(query, opened, access, process);
  } catch (error) {
    if (error instanceof ClusterAccessError) return { failed: 'usage', message: `${error.message}; --no-cluster asks without one` };
    if (error instanceof ApiError) return { failed: failureOf(error), message: error.message };
    throw error;
  }
}

function failureOf({ status }: ApiError): 'unreachable' | 'forbidden' | 'refused' {
  if (status === 0) return 'unreachable';
  return status === 401 || status === 403 ? 'forbidden' : 'refused';
}

async function checkFromCluster(
  query: RegistryCheckQuery,
  opened: OpenedSettings,
  access: ClusterAccess,
  process: CheckProcess,
): Promise<RegistryCheckReply> {
  const client = new KubeClient(access, { version: process.version });
  try {
    const settings = await settingsWithConfigMap(client, opened, access);
    if ('mistakes' in settings) return { failed: 'usage', message: settings.mistakes.join('\n') };
    const puller = await readPuller(client, query.namespace ?? access.namespace, query.workload);
    const place = { ...puller, client, settings: settings.registries, blockedOrigins: [new URL(access.server).origin] };
    return { check: await check(query, place, opened.config, process) };
  } finally {
    await client.close();
  }
}

/** What the operator would hear of registries: its ConfigMap counts over the file, as far as it may be read. */
async function settingsWithConfigMap(
  client: KubeClient,
  { config, reader, settings }: OpenedSettings,
  { source, namespace }: ClusterAccess,
): Promise<{ readonly registries: RegistrySettings } | { readonly mistakes: readonly string[] }> {
  const home = config.namespace ?? (source === 'in cluster' ? namespace : 'headwind-system');
  const name = config.configMapName;
  const map = await new KubeConfigMap({ client, log: silent, namespace: home, name, onChange: nothing }).read(new AbortController().signal);
  if (!map) return settings;
  const read = await reader.read({ source: `ConfigMap ${home}/${name}`, data: map.data });
  return read.settings === undefined || read.mistakes.length > 0 ? { mistakes: read.mistakes } : read.settings;
}

async function check(query: RegistryCheckQuery, place: Place, config: Config, process: CheckProcess): Promise<RegistryCheck> {
  const { reference, wanted } = query;
  const { client, settings, workload, pullsAs } = place;
  const { insecureRegistryHosts: insecureHosts, proxy } = config;
  const transport = describeTransport(reference, { settings, insecureHosts, proxy });
  const tried: TriedCredential[] = [];
  const warnings = warningsAsNotes();
  const { version } = process;
  const outbound = openOutbound({ version, proxy, blockedOrigins: place.blockedOrigins, registries: () => settings });
  const registry = createRegistry({
    outbound,
    clock,
    metrics: uncounted,
    log: warnings.log,
    insecureHosts,
    settings: () => settings,
    identities: {
      environment: process.environment,
      readFile: (path) => readFile(path, 'utf8'),
      serviceAccounts: client && new KubeServiceAccountTokens({ client, clock }),
    },
    onAttempt: (attempt) => void tried.push(attempt),
  });
  const pullSecrets = client && !config.withheldRights.has('secrets') ? new KubePullSecrets({ client }) : noPullSecrets;
  const access = new RepositoryAccess({ registry, pullSecrets, book: new TagBook(), clock });
  if (place.podPullSecretNames) access.podsList(workload, place.podPullSecretNames);
  try {
    const deps = { access, registry, tried, isPlainHttp: transport.isPlainHttp };
    const answers = await checkRegistry({ reference, wanted, workload }, deps, new AbortController().signal);
    const budget = registry.budgetReport(reference.registry);
    const coolDownMs = (budget?.coolDownUntilMs ?? 0) - clock.now();
    return {
      image: reference.original,
      registry: canonicalRegistry(reference.registry),
      repository: reference.repository,
      reference: wanted,
      ok: answers.failures.length === 0,
      pullsAs,
      forbidden: createHostRules(settings).refusal(reference.registry) ?? null,
      transport: transport.facts,
      quotaRemaining: budget?.quota?.remaining ?? null,
      coolDownSeconds: coolDownMs > 0 ? Math.ceil(coolDownMs / 1000) : null,
      ...answers,
      notes: [...answers.notes, ...warnings.notes()],
    };
  } finally {
    await registry.close();
    await outbound.close();
  }
}
