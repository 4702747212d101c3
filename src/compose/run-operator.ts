import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config, Listener } from '../config.ts';
import { configTable } from '../core/config-table.ts';
import { targetOf } from '../core/update-request.ts';
import { parseWorkloadKey } from '../core/workload.ts';
import { createApiApp } from '../http/api.ts';
import { createMetricsApp } from '../http/metrics.ts';
import type { HealthDeps } from '../http/health.ts';
import { type RunningServer, startServer } from '../http/server.ts';
import { createWebhookApp } from '../http/webhooks.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { KubeEvents } from '../kubernetes/events.ts';
import { type ClusterAccess, loadClusterAccess } from '../kubernetes/kubeconfig.ts';
import { LeaderElection } from '../kubernetes/leader-election.ts';
import { leaseApi } from '../kubernetes/lease-api.ts';
import { KubePullSecrets } from '../kubernetes/pull-secrets.ts';
import { KubeUpdateRequests } from '../kubernetes/update-requests.ts';
import { KubeWorkloads } from '../kubernetes/workloads.ts';
import type { OperatorDeps } from '../operator/deps.ts';
import { updateGauges } from '../operator/gauges.ts';
import { LeaderWork } from '../operator/leader-work.ts';
import { Notes } from '../operator/notes.ts';
import { RepositoryAccess } from '../operator/repository-access.ts';
import { createRequestBell } from '../operator/request-changes.ts';
import { TagBook } from '../operator/tag-book.ts';
import { createOutbound } from '../outbound.ts';
import { createForwarder } from './forward-webhooks.ts';
import { createRegistry } from '../registry/client.ts';
import { Readiness } from './readiness.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { parseDockerHub } from '../webhooks/dockerhub.ts';
import { parseRegistryDelivery } from '../webhooks/registry.ts';

export interface OperatorProcess {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts when the process has to stop. */
  readonly stopping: AbortSignal;
}

const keepPerContainer = 10;

/**
 * Builds every part, starts them in order (health and metrics, HTTP, caches, the work of the leader) and stops them in the reverse one.
 * Resolves when everything has ended; throws when something cannot start.
 */
export async function runOperator({ config, warnings, version, environment, stopping }: OperatorProcess): Promise<void> {
  const clock = { now: () => Date.now() };
  const log = createLog({ level: config.logLevel, clock });
  for (const warning of warnings) log.warn({}, warning);
  const metrics = createMetrics({ processMetrics: true });
  metrics.set('build_info', 1, { version });
  metrics.set('leader', 0);

  const access = await loadClusterAccess({ kubeconfig: config.kubernetes.kubeconfig, environment });
  const home = homeNamespace(config, access);
  const client = new KubeClient(access, {
    version,
    onRequest: ({ verb, resource, code }) => metrics.increment('kube_requests_total', { verb, resource, code }),
  });
  const outbound = createOutbound({
    userAgent: `headwind/${version}`,
    proxy: config.proxy,
    blockedOrigins: [new URL(access.server).origin],
  });
  const registry = createRegistry({ outbound, clock, metrics, log, insecureHosts: config.insecureRegistryHosts });

  const cache = { client, log, watchNamespaces: config.watchNamespaces };
  const workloads = new KubeWorkloads(cache);
  const updateRequests = new KubeUpdateRequests({ ...cache, clock });
  const pullSecrets = new KubePullSecrets({ client });
  const identity = `${config.identity.podName ?? hostname()}_${randomUUID()}`;
  const events = new KubeEvents({ client, clock, log, instance: identity });
  const book = new TagBook();
  const bell = createRequestBell();
  const deps: OperatorDeps = {
    workloads,
    updateRequests,
    access: new RepositoryAccess({ registry, pullSecrets, book, clock }),
    book,
    notes: new Notes({ dryRunBy: config.dryRun ? configTable.dryRun.variable : undefined }),
    events,
    metrics,
    audit: log.audit,
    log,
    clock,
    requestSettings: { ...config.requests, keepPerContainer },
    pollingEnabled: config.polling.enabled,
    dryRun: config.dryRun,
  };
  const work = new LeaderWork(deps, registry, {
    controllersEnabled: config.controllersEnabled,
    polling: config.polling,
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

  let webhookServer: RunningServer | undefined;
  const election = new LeaderElection({
    api: leaseApi(client, home),
    identity,
    namespace: home,
    clock,
    log,
    metrics,
    address: () => webhookServer && `http://${reachableHost(config)}:${webhookServer.port}`,
  });
  const readiness = new Readiness({ client, workloads, updateRequests, election, config, home, log });
  const health: HealthDeps = {
    version,
    isLeader: () => election.isLeading,
    alive: () => !election.isStuck,
    checks: () => readiness.checks(stopping),
  };
  const forward = createForwarder({ outbound, leader: () => election.observed });

  const servers: RunningServer[] = [];
  const start = async (name: RunningServer['name'], { host, port }: Listener, app: Parameters<typeof startServer>[0]['app']) => {
    const server = await startServer({ name, host, port, app, log });
    servers.push(server);
    return server;
  };
  const exposition = {
    contentType: metrics.contentType,
    text() {
      updateGauges(deps);
      return metrics.text();
    },
  };
  try {
    await start('metrics', config.listen.metrics, createMetricsApp({ health, exposition, log, metrics }));
    webhookServer = await start(
      'webhook',
      config.listen.webhook,
      createWebhookApp({
        receivers: [
          { path: '/webhook/registry', provider: 'registry', parse: parseRegistryDelivery },
          { path: '/webhook/dockerhub', provider: 'dockerhub', parse: parseDockerHub },
        ],
        accept: (hints, raw) => (work.isLeading ? work.accept(hints) : forward(raw)),
        health,
        log,
        metrics,
      }),
    );
    await start(
      'api',
      config.listen.api,
      createApiApp({
        requests: updateRequests,
        workloads,
        changes: bell,
        clock,
        audit: log.audit,
        announcer: deps,
        explain: { ...deps, work, controllersEnabled: config.controllersEnabled },
        health,
        log,
        metrics,
        isSynced: () => readiness.isSynced,
        ownUrls: [config.apiUrl, ...(config.uiUrl === undefined ? [] : [config.uiUrl])],
        stopping,
      }),
    );
    await runParts();
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await registry.close();
    await outbound.close();
    await client.close();
  }

  /** Caches outlive the work of the leader: what runs until the end still reads them. */
  async function runParts(): Promise<void> {
    const cachesStop = new AbortController();
    const caches = Promise.all([
      workloads.run(cachesStop.signal),
      updateRequests.run(cachesStop.signal),
      events.run(cachesStop.signal),
      readiness.run(cachesStop.signal),
    ]);
    await election.run(stopping, async (term) => {
      await readiness.synced(term.stopping);
      if (!term.stopping.aborted) await work.lead(term);
    });
    cachesStop.abort();
    await caches;
    log.info({}, 'stopped');
  }
}

function homeNamespace(config: Config, access: ClusterAccess): string {
  if (config.namespace !== undefined) return config.namespace;
  return access.source === 'in cluster' ? access.namespace : 'headwind-system';
}

/** Where another replica reaches this one. */
function reachableHost({ identity, listen }: Config): string {
  const host = identity.podIp ?? listen.webhook.host ?? '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
