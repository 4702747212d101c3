import type { Config, Listener } from '../config.ts';
import { createApiApp } from '../http/api.ts';
import { createApp, type HttpApp } from '../http/app.ts';
import { healthRoutes } from '../http/health.ts';
import { createMetricsApp } from '../http/metrics.ts';
import { type RunningServer, startServer } from '../http/server.ts';
import { createWebhookApp } from '../http/webhooks.ts';
import type { ExplainDeps } from '../operator/explain.ts';
import { updateGauges } from '../operator/gauges.ts';
import type { OperatorLog } from '../telemetry/log.ts';
import type { MetricsRegistry } from '../telemetry/metrics.ts';
import { parseDockerHub } from '../webhooks/dockerhub.ts';
import { parseRegistryDelivery } from '../webhooks/registry.ts';
import type { Parts } from './build-parts.ts';
import { createForwarder } from './forward-webhooks.ts';
import { healthListener } from './health-listener.ts';

export interface ServerOptions {
  readonly config: Config;
  /** Where the configuration file wants the health routes too. */
  readonly healthPort: number | undefined;
  readonly parts: Parts;
  readonly log: OperatorLog;
  readonly metrics: MetricsRegistry;
  readonly stopping: AbortSignal;
}

/** Starts the servers, health and metrics first. Each that started is in `started` at once, so that it can be closed if a later one fails. */
export async function startServers(options: ServerOptions, started: RunningServer[]): Promise<void> {
  const { config, log } = options;
  const apps: readonly [RunningServer['name'], Listener, HttpApp][] = [
    ['metrics', config.listen.metrics, metricsApp(options)],
    ['webhook', config.listen.webhook, webhookApp(options)],
    ['api', config.listen.api, apiApp(options)],
    ...healthServer(options),
  ];
  for (const [name, { host, port }, app] of apps) started.push(await startServer({ name, host, port, app, log }));
}

function healthServer({ config, healthPort, parts, log, metrics }: ServerOptions): [RunningServer['name'], Listener, HttpApp][] {
  const { listener, warning } = healthListener(config.listen, healthPort);
  if (warning !== undefined) log.warn({}, warning);
  if (!listener) return [];
  return [['health', listener, createApp({ name: 'health', routes: healthRoutes(parts.health), log, metrics })]];
}

function metricsApp({ parts, log, metrics }: ServerOptions): HttpApp {
  const exposition = {
    contentType: metrics.contentType,
    text() {
      updateGauges(parts.deps);
      return metrics.text();
    },
  };
  return createMetricsApp({ health: parts.health, exposition, log, metrics });
}

function webhookApp({ parts: { work, election, outbound, health }, log, metrics }: ServerOptions): HttpApp {
  const forward = createForwarder({ outbound, leader: () => election.observed });
  return createWebhookApp({
    receivers: [
      { path: '/webhook/registry', provider: 'registry', parse: parseRegistryDelivery },
      { path: '/webhook/dockerhub', provider: 'dockerhub', parse: parseDockerHub },
    ],
    accept: (hints, raw) => (work.isLeading ? work.accept(hints) : forward(raw)),
    health,
    log,
    metrics,
  });
}

function apiApp({ config, parts, log, metrics, stopping }: ServerOptions): HttpApp {
  const { updateRequests, workloads, bell, deps, readiness, health } = parts;
  return createApiApp({
    requests: updateRequests,
    workloads,
    changes: bell,
    clock: deps.clock,
    audit: log.audit,
    announcer: deps,
    explain: explainDeps(parts),
    health,
    log,
    metrics,
    isSynced: () => readiness.isSynced,
    ownUrls: [config.apiUrl, ...(config.uiUrl === undefined ? [] : [config.uiUrl])],
    stopping,
  });
}

/** What the configuration says is looked up at each question. */
function explainDeps({ deps, work, live }: Parts): ExplainDeps {
  return {
    ...deps,
    work,
    get pollingEnabled() {
      return live.current.polling.enabled;
    },
    get controllersEnabled() {
      return live.current.controllersEnabled;
    },
  };
}
