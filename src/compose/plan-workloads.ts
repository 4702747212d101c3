import { readFile } from 'node:fs/promises';
import { readConfig } from '../config.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { ClusterAccessError } from '../kubernetes/credentials.ts';
import { type ClusterAccess, loadClusterAccess } from '../kubernetes/kubeconfig.ts';
import { KubePods } from '../kubernetes/pods.ts';
import { KubePullSecrets, noPullSecrets } from '../kubernetes/pull-secrets.ts';
import { planOnce, type PlannedContainer } from '../operator/plan-once.ts';
import { RepositoryAccess } from '../operator/repository-access.ts';
import { TagBook } from '../operator/tag-book.ts';
import type { Log, Metrics, Pods, PullSecrets } from '../ports.ts';
import { createRegistry } from '../registry/client.ts';
import { type ClusterContent, listCluster } from './list-cluster.ts';
import { type OpenedSettings, openSettings } from './open-settings.ts';
import { openOutbound } from './open-outbound.ts';

export interface PlanQuery {
  /** Without any cluster: these workloads, asked about anonymously. */
  readonly manifests?: readonly Workload[] | undefined;
  /** undefined: that of the kubeconfig's context. */
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly selector: string | undefined;
  /** Flags by name, as `headwind run` takes them: `kubeconfig`, `registry-insecure-hosts`. */
  readonly flags: Readonly<Record<string, string | undefined>>;
}

export interface PlanProcess {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
}

export type PlanAnswer =
  | { readonly rows: readonly PlannedContainer[]; readonly complaints: readonly string[] }
  | { readonly failed: 'usage' | 'unreachable' | 'forbidden' | 'refused'; readonly message: string };

const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const uncounted: Metrics = { increment: nothing, set: nothing, observe: nothing, reset: nothing };
const freshMs = 3_600_000;

/** What the operator would do now, found by lists and reads alone: nothing is written anywhere. */
export async function planWorkloads(query: PlanQuery, process: PlanProcess): Promise<PlanAnswer> {
  const opened = await openSettings(readConfig(process.environment, query.flags), process.environment);
  if ('mistakes' in opened) return { failed: 'usage', message: opened.mistakes.join('\n') };
  try {
    if (query.manifests) return await plan({ workloads: query.manifests, requests: [], complaints: [] }, noPullSecrets, opened, process);
    const access = await loadClusterAccess({ kubeconfig: opened.config.kubernetes.kubeconfig, environment: process.environment });
    return await planCluster(query, access, opened, process);
  } catch (error) {
    if (error instanceof ClusterAccessError) return { failed: 'usage', message: error.message };
    if (error instanceof ApiError) return { failed: failureOf(error), message: error.message };
    throw error;
  }
}

function failureOf({ status }: ApiError): 'unreachable' | 'forbidden' | 'refused' {
  if (status === 0) return 'unreachable';
  return status === 401 || status === 403 ? 'forbidden' : 'refused';
}

async function planCluster(query: PlanQuery, access: ClusterAccess, opened: OpenedSettings, process: PlanProcess): Promise<PlanAnswer> {
  const client = new KubeClient(access, { version: process.version });
  try {
    const namespace = query.allNamespaces ? undefined : (query.namespace ?? access.namespace);
    const content = await listCluster(client, { namespace, selector: query.selector }, silent, new AbortController().signal);
    const pullSecrets = opened.config.withheldRights.has('secrets') ? noPullSecrets : new KubePullSecrets({ client });
    return await plan(content, pullSecrets, opened, process, [new URL(access.server).origin], new KubePods({ client }));
  } finally {
    await client.close();
  }
}

async function plan(
  { workloads, requests, complaints }: ClusterContent,
  pullSecrets: PullSecrets,
  { config, settings }: OpenedSettings,
  { version, environment }: PlanProcess,
  blockedOrigins: readonly string[] = [],
  pods?: Pods,
): Promise<PlanAnswer> {
  const clock = { now: () => Date.now() };
  const outbound = openOutbound({ version, proxy: config.proxy, blockedOrigins, registries: () => settings.registries });
  const registry = createRegistry({
    outbound,
    clock,
    metrics: uncounted,
    log: silent,
    insecureHosts: config.insecureRegistryHosts,
    settings: () => settings.registries,
    identities: { environment, readFile: (path) => readFile(path, 'utf8') },
  });
  const book = new TagBook({ freshMs });
  const access = new RepositoryAccess({ registry, pullSecrets, book, clock });
  const byWorkload = Map.groupBy(requests, ({ spec }) => workloadKey(spec.targetRef));
  const requestsOf = (workload: Workload): readonly UpdateRequest[] => byWorkload.get(workloadKey(workload)) ?? [];
  const running = pods && { pods, access, log: silent, autorollout: () => settings.autorollout };
  const deps = { access, book, registry, clock, requestsOf, requestExpiryMs: settings.requests.expiryMs, running };
  try {
    return { rows: await planOnce(workloads, deps, new AbortController().signal), complaints };
  } finally {
    await registry.close();
    await outbound.close();
  }
}
