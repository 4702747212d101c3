import type { AutorolloutSettings } from '../core/autorollout-settings.ts';
import type { Audit, Clock, Events, Log, Metrics, Pods, UpdateRequests, Workloads } from '../ports.ts';
import type { Notes } from './notes.ts';
import type { RepositoryAccess } from './repository-access.ts';
import type { TagBook } from './tag-book.ts';

/** Operator settings that decide how requests live. Durations in milliseconds. */
export interface RequestSettings {
  readonly expiryMs: number;
  readonly retentionMs: number;
  readonly keepPerContainer: number;
}

/** What the reconcilers work with; built once in the composition root. */
export interface OperatorDeps {
  readonly workloads: Workloads;
  readonly updateRequests: UpdateRequests;
  readonly pods: Pods;
  readonly access: RepositoryAccess;
  readonly book: TagBook;
  readonly notes: Notes;
  readonly events: Events;
  readonly metrics: Metrics;
  readonly audit: Audit;
  readonly log: Log;
  readonly clock: Clock;
  readonly requestSettings: RequestSettings;
  /** As configured now. */
  readonly autorollout: () => AutorolloutSettings;
  /** All names of a registry, as configured now. */
  readonly registryNames?: (registry: string) => readonly string[];
  readonly pollingEnabled: boolean;
  /** The whole operator only tells what it would do: it makes no write. */
  readonly dryRun?: boolean;
}
