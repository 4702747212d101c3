import { historyKey, readHistory } from '../core/history.ts';
import { type Action, joinPlans, type Plan, type PlanInput, type PlannedSlot, planSlots } from '../core/plan.ts';
import type { Reason } from '../core/reasons.ts';
import { parseWorkloadKey, type Workload, workloadKey } from '../core/workload.ts';
import { ApiError, RegistryError } from '../errors.ts';
import { isWarning, tellWorkload } from './announce.ts';
import { logSkipped } from './autorollout-log.ts';
import { Breather } from './breather.ts';
import { findOutdated } from './clean-up.ts';
import type { Result } from './controller.ts';
import type { OperatorDeps } from './deps.ts';
import { perform } from './perform.ts';
import { type Progress, progressRequests } from './reconcile-update-request.ts';
import { isNotFound, reasonOf } from './repository-access.ts';
import { factsOf } from './repository-facts.ts';
import { newsIn } from './same-news.ts';

/** Requests move, a plan makes new ones, those move … a handful of rounds settles every case; the rest waits for the next wake. */
const maximumRounds = 6;
const askAgainMs = 60_000;
const untouched: Progress = { changed: false, wakeAtMs: undefined };

/**
 * The one loop, per workload: moves its requests forward, then plans from all that is known.
 * Level-triggered: reads the whole state each time and never asks what woke it.
 */
export async function reconcileWorkload(key: string, deps: OperatorDeps, signal: AbortSignal): Promise<Result> {
  const ref = parseWorkloadKey(key);
  const wake = new Earliest();
  for (let round = 0; round < maximumRounds; round++) {
    wake.reset();
    const progress = deps.dryRun === true ? untouched : await progressRequests(ref, deps, signal);
    wake.at(progress.wakeAtMs);
    const workload = deps.workloads.get(ref);
    if (!workload) {
      deps.notes.forget(key);
      break;
    }
    const planned = await planAndPerform(workload, deps, signal);
    wake.at(planned.wakeAtMs);
    if (!progress.changed && !planned.changed) break;
  }
  if (deps.dryRun !== true) wake.at(await deleteOutdated(key, deps, signal));
  return wake.result(deps.clock.now());
}

