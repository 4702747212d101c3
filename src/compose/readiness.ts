import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.ts';
import type { Check } from '../http/health.ts';
import { checkPermissions, type MissingPermission } from '../kubernetes/check-permissions.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import type { LeaderElection } from '../kubernetes/leader-election.ts';
import type { CacheSource } from '../kubernetes/reflector-set.ts';
import type { Log } from '../ports.ts';

export interface ReadinessDeps {
  readonly client: KubeClient;
  readonly workloads: { readonly sources: readonly CacheSource[] };
  readonly updateRequests: { readonly sources: readonly CacheSource[] };
  readonly election: Pick<LeaderElection, 'problem'>;
  readonly config: Pick<Config, 'watchNamespaces' | 'withheldRights' | 'configMapName'>;
  readonly home: string;
  readonly log: Log;
}

const lookAgainMs = 100;
const checkRightsAgainMs = 60_000;
const notChecked = 'the rights of the operator could not be checked yet';

/**
 * What stands between this process and its work. Not ready: a cache that was never complete, the custom resource or every kind of workload
 * forbidden or absent, no way to lead. One kind that is forbidden, or a missing right to something else, is listed only.
 */
export class Readiness {
  readonly #deps: ReadinessDeps;
  #missingRights: readonly string[] = [];

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
  }

  checks(stopping: AbortSignal): Check[] {
    const { workloads, updateRequests, election } = this.#deps;
    const anyWorkload = workloads.sources.some(({ state }) => state === 'synced');
    return [
      { name: 'running', ok: !stopping.aborted, message: stopping.aborted ? 'the operator is stopping' : 'the operator runs' },
      ...updateRequests.sources.map((source) => requestCheck(source, this.#rightsFile)),
      ...workloads.sources.map((source) => workloadCheck(source, anyWorkload)),
      { name: 'lease', ok: election.problem === undefined, message: election.problem ?? 'the leader can be elected' },
      ...this.#missingRights.map((message) => ({ name: 'rights', ok: true, message })),
    ];
  }

  /** Resolves when decisions can be made: every cache is complete or known to stay empty; or when `stop` aborts. */
  async synced(stop: AbortSignal): Promise<void> {
    while (!stop.aborted && !this.isSynced) await delay(lookAgainMs, undefined, { signal: stop }).catch(() => undefined);
  }

  /** The caches are complete: what is not in them is not in the cluster. */
  get isSynced(): boolean {
    const { workloads, updateRequests } = this.#deps;
    const known = workloads.sources.every(({ state }) => state !== 'syncing');
    return known && updateRequests.sources.every(({ state }) => state === 'synced');
  }

  /** Names the rights that are missing, once at the start, and again while there are any that nobody may have left out on purpose. */
  async run(stop: AbortSignal): Promise<void> {
    do {
      const isComplete = await this.#checkRights(stop);
      if (isComplete) return;
      await delay(checkRightsAgainMs, undefined, { signal: stop }).catch(() => undefined);
    } while (!stop.aborted);
  }

  /** Who watches some namespaces has been granted a Role in each of them, and would be granted more by the other file. */
  get #rightsFile(): string {
    return this.#deps.config.watchNamespaces.length > 0 ? 'deploy/k8s/rbac-namespace.yaml' : 'deploy/k8s/rbac.yaml';
  }

  async #checkRights(stop: AbortSignal): Promise<boolean> {
    const { client, config, home, log } = this.#deps;
    try {
      const { watchNamespaces, withheldRights: withheld, configMapName } = config;
      const missing = await checkPermissions(client, { watchNamespaces, withheld, configMapName, home }, stop);
      for (const each of missing) if (!this.#missingRights.includes(each.sentence)) tell(each, this.#rightsFile, log);
      this.#missingRights = missing.map(({ sentence }) => sentence);
      return missing.every(({ permission }) => permission.optional === true);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const isNews = !this.#missingRights.includes(notChecked);
      if (!stop.aborted && isNews) log.warn({ problem }, `${notChecked}: ${problem}`);
      this.#missingRights = stop.aborted ? [] : [notChecked];
      return false;
    }
  }
}

function tell({ permission, sentence }: MissingPermission, rightsFile: string, log: Log): void {
  if (permission.optional === true) log.info({ reason: 'PermissionMissing' }, sentence);
  else log.warn({ reason: 'PermissionMissing' }, `${sentence}; ${rightsFile} grants it`);
}

function requestCheck({ resource, namespace, state, problem }: CacheSource, rightsFile: string): Check {
  const messages = {
    synced: 'watched',
    syncing: problem ?? 'not read completely yet',
    forbidden: problem ?? `list and watch of ${resource} are forbidden; ${rightsFile} grants them`,
    absent: `the CustomResourceDefinition ${resource} is missing: apply deploy/k8s/crds/updaterequest.yaml`,
  };
  return { name: nameOf(resource, namespace), ok: state === 'synced', message: messages[state] };
}

function workloadCheck({ resource, namespace, state, problem }: CacheSource, anySynced: boolean): Check {
  const ok = state === 'synced' || (state !== 'syncing' && anySynced);
  const fallback = state === 'syncing' ? 'not read completely yet' : `${state}: this kind is not updated`;
  return { name: nameOf(resource, namespace), ok, message: state === 'synced' ? 'watched' : (problem ?? fallback) };
}

function nameOf(resource: string, namespace: string | undefined): string {
  return namespace === undefined ? resource : `${resource} in ${namespace}`;
}
