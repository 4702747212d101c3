import type { Considered } from '../core/choose.ts';
import { formatTime } from '../core/duration.ts';
import { explainContainerSettings, explainWorkloadSettings } from '../core/explain-settings.ts';
import { readLastUpdate } from '../core/history.ts';
import { canonicalRepository, effectiveTag, type ImageReference, parseImageReference } from '../core/image-reference.ts';
import { isMemory } from '../core/memory.ts';
import { considerTags, type PlanInput, planUpdates, type SlotPlan } from '../core/plan.ts';
import { isOpen, phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import { type Slot, type Workload, workloadKey } from '../core/workload.ts';
import type { OperatorDeps } from './deps.ts';
import type { CheckSummary, ContainerExplanation, Explanation, RequestSummary, WorkloadSummary } from './explanation.ts';
import { nextSteps } from './next-steps.ts';
import { type FactsOptions, factsOf } from './repository-facts.ts';

export interface ExplainDeps
  extends Pick<
    OperatorDeps,
    'workloads' | 'updateRequests' | 'access' | 'book' | 'notes' | 'clock' | 'pollingEnabled' | 'requestSettings'
  > {
  /** False: nothing is decided or applied. */
  readonly controllersEnabled: boolean;
  readonly work: { readonly isLeading: boolean; nextPollAt(repository: string): number | undefined };
}

const mostConsidered = 200;

/** Everything that decides about a workload, from memory: makes no request and changes nothing. */
export function explainWorkload(workload: Workload, deps: ExplainDeps): Explanation {
  const { kind, namespace, name, annotations, paused } = workload;
  const { settled, healthy, message } = workload.rollout;
  const settings = deps.notes.settings(workload);
  const lastUpdate = readLastUpdate(annotations, deps.clock.now());
  const requests = deps.updateRequests.of(workload).filter(({ spec }) => (spec.targetRef.uid ?? workload.uid) === workload.uid);
  const containers = workload.slots.map((slot) => explainContainer(workload, slot, deps));
  return {
    kind,
    namespace,
    name,
    leader: deps.work.isLeading,
    paused,
    rollout: { settled, healthy, message },
    lastUpdate: timeOf(lastUpdate),
    settings: explainWorkloadSettings(annotations, settings),
    problems: settings.problems,
    containers,
    requests: summarizeRequests(requests),
    next: nextSteps(workload, containers, requests.filter(isOpen), deps),
  };
}

/** The same in one line for lists: what the last plan said, or, before there was one, what a plan would say. */
export function summarizeWorkload(workload: Workload, deps: ExplainDeps): WorkloadSummary {
  const { kind, namespace, name } = workload;
  const plan = deps.notes.plan(workloadKey(workload)) ?? planUpdates(inputOf(workload, deps)).slots;
  const containers = workload.slots.map((slot) => {
    const { reason, message, candidate } = plan.find(({ container }) => container === slot.container) ?? notMeant(slot);
    return { container: slot.container, image: slot.image, candidate: candidate ?? null, reason, message };
  });
  return { kind, namespace, name, containers };
}

function inputOf(workload: Workload, deps: ExplainDeps, options?: FactsOptions): PlanInput {
  return {
    workload,
    settings: deps.notes.settings(workload),
    requests: deps.updateRequests.of(workload),
    facts: (slot, reference, settings) => factsOf(workload, slot.container, reference, settings, deps, options),
    now: deps.clock.now(),
    requestExpiryMs: deps.requestSettings.expiryMs,
  };
}

function explainContainer(workload: Workload, slot: Slot, deps: ExplainDeps): ContainerExplanation {
  const { container, init, image } = slot;
  const reference = parseImageReference(image);
  const settings = deps.notes.settings(workload).container(container);
  const known = 'invalid' in reference ? undefined : reference;
  const considered = considerTags(inputOf(workload, deps, { withUsedUp: true }), slot);
  const lastCheck = known ? lastCheckOf(workload, known, deps) : null;
  const verdict = verdictOn(workload, slot, deps);
  const { candidate, reason, message } = considered.length === 0 ? withoutNews(verdict, image, lastCheck) : verdict;
  return {
    container,
    init,
    image,
    repository: known ? canonicalRepository(known) : null,
    currentTag: known ? (effectiveTag(known) ?? null) : null,
    policy: 'held' in settings ? null : settings.policy.text,
    eventSource: 'held' in settings ? null : settings.eventSource,
    candidate: candidate ?? null,
    reason,
    message,
    settings: 'held' in settings ? [] : explainContainerSettings(workload.annotations, container, settings, workload.autorollout),
    considered: mostRelevant(considered),
    consideredTotal: considered.length,
    lastCheck,
  };
}

type Verdict = Pick<SlotPlan, 'candidate' | 'reason' | 'message'>;

/** "Nothing newer" is worth as much as the look behind it: without one, or after one that failed, that is what there is to say. */
function withoutNews(verdict: Verdict, image: string, lastCheck: CheckSummary | null): Verdict {
  if (verdict.reason !== 'UpToDate' || lastCheck?.ok === true) return verdict;
  const { reason, message } = lastCheck ?? {};
  if (reason) return { candidate: undefined, reason, message: message ?? '' };
  return { ...verdict, message: `nothing is known besides ${image}: there was no news of its repository yet` };
}

/**
 * What the plan says now. Once a push was judged, the plan forgets it and finds nothing newer; people want to hear what was said of it,
 * unless that would be an offer that is no longer made.
 */
function verdictOn(workload: Workload, slot: Slot, deps: ExplainDeps): Verdict {
  const ofSlot = (options?: FactsOptions): SlotPlan | undefined =>
    planUpdates(inputOf(workload, deps, options)).slots.find(({ container }) => container === slot.container);
  const now = ofSlot();
  if (!now) return notMeant(slot);
  if (now.candidate !== undefined) return now;
  const withJudged = ofSlot({ withUsedUp: true });
  return withJudged && withJudged.candidate === undefined ? withJudged : now;
}

function notMeant({ container }: Slot): Verdict {
  return { candidate: undefined, reason: 'NoContainerMatches', message: `headwind.sh/images does not mean the container ${container}` };
}

function mostRelevant(considered: readonly Considered[]): readonly Considered[] {
  if (considered.length <= mostConsidered) return considered.toSorted(eligibleFirst);
  return considered.toSorted(eligibleFirst).slice(0, mostConsidered);
}

function eligibleFirst(a: Considered, b: Considered): number {
  return Number(b.verdict === 'eligible') - Number(a.verdict === 'eligible');
}

function lastCheckOf(workload: Workload, reference: ImageReference, { access, book }: ExplainDeps): CheckSummary | null {
  const key = access.known(workload, reference);
  const check = key === undefined ? undefined : access.lastCheck(key);
  if (key === undefined || check === undefined) return null;
  const { at, origin, credentials } = check;
  const isOfOtherTag = check.problem?.tag !== undefined && check.problem.tag !== effectiveTag(reference);
  const problem = isOfOtherTag ? undefined : check.problem;
  const listing = book.listing(key);
  return {
    at: formatTime(at),
    origin,
    ok: problem === undefined,
    reason: problem?.reason ?? null,
    message: problem?.message ?? null,
    credentials,
    tags: listing?.tags.length ?? null,
    tagsAt: timeOf(listing?.at),
  };
}

function summarizeRequests(requests: readonly UpdateRequest[]): RequestSummary[] {
  const remembered = (request: UpdateRequest): boolean => {
    const own = requests.filter(({ spec }) => spec.containerName === request.spec.containerName);
    const phase = phaseOf(request);
    return (phase === 'Rejected' || phase === 'Failed' || phase === 'Expired') && (phase === 'Expired' || isMemory(request, own));
  };
  return requests
    .filter((request) => isOpen(request) || (remembered(request) && !isSuperseded(request)))
    .toSorted((a, b) => Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp))
    .map(summarizeRequest);
}

function isSuperseded({ status }: UpdateRequest): boolean {
  return status.conditions?.some((condition) => condition.type === 'Superseded' && condition.status === 'True') === true;
}

function summarizeRequest(request: UpdateRequest): RequestSummary {
  const { metadata, spec, status } = request;
  return {
    name: metadata.name,
    container: spec.containerName ?? null,
    phase: phaseOf(request),
    state: isOpen(request) ? 'open' : 'remembered',
    currentImage: spec.currentImage,
    newImage: spec.newImage,
    digest: spec.newDigest ?? null,
    createdAt: metadata.creationTimestamp,
    expiresAt: spec.expiresAt ?? null,
    message: status.message ?? null,
  };
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : formatTime(ms);
}
