import { type Config, readConfig } from '../config.ts';
import { canonicalRegistry, type ImageReference } from '../core/image-reference.ts';
import { noRegistrySettings } from '../core/registry-settings.ts';
import type { Workload, WorkloadKind } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { KubeClient } from '../kubernetes/client.ts';
import { ClusterAccessError } from '../kubernetes/credentials.ts';
import { loadClusterAccess } from '../kubernetes/kubeconfig.ts';
import { KubePullSecrets } from '../kubernetes/pull-secrets.ts';
import { resourcePath } from '../kubernetes/resource-path.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import { checkRegistry, type RegistryCheck, type TriedCredential } from '../operator/check-registry.ts';
import { RepositoryAccess } from '../operator/repository-access.ts';
import { TagBook } from '../operator/tag-book.ts';
import { createOutbound } from '../outbound.ts';
import type { Log, Metrics, PullSecrets } from '../ports.ts';
import { createRegistry } from '../registry/client.ts';
import { createHostRules } from '../registry/host-rules.ts';
import { describeTransport } from './describe-transport.ts';
import { readManifestWorkload } from './manifest-workload.ts';

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

interface Puller {
  readonly workload: Workload;
  readonly pullSecrets: PullSecrets;
  readonly pullsAs: string | null;
  readonly blockedOrigins: readonly string[];
}

const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const uncounted: Metrics = { increment: nothing, set: nothing, observe: nothing, reset: nothing };
const noSecrets: PullSecrets = { of: async () => ({ secrets: [], problems: [] }) };

/** Looks once at one image with the credentials that a pod would use, and tells what happened on the way. Changes nothing anywhere. */
export async function checkRegistryOnce(query: RegistryCheckQuery, process: CheckProcess): Promise<RegistryCheckReply> {
  const settings = readConfig(process.environment, query.flags);
  if ('mistakes' in settings) return { failed: 'usage', message: settings.mistakes.join('\n') };
  const { config } = settings;
  try {
    if (query.noCluster) return await check(query, nobody(), config, process);
    const access = await loadClusterAccess({ kubeconfig: config.kubernetes.kubeconfig, environment: process.environment });
    const client = new KubeClient(access, { version: process.version });
    try {
      const found = await readPuller(client, query, query.namespace ?? access.namespace);
      const pullSecrets = new KubePullSecrets({ client });
      return await check(query, { ...found, pullSecrets, blockedOrigins: [new URL(access.server).origin] }, config, process);
    } finally {
      await client.close();
    }
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

async function check(query: RegistryCheckQuery, puller: Puller, config: Config, { version }: CheckProcess): Promise<RegistryCheckReply> {
  const { reference, wanted } = query;
  const settings = noRegistrySettings;
  const { insecureRegistryHosts: insecureHosts } = config;
  const transport = describeTransport(reference, { settings, insecureHosts, proxy: config.proxy });
  const clock = { now: () => Date.now() };
  const tried: TriedCredential[] = [];
  const outbound = createOutbound({ userAgent: `headwind/${version}`, proxy: config.proxy, blockedOrigins: puller.blockedOrigins });
  const registry = createRegistry({
    outbound,
    clock,
    metrics: uncounted,
    log: silent,
    insecureHosts,
    settings: () => settings,
    onAttempt: (attempt) => void tried.push(attempt),
  });
  const access = new RepositoryAccess({ registry, pullSecrets: puller.pullSecrets, book: new TagBook(), clock });
  try {
    const deps = { access, registry, tried, isPlainHttp: transport.isPlainHttp };
    const answers = await checkRegistry({ reference, wanted, workload: puller.workload }, deps, new AbortController().signal);
    const budget = registry.budgetReport(reference.registry);
    const coolDownMs = (budget?.coolDownUntilMs ?? 0) - clock.now();
    return {
      check: {
        image: reference.original,
        registry: canonicalRegistry(reference.registry),
        repository: reference.repository,
        reference: wanted,
        ok: answers.failures.length === 0,
        pullsAs: puller.pullsAs,
        forbidden: createHostRules(settings).refusal(reference.registry) ?? null,
        transport: transport.facts,
        quotaRemaining: budget?.quota?.remaining ?? null,
        coolDownSeconds: coolDownMs > 0 ? Math.ceil(coolDownMs / 1000) : null,
        ...answers,
      },
    };
  } finally {
    await registry.close();
    await outbound.close();
  }
}

async function readPuller(
  client: KubeClient,
  { workload }: RegistryCheckQuery,
  namespace: string,
): Promise<Pick<Puller, 'workload' | 'pullsAs'>> {
  if (!workload) return { workload: podOf(namespace), pullsAs: `ServiceAccount ${namespace}/default` };
  const { kind, name } = workload;
  const { apiVersion, resource } = workloadKinds[kind];
  const raw = await client.json('GET', resourcePath(apiVersion, resource, namespace, name));
  const found = readManifestWorkload(raw, namespace)?.workload;
  if (!found) throw new ApiError(422, 'Invalid', `${kind} ${namespace}/${name} has no containers`);
  return { workload: found, pullsAs: `${kind} ${namespace}/${name}` };
}

function nobody(): Puller {
  return { workload: podOf('default'), pullSecrets: noSecrets, pullsAs: null, blockedOrigins: [] };
}

/** A pod that names nothing: its pull secrets are those of the ServiceAccount `default`. */
function podOf(namespace: string): Workload {
  const pod = { containers: [{ name: 'check', image: 'check' }] };
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'registry-check', namespace },
    spec: { template: { spec: pod } },
  };
  const found = readManifestWorkload(manifest, namespace);
  if (!found) throw new Error('a manifest of our own cannot be read');
  return found.workload;
}
