import type { AuditEntry } from '../test/cluster/audit.ts';

export interface CountedRequests {
  readonly writes: number;
  readonly events: number;
  readonly reads: number;
  /** Of ServiceAccounts, pull secrets and nodes, which are kept for a minute or more, however many workloads use them. */
  readonly keptReads: number;
  /** `patch deployments` → how often. */
  readonly byKind: Readonly<Record<string, number>>;
}

const kept = new Set(['serviceaccounts', 'secrets', 'nodes']);

/** What a user asked of the API server since then, but for the Lease and watches. */
export function countRequests(entries: readonly AuditEntry[], user: string, since: Date): CountedRequests {
  const own = entries.filter((entry) => entry.user === user && new Date(entry.at) >= since && !isUpkeep(entry));
  const byKind: Record<string, number> = {};
  for (const { verb, resource, subresource } of own) {
    const kind = `${verb} ${resource}${subresource && `/${subresource}`}`;
    byKind[kind] = (byKind[kind] ?? 0) + 1;
  }
  const events = own.filter(({ resource }) => resource === 'events').length;
  const allReads = own.filter(({ verb }) => verb === 'get' || verb === 'list');
  const keptReads = allReads.filter(({ resource }) => kept.has(resource)).length;
  const reads = allReads.length - keptReads;
  return { writes: own.length - events - allReads.length, events, reads, keptReads, byKind };
}

function isUpkeep({ resource, verb }: AuditEntry): boolean {
  return resource === 'leases' || verb === 'watch';
}
