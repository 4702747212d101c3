import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Config } from '../config.ts';
import { configTable } from '../core/config-table.ts';
import { sameRegistryNames } from '../core/registry-alias.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import { targetOf } from '../core/update-request.ts';
import { parseWorkloadKey } from '../core/workload.ts';
import type { HealthDeps } from '../http/health.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { KubeEvents } from '../kubernetes/events.ts';
import { type ClusterAccess, loadClusterAccess } from '../kubernetes/kubeconfig.ts';
import { LeaderElection } from '../kubernetes/leader-election.ts';
import { leaseApi } from '../kubernetes/lease-api.ts';
import { KubePods } from '../kubernetes/pods.ts';
import { KubePullSecrets, noPullSecrets } from '../kubernetes/pull-secrets.ts';
import { KubeServiceAccountTokens } from '../kubernetes/service-account-tokens.ts';
import { KubeUpdateRequests } from '../kubernetes/update-requests.ts';
import { withoutRights } from '../kubernetes/withheld-rights.ts';
import { KubeWorkloads } from '../kubernetes/workloads.ts';
import type { OperatorDeps } from '../operator/deps.ts';
import { LeaderWork } from '../operator/leader-work.ts';
import { Notes } from '../operator/notes.ts';
import { RepositoryAccess } from '../operator/repository-access.ts';
import { createRequestBell } from '../operator/request-changes.ts';
import { TagBook } from '../operator/tag-book.ts';
import type { Outbound } from '../outbound.ts';
import { createRegistry } from '../registry/client.ts';
import type { OperatorLog } from '../telemetry/log.ts';
import type { MetricsRegistry } from '../telemetry/metrics.ts';
import { followConfigMap, type FollowedConfigMap } from './follow-config-map.ts';
import { LiveSettings, summaryOf } from './live-settings.ts';
import type { OpenedSettings } from './open-settings.ts';
import { Readiness } from './readiness.ts';
import { openOutbound } from './open-outbound.ts';

export interface PartsOptions {
  readonly opened: OpenedSettings;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: OperatorLog;
  readonly metrics: MetricsRegistry;
  /** Aborts when the process has to stop. */
  readonly stopping: AbortSignal;
  /** Where other replicas reach the webhook server, once it listens. */
  readonly address: () => string | undefined;
}

/** Everything the process consists of besides its servers; nothing runs yet. */
export interface Parts {
  readonly client: KubeClient;
  readonly outbound: Outbound;
  readonly registry: ReturnType<typeof createRegistry>;
  readonly workloads: KubeWorkloads;
  readonly updateRequests: KubeUpdateRequests;
  readonly events: KubeEvents;
  readonly bell: ReturnType<typeof createRequestBell>;
  readonly deps: OperatorDeps;
  readonly work: LeaderWork;
  readonly election: LeaderElection;
  readonly readiness: Readiness;
  readonly health: HealthDeps;
  readonly live: LiveSettings;
  readonly configMap: FollowedConfigMap;
}