async function planAndPerform(
  workload: Workload,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<{ changed: boolean; wakeAtMs: number | undefined }> {
  const key = workloadKey(workload);
  const sequence = deps.book.sequence;
  const input: PlanInput = {
    workload,
    settings: deps.notes.settings(workload),
    requests: deps.updateRequests.of(workload),
    facts: (slot, reference, settings) => factsOf(workload, slot.container, reference, settings, deps),
    now: deps.clock.now(),
    requestExpiryMs: deps.requestSettings.expiryMs,
  };
  const breather = new Breather();
  const planned: PlannedSlot[] = [];
  for (const slot of planSlots(input)) {
    planned.push(slot);
    if (breather.isDue) await breather.breathe();
  }
  const plan = joinPlans(input, planned);
  deps.notes.setPlan(key, plan.slots);
  // Before a look nobody knows what holds: it would be told again and again, with nothing in between.
  const isLooking = plan.actions.some(({ kind }) => kind === 'inspect');
  if (!isLooking) tellHolds(workload, plan, deps);
  logVerdicts(workload, plan, deps);
  if (!isLooking) logSkipped(workload, plan, deps);
  let [changed, retryMs] = [false, (plan.wakeAtMs ?? Infinity) - deps.clock.now()];
  for (const action of plan.actions) {
    const failure = await performOrExplain(action, workload, deps, signal);
    if (failure === undefined) changed = true;
    else retryMs = Math.min(retryMs, failure.retryMs);
  }
  for (const { container, judged } of plan.slots) {
    if (judged && sequence > 0) deps.notes.usedUp(key, container, sequence);
  }
  return { changed, wakeAtMs: retryMs === Infinity ? undefined : deps.clock.now() + Math.max(0, retryMs) };
}

/** A registry that cannot confirm a candidate is no failure of the loop, nor of the neighbour: the workload is told and looked at again. */
async function performOrExplain(
  action: Action,
  workload: Workload,
  deps: OperatorDeps,
  signal: AbortSignal,
): Promise<{ retryMs: number } | undefined> {
  try {
    await perform([action], workload, deps, signal);
    if (action.kind === 'confirm') deps.notes.isNews(workloadKey(workload), '', `confirm ${action.slot.container}`);
    return undefined;
  } catch (error) {
    if (action.kind !== 'confirm' || !(error instanceof RegistryError)) throw error;
    if (isNotFound(error) && isClaimDenied(action, workload, deps)) return undefined;
    const reason = reasonOf(error);
    const { container } = action.slot;
    if (deps.notes.isNews(workloadKey(workload), `${reason} ${newsIn(error.message)}`, `confirm ${container}`)) {
      tellWorkload(deps, workload, reason, `${container}: ${error.message}`);
    }
    return { retryMs: error.retryAfterMs ?? askAgainMs };
  }
}

/** There is no such tag, and only a webhook said there was: it is no candidate any more. */
function isClaimDenied(
  { reference, tag }: Extract<Action, { kind: 'confirm' }>,
  workload: Workload,
  { access, book }: OperatorDeps,
): boolean {
  const key = access.known(workload, reference);
  return key !== undefined && book.denyPush(key, tag);
}

/** What is wrong with annotations or images, and what a dry run would do, is told once per change, as an Event on the workload. */
function tellHolds(workload: Workload, plan: Plan, deps: OperatorDeps): void {
  const { problems } = deps.notes.settings(workload);
  const told: { reason: Reason; message: string }[] = [];
  for (const { container, reason, message } of plan.slots) {
    if (isLasting(reason, container, workload, deps) || (isWarning(reason) && reason !== 'InvalidAnnotation'))
      told.push({ reason, message: `${container}: ${message}` });
  }
  if (!readHistory(workload.annotations).readable) {
    told.push({
      reason: 'HistoryUnreadable',
      message: `${historyKey} is no JSON array; the history starts again empty with the next change`,
    });
  }
  if (plan.slots.length === 0 && workload.slots.length > 0) {
    const names = workload.slots.map(({ container }) => container).slice(0, 10);
    told.push({
      reason: 'NoContainerMatches',
      message: `headwind.sh/images means none of the containers (${names.join(', ')}) and none of their images`,
    });
  }
  if (!deps.pollingEnabled && wantsPolling(workload, deps)) {
    told.push({
      reason: 'PollingDisabled',
      message: 'headwind.sh/event-source asks for polling, but polling is off (HEADWIND_POLLING_ENABLED)',
    });
  }
  const key = workloadKey(workload);
  const sentence = ({ reason, message }: { reason: Reason; message: string }): string => `${reason} ${message}`;
  const news = new Set(deps.notes.newsAmong(key, told.map(sentence)));
  // Who corrects one annotation hears of those that are still wrong.
  const wrong = deps.notes.isNews(key, problems.map(sentence).join('\n'), 'settings') ? problems : [];
  for (const each of [...wrong, ...told.filter((one) => news.has(sentence(one)))]) tellWorkload(deps, workload, each.reason, each.message);
}

/** Holds that nobody hears of otherwise, and that may last. */
const lasting: ReadonlySet<Reason> = new Set(['DryRun', 'DateTag', 'PlatformMissing', 'RunningDigestUnknown']);

/** What no news changes, only a person or an image that follows; `all` still takes a push. */
function isLasting(reason: Reason, container: string, workload: Workload, { notes }: OperatorDeps): boolean {
  if (reason !== 'CurrentTagNotVersion') return lasting.has(reason);
  const settings = notes.settings(workload).container(container);
  return !('held' in settings) && settings.policy.name !== 'all';
}

/** Why a push changes nothing: once per change, in the log alone. */
function logVerdicts(workload: Workload, plan: Plan, deps: OperatorDeps): void {
  const { kind, namespace, name } = workload;
  const key = workloadKey(workload);
  for (const { container, reason, message, candidate, judged } of plan.slots) {
    if (!judged || deps.book.sequence <= deps.notes.watermark(key, container)) continue;
    const isSaidElsewhere = candidate !== undefined || isWarning(reason) || isLasting(reason, container, workload, deps);
    const text = isSaidElsewhere || reason === 'UpToDate' || reason === 'PolicyNone' ? '' : `${reason} ${message}`;
    if (!deps.notes.isNews(key, text, `verdict ${container}`)) continue;
    const fields = { reason, namespace, target_kind: kind, target_name: name, container };
    deps.log.info(fields, `${kind} ${namespace}/${name}: ${container}: nothing to do: ${message}`);
  }
}

function wantsPolling(workload: Workload, { notes }: OperatorDeps): boolean {
  return workload.slots.some(({ container }) => {
    const settings = notes.settings(workload).container(container);
    return !workload.autorollout && !('held' in settings) && settings.eventSource === 'polling';
  });
}

async function deleteOutdated(key: string, deps: OperatorDeps, signal: AbortSignal): Promise<number | undefined> {
  const requests = deps.updateRequests.of(parseWorkloadKey(key));
  const { outdated, wakeAtMs } = findOutdated(requests, deps.clock.now(), deps.requestSettings);
  for (const request of outdated) {
    try {
      await deps.updateRequests.delete(request, signal);
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof ApiError && (error.isNotFound || error.isConflict))) throw error;
    }
  }
  return wakeAtMs;
}

class Earliest {
  #atMs: number | undefined;

  reset(): void {
    this.#atMs = undefined;
  }

  at(atMs: number | undefined): void {
    if (atMs !== undefined) this.#atMs = Math.min(atMs, this.#atMs ?? Infinity);
  }

  result(now: number): Result {
    return this.#atMs === undefined ? {} : { requeueAfterMs: Math.max(0, this.#atMs - now) };
  }
}
