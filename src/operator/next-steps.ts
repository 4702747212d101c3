import { wasApplied } from '../core/digest-change.ts';
import { formatTime, parseTime } from '../core/duration.ts';
import { readLastUpdate } from '../core/history.ts';
import { judgeRequest } from '../core/judge-request.ts';
import type { Reason } from '../core/reasons.ts';
import { phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import type { ExplainDeps } from './explain.ts';
import type { ContainerExplanation, NextStep } from './explanation.ts';

/** What would happen next to a workload if nobody did anything, and what waits for whom; what has a time first, the earliest before all. */
export function nextSteps(
  workload: Workload,
  containers: readonly ContainerExplanation[],
  open: readonly UpdateRequest[],
  deps: ExplainDeps,
): NextStep[] {
  const steps = [
    ...standstill(deps),
    ...open.flatMap((request) => requestSteps(request, workload, deps)),
    ...containers.flatMap((container) => containerSteps(container, workload, deps)),
  ];
  return steps.toSorted((a, b) => (parseTime(a.at ?? '') ?? Infinity) - (parseTime(b.at ?? '') ?? Infinity) || 0);
}

function standstill({ controllersEnabled, work }: ExplainDeps): NextStep[] {
  const say = (message: string): NextStep => ({ container: null, at: null, reason: null, message });
  return [
    ...(controllersEnabled ? [] : [say('nothing is decided or applied: HEADWIND_CONTROLLERS_ENABLED is false')]),
    ...(work.isLeading ? [] : [say('this replica does not lead; the leader asks registries, decides and applies')]),
  ];
}

function requestSteps(request: UpdateRequest, workload: Workload, deps: ExplainDeps): NextStep[] {
  const now = deps.clock.now();
  const container = request.spec.containerName ?? null;
  const { name } = request.metadata;
  const step = judgeRequest({
    request,
    siblings: deps.updateRequests.of(workload),
    workload,
    settings: deps.notes.settings(workload),
    registry: undefined,
    now,
    unsettledSince: deps.notes.unsettledSince(workload, now),
  });
  const say = (message: string, at?: string, reason: Reason | null = null): NextStep => ({ container, at: at ?? null, reason, message });
  const wakeAt = 'wakeAtMs' in step && step.wakeAtMs !== undefined ? formatTime(step.wakeAtMs) : undefined;
  switch (step.kind) {
    case 'wait':
      return [say(`${name}: ${step.message}`, wakeAt, step.reason)];
    case 'expire':
    case 'supersede':
      return [say(`${name} is closed: ${step.message}`)];
    case 'fail':
      return [say(`${name} fails: ${step.message}`, undefined, step.reason)];
    default:
      break;
  }
  if (request.status && wasApplied(request.status)) return [say(`${name} is applied; its rollout is being watched`, wakeAt)];
  if (phaseOf(request) === 'Approved') return [say(`${name} is applied as soon as the registry confirms it`)];
  const { expiresAt } = request.spec;
  return [say(`${name} waits for a person${expiresAt === undefined ? '' : ', and then expires'}`, expiresAt)];
}

function containerSteps(explained: ContainerExplanation, workload: Workload, deps: ExplainDeps): NextStep[] {
  const { container, repository, eventSource } = explained;
  if (repository === null || eventSource === null || explained.reason === 'NoContainerMatches' || explained.reason === 'PolicyNone')
    return [];
  const steps: NextStep[] = [];
  const say = (message: string, ms?: number, reason: Reason | null = null): void => {
    steps.push({ container, at: ms === undefined ? null : formatTime(ms), reason, message });
  };
  if (explained.reason === 'DryRun') say(`nothing is created: ${deps.notes.settings(workload).dryRunBy} is set`, undefined, 'DryRun');
  const until = notBefore(workload, container, deps);
  if (until !== undefined) say('a change is not applied before, because of min-update-interval', until, 'TooSoon');
  if (eventSource === 'none') say('news does not count: event-source is none', undefined, 'EventSourceNone');
  if (eventSource === 'polling' || eventSource === 'both') pollStep(repository, workload.autorollout, deps, say);
  if (eventSource === 'webhook' || eventSource === 'both') say(`a webhook about ${repository} is looked at when it comes`);
  return steps;
}

function pollStep(
  repository: string,
  onSchedule: boolean,
  { pollingEnabled, work }: ExplainDeps,
  say: (message: string, ms?: number, reason?: Reason) => void,
): void {
  if (!pollingEnabled && !onSchedule) return say('polling is off (HEADWIND_POLLING_ENABLED)', undefined, 'PollingDisabled');
  const at = work.nextPollAt(repository);
  if (at !== undefined) say(`${repository} is polled`, at);
}

/** The end of the minimum interval, while it is still to come. */
function notBefore(workload: Workload, container: string, { notes, clock }: ExplainDeps): number | undefined {
  const settings = notes.settings(workload).container(container);
  const last = readLastUpdate(workload.annotations, clock.now());
  if ('held' in settings || last === undefined) return undefined;
  const until = last + settings.minUpdateIntervalMs;
  return until > clock.now() ? until : undefined;
}
