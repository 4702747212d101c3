import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { isRecord, type RawObject, recordAt, recordsOf, textOf } from '../kubernetes/raw.ts';
import { readUpdateRequest } from '../kubernetes/read-update-request.ts';
import { resourcePath } from '../kubernetes/resource-path.ts';
import { SharedTexts } from '../kubernetes/shared-texts.ts';
import { trimWorkload } from '../kubernetes/trim-workload.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import type { Log } from '../ports.ts';

export interface ListScope {
  /** undefined: all. */
  readonly namespace: string | undefined;
  readonly selector: string | undefined;
}

export interface ClusterContent {
  readonly workloads: readonly Workload[];
  readonly requests: readonly UpdateRequest[];
  /** Kinds that could not be listed, although others could. */
  readonly complaints: readonly string[];
}

type ListClient = Pick<KubeClient, 'json'>;

/** Managed workloads and update requests, once, by lists alone. Throws ApiError when no kind of workload may be listed. */
export async function listCluster(client: ListClient, scope: ListScope, log: Log, signal: AbortSignal): Promise<ClusterContent> {
  const texts = new SharedTexts();
  const complaints: string[] = [];
  const failures: ApiError[] = [];
  const kinds = Object.values(workloadKinds);
  const lists = await Promise.all(
    kinds.map(async (row) => {
      const path = resourcePath(row.apiVersion, row.resource, scope.namespace);
      const found = await listAll(client, path, scope.selector, signal).catch((error: unknown) => remember(error, failures));
      return found.flatMap((raw) => trimWorkload(row, raw, { texts, log }) ?? []);
    }),
  );
  const [first] = failures;
  if (first && failures.length === kinds.length) throw first;
  complaints.push(...failures.map(({ message }) => message));
  const path = resourcePath('headwind.sh/v1alpha1', 'updaterequests', scope.namespace);
  const requests = await listAll(client, path, undefined, signal).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    if (!error.isNotFound) complaints.push(`${error.message}; what was rejected or failed before is not known`);
    return [];
  });
  return { workloads: lists.flat(), requests: requests.flatMap((raw) => readUpdateRequest(raw, log) ?? []), complaints };
}

function remember(error: unknown, failures: ApiError[]): [] {
  if (!(error instanceof ApiError) || error.status === 0) throw error;
  failures.push(error);
  return [];
}

async function listAll(client: ListClient, path: string, labelSelector: string | undefined, signal: AbortSignal): Promise<RawObject[]> {
  const items: RawObject[] = [];
  let next: string | undefined;
  do {
    const list = await client.json('GET', path, { query: { limit: 500, labelSelector, continue: next }, gzip: true, signal });
    items.push(...recordsOf(isRecord(list) ? list['items'] : undefined));
    next = textOf(recordAt(list, 'metadata')['continue']);
  } while (next !== undefined);
  return items;
}
