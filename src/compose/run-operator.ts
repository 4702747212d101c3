import type { Config } from '../config.ts';
import type { RunningServer } from '../http/server.ts';
import type { Log } from '../ports.ts';
import { collectorOf, giveBackWhenIdle } from '../telemetry/idle-memory.ts';
import { createLog } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { buildParts, type Parts } from './build-parts.ts';
import { leadWithSettings } from './lead-with-settings.ts';
import type { OpenedSettings } from './open-settings.ts';
import { startServers } from './start-servers.ts';

export interface OperatorProcess {
  readonly opened: OpenedSettings;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts when the process has to stop. */
  readonly stopping: AbortSignal;
}

/**
 * Builds every part, starts them in order (health and metrics, HTTP, caches, the work of the leader) and stops them in the reverse one.
 * Resolves when everything has ended; throws when something cannot start.
 */
export async function runOperator({ opened, version, environment, stopping }: OperatorProcess): Promise<void> {
  const { config, settings, healthPort, warnings } = opened;
  const log = createLog({ level: settings.logLevel, clock: { now: () => Date.now() } });
  for (const warning of warnings) log.warn({}, warning);
  const metrics = createMetrics({ processMetrics: true });
  metrics.set('build_info', 1, { version });
  metrics.set('leader', 0);
  const servers: RunningServer[] = [];
  const address = () => addressOf(servers, config);
  const parts = await buildParts({ opened, version, environment, log, metrics, stopping, address });
  try {
    await startServers({ config, healthPort, parts, log, metrics, stopping }, servers);
    await work(parts, log, stopping);
    log.info({}, 'stopped');
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await parts.registry.close();
    await parts.outbound.close();
    await parts.client.close();
  }
}

/** Caches outlive the work of the leader: what runs until the end still reads them. */
async function work(parts: Parts, log: Log, stopping: AbortSignal): Promise<void> {
  const { workloads, updateRequests, events, readiness, election, work, live, configMap } = parts;
  const end = new AbortController();
  const caches = Promise.all([
    workloads.run(end.signal),
    updateRequests.run(end.signal),
    events.run(end.signal),
    readiness.run(end.signal),
    configMap.run(end.signal),
    live.run(end.signal),
    giveBackWhenIdle({ collect: collectorOf(globalThis.gc), log }, end.signal),
  ]);
  await election.run(stopping, async (term) => {
    await readiness.synced(term.stopping);
    if (term.stopping.aborted) return;
    log.info(...whatIsThere(parts));
    await leadWithSettings(term, live, (part) => work.lead(part));
  });
  end.abort();
  await caches;
}

/** For whoever starts it the first time: does it see my workloads? */
function whatIsThere({ workloads, updateRequests }: Parts): [object, string] {
  const managed = [...workloads.all()].length;
  const requests = [...updateRequests.all()].length;
  const hint = managed === 0 ? '; the annotation headwind.sh/policy makes a workload managed' : '';
  return [{ workloads: managed, requests }, `at work: ${managed} managed workloads, ${requests} update requests${hint}`];
}

/** Where another replica reaches the webhook server of this one; undefined until it listens. */
function addressOf(servers: readonly RunningServer[], { identity, listen }: Config): string | undefined {
  const server = servers.find(({ name }) => name === 'webhook');
  if (!server) return undefined;
  const host = identity.podIp ?? listen.webhook.host ?? '127.0.0.1';
  return `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
}
