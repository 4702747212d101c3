import { defaultAutorolloutSettings } from '../../src/core/autorollout-settings.ts';
import type { UpdateRequest } from '../../src/core/update-request-schema.ts';
import type { Workload } from '../../src/core/workload.ts';
import type { OperatorDeps } from '../../src/operator/deps.ts';
import { Notes } from '../../src/operator/notes.ts';
import { RepositoryAccess } from '../../src/operator/repository-access.ts';
import { TagBook } from '../../src/operator/tag-book.ts';
import { FakePods } from './pods.ts';
import { FakePullSecrets } from './pull-secrets.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from './recording.ts';
import { FakeRegistryPort } from './registry-port.ts';
import { FakeUpdateRequests } from './update-requests.ts';
import { FakeWorkloads } from './workloads.ts';

export interface OperatorOptions {
  readonly workloads?: readonly Workload[];
  readonly requests?: readonly UpdateRequest[];
  /** `HEADWIND_DRY_RUN` */
  readonly dryRun?: boolean;
  readonly now?: string;
  readonly pollingEnabled?: boolean;
}

/** What reconcilers work with, in memory, with every fake within reach. */
export function anOperator({ workloads = [], requests = [], dryRun = false, now, pollingEnabled = true }: OperatorOptions = {}) {
  const time = { ms: Date.parse(now ?? '2026-01-15T11:00:00Z') };
  const clock = { now: () => time.ms };
  const log = new RecordingLog();
  const fakes = {
    workloads: new FakeWorkloads(workloads),
    updateRequests: new FakeUpdateRequests(requests, clock.now),
    events: new RecordingEvents(),
    metrics: new RecordingMetrics(),
    log,
    pods: new FakePods(),
    registry: new FakeRegistryPort(),
    pullSecrets: new FakePullSecrets(),
    book: new TagBook(),
  };
  const deps = {
    ...fakes,
    access: new RepositoryAccess({ ...fakes, clock }),
    notes: new Notes({ dryRunBy: dryRun ? 'HEADWIND_DRY_RUN' : undefined }),
    audit: log.audit,
    clock,
    requestSettings: { expiryMs: 86_400_000, retentionMs: 604_800_000, keepPerContainer: 10 },
    autorollout: () => defaultAutorolloutSettings,
    pollingEnabled,
    dryRun,
  } satisfies OperatorDeps & typeof fakes;
  return { deps, ...fakes, time };
}