/** Builds the parts and joins them. Throws when it is not known how to reach a cluster, or when the ConfigMap of settings has mistakes. */
export async function buildParts({ opened, version, environment, log, metrics, stopping, address }: PartsOptions): Promise<Parts> {
  const clock = { now: () => Date.now() };
  const { config, reader } = opened;
  const access = await loadClusterAccess({ kubeconfig: config.kubernetes.kubeconfig, environment });
  const home = homeNamespace(config, access);
  log.info(
    { version, server: access.server, source: access.source, home },
    `headwind ${version}: cluster ${access.server} (${access.source})`,
  );
  const client = new KubeClient(access, {
    version,
    onRequest: ({ verb, resource, code }) => metrics.increment('kube_requests_total', { verb, resource, code }),
  });
  const outbound = openOutbound({
    version,
    proxy: config.proxy,
    blockedOrigins: [new URL(access.server).origin],
    registries: () => live.registrySettings(),
  });
  const identity = `${config.identity.podName ?? hostname()}_${randomUUID()}`;
  const events = new KubeEvents({ client, clock, log, instance: identity });
  const live = new LiveSettings({
    reader,
    settings: opened.settings,
    log,
    metrics,
    onReading(reason, message) {
      const subject = configMap.subject();
      if (subject) events.emit(subject, reason, message);
    },
  });
  const configMap = followConfigMap({ client, log, config, home, reader, live });
  await startSettings({ live, configMap, log, stopping });
  const registry = createRegistry({
    outbound,
    clock,
    metrics,
    log,
    insecureHosts: config.insecureRegistryHosts,
    settings: () => live.registrySettings(),
    identities: {
      environment,
      readFile: (path) => readFile(path, 'utf8'),
      serviceAccounts: new KubeServiceAccountTokens({ client, clock }),
    },
  });

  const cache = { client, log, watchNamespaces: config.watchNamespaces };
  const workloads = new KubeWorkloads({ ...cache, withheld: config.withheldRights });
  const updateRequests = new KubeUpdateRequests({ ...cache, clock });
  const permitted = withoutRights(client, config.withheldRights);
  const pullSecrets = config.withheldRights.has('secrets') ? noPullSecrets : new KubePullSecrets({ client: permitted });
  const book = new TagBook();
  const bell = createRequestBell();
  const deps: OperatorDeps = {
    workloads,
    updateRequests,
    pods: new KubePods({ client: permitted }),
    access: new RepositoryAccess({ registry, pullSecrets, book, clock }),
    book,
    notes: new Notes({ dryRunBy: config.dryRun ? configTable.dryRun.variable : undefined }),
    events,
    metrics,
    audit: log.audit,
    log,
    clock,
    requestSettings: requestSettingsOf(live),
    autorollout: () => live.autorolloutSettings(),
    registryNames: (registry) => namesBy(live.registrySettings())(registry),
    get pollingEnabled() {
      return live.current.polling.enabled;
    },
    dryRun: config.dryRun,
  };
  const work = new LeaderWork(deps, registry, {
    get controllersEnabled() {
      return live.current.controllersEnabled;
    },
    get polling() {
      return live.current.polling;
    },
    verify: config.webhookVerify,
  });
  workloads.onChange((key, { initial, old }) => {
    const ref = parseWorkloadKey(key);
    work.workloadChanged(ref, workloads.get(ref), old, initial);
  });
  updateRequests.onChange(({ request, initial }) => {
    bell.changed(request.metadata.namespace, request.metadata.name);
    work.requestChanged(targetOf(request), initial);
  });

  const election = new LeaderElection({
    api: leaseApi(client, home),
    identity,
    namespace: home,
    clock,
    log,
    metrics,
    address,
  });
  const readiness = new Readiness({ client, workloads, updateRequests, election, config, home, log });
  const health: HealthDeps = {
    version,
    isLeader: () => election.isLeading,
    alive: () => !election.isStuck,
    checks: () => readiness.checks(stopping),
  };
  return { client, outbound, registry, workloads, updateRequests, events, bell, deps, work, election, readiness, health, live, configMap };
}

interface Starting {
  readonly live: LiveSettings;
  readonly configMap: FollowedConfigMap;
  readonly log: OperatorLog;
  readonly stopping: AbortSignal;
}

/** The settings of the ConfigMap are in force before anything begins. */
async function startSettings({ live, configMap, log, stopping }: Starting): Promise<void> {
  await configMap.start(stopping);
  log.setLevel(live.current.logLevel);
  live.onChange(({ logLevel }) => log.setLevel(logLevel));
  log.debug(summaryOf(live.current), 'configuration');
}

/** As they are at each look. */
function requestSettingsOf(live: LiveSettings): OperatorDeps['requestSettings'] {
  return {
    get expiryMs() {
      return live.current.requests.expiryMs;
    },
    get retentionMs() {
      return live.current.requests.retentionMs;
    },
    get keepPerContainer() {
      return live.current.requests.keepPerContainer;
    },
  };
}

/** Made once for settings that are not changed. */
const namesOf = new WeakMap<RegistrySettings, ReturnType<typeof sameRegistryNames>>();

function namesBy(settings: RegistrySettings): ReturnType<typeof sameRegistryNames> {
  const names = namesOf.get(settings) ?? sameRegistryNames(settings);
  namesOf.set(settings, names);
  return names;
}

function homeNamespace(config: Config, access: ClusterAccess): string {
  if (config.namespace !== undefined) return config.namespace;
  return access.source === 'in cluster' ? access.namespace : 'headwind-system';
}
