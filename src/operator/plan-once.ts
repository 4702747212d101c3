import { canonicalRepository, effectiveTag, type ImageReference, parseImageReference } from '../core/image-reference.ts';
import { comparesTags } from '../core/follow-digest.ts';
import { judgeRequest } from '../core/judge-request.ts';
import { type Action, type Plan, planUpdates, type RepositoryFacts, type SlotPlan } from '../core/plan.ts';
import type { Reason } from '../core/reasons.ts';
import { type ContainerSettings, readSettings, type Settings } from '../core/settings.ts';
import { isOpen, phaseOf } from '../core/update-request.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Slot, Workload, WorkloadKind } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import type { Clock, Registry } from '../ports.ts';
import { type Access, reasonOf, type RepositoryAccess } from './repository-access.ts';
import type { ComparisonDeps } from './compare-pods.ts';
import { type Failure, lookAtDigests } from './plan-digests-once.ts';
import type { TagBook } from './tag-book.ts';

/**
 * What the operator would do: `apply` at once, `ask` a person, `wait` until something is over, nothing because a request is `open`
 * already, `hold` back, or `unknown` because the registry could not be asked.
 */
export type PlannedAction = 'apply' | 'ask' | 'wait' | 'open' | 'hold' | 'unknown';

export interface PlannedContainer {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly image: string;
  readonly current: string | null;
  readonly candidate: string | null;
  readonly digest: string | null;
  readonly action: PlannedAction;
  readonly reason: Reason;
  readonly message: string;
  /** What a person should know beside: pull secrets that cannot be read, an event source that would keep the operator from seeing it. */
  readonly notes: readonly string[];
}

export interface PlanOnceDeps {
  readonly access: RepositoryAccess;
  readonly book: TagBook;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly requestsOf: (workload: Workload) => readonly UpdateRequest[];
  readonly requestExpiryMs: number;
  /** Missing where there is no cluster, and so nothing that runs. */
  readonly running?: ComparisonDeps | undefined;
}

interface Listing {
  readonly tags: readonly string[] | undefined;
  readonly failure: Failure | undefined;
  readonly notes: readonly string[];
}

/** Looks once at the registries of these workloads, each repository and credential once, and says what would follow. Writes nothing. */
export async function planOnce(workloads: readonly Workload[], deps: PlanOnceDeps, signal: AbortSignal): Promise<PlannedContainer[]> {
  const listings = new Map<string, Promise<Listing>>();
  const planned = await Promise.all(workloads.map((workload) => planWorkload(workload, listings, deps, signal)));
  return planned.flat();
}

async function planWorkload(workload: Workload, listings: Map<string, Promise<Listing>>, deps: PlanOnceDeps, signal: AbortSignal) {
  const containers = workload.slots.map(({ container }) => container);
  const written = readSettings(workload.annotations, containers, { autorollout: workload.autorollout });
  const settings = hearingAll(written);
  const known = new Map<string, Listing>();
  for (const slot of workload.slots) {
    const reference = referenceToAsk(slot, settings);
    if (reference) known.set(slot.container, await listTags(workload, reference, listings, deps, signal));
  }
  const digests = await lookAtDigests(workload, settings, deps, signal);
  const input = { workload, settings, requests: deps.requestsOf(workload), now: deps.clock.now(), requestExpiryMs: deps.requestExpiryMs };
  const planNow = (): Plan =>
    planUpdates({
      ...input,
      facts: (slot, reference) => ({
        ...factsOf(workload, reference, known.get(slot.container), deps),
        digests: digests.facts.get(slot.container),
      }),
    });
  const failures = new Map([...digests.failures, ...(await confirm(planNow().actions, workload, deps, signal))]);
  const plan = planNow();
  return workload.slots.map((slot) => {
    const listing = known.get(slot.container);
    const failure = listing?.failure ?? failures.get(slot.container);
    return rowOf({ workload, slot, settings, written, plan, listing, failure }, deps);
  });
}

/** The event source says how the operator learns of news, not what follows from it. */
function hearingAll(settings: Settings): Settings {
  const container = (name: string): ReturnType<Settings['container']> => {
    const own = settings.container(name);
    return 'held' in own ? own : { ...own, eventSource: 'both' };
  };
  return { ...settings, container };
}

/** undefined: what the registry lists would change nothing. */
function referenceToAsk(slot: Slot, settings: Settings): ImageReference | undefined {
  const reference = parseImageReference(slot.image);
  const own = settings.container(slot.container);
  if ('invalid' in reference || 'held' in own || !settings.selects(slot.container, reference)) return undefined;
  return isListed(own) ? reference : undefined;
}

function isListed({ policy }: ContainerSettings): boolean {
  return comparesTags(policy);
}

async function listTags(
  workload: Workload,
  reference: ImageReference,
  listings: Map<string, Promise<Listing>>,
  deps: PlanOnceDeps,
  signal: AbortSignal,
): Promise<Listing> {
  const access = await deps.access.open(workload, reference, signal);
  const known = listings.get(access.key) ?? askTags(access, reference, deps, signal);
  listings.set(access.key, known);
  return { ...(await known), notes: access.problems.map(({ reason, message }) => `${reason}: ${message}`) };
}

async function askTags(
  { credentials }: Access,
  reference: ImageReference,
  { registry }: PlanOnceDeps,
  signal: AbortSignal,
): Promise<Listing> {
  try {
    const { tags, truncated } = await registry.tags(reference, credentials, signal);
    const message = `the list of tags of ${canonicalRepository(reference)} is longer than can be read; nothing is decided from a part`;
    if (truncated) return { tags: undefined, failure: { reason: 'TagListTruncated', message }, notes: [] };
    return { tags, failure: undefined, notes: [] };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    return { tags: undefined, failure: { reason: reasonOf(error), message: error.message }, notes: [] };
  }
}

function factsOf(
  workload: Workload,
  reference: ImageReference,
  listing: Listing | undefined,
  { access, book, clock }: PlanOnceDeps,
): RepositoryFacts {
  const key = access.known(workload, reference);
  return { tags: listing?.tags, pushes: [], digestOf: (tag) => (key === undefined ? undefined : book.freshDigest(key, tag, clock.now())) };
}

/** Asks for the digests that the plan wants to know; gives what went wrong, by container. */
async function confirm(actions: readonly Action[], workload: Workload, { access }: PlanOnceDeps, signal: AbortSignal) {
  const failures = new Map<string, NonNullable<Listing['failure']>>();
  for (const action of actions) {
    if (action.kind !== 'confirm') continue;
    try {
      await access.digest(workload, action.reference, action.tag, signal);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      failures.set(action.slot.container, { reason: reasonOf(error), message: error.message });
    }
  }
  return failures;
}

interface Planned {
  readonly workload: Workload;
  readonly slot: Slot;
  readonly settings: Settings;
  readonly written: Settings;
  readonly plan: Plan;
  readonly listing: Listing | undefined;
  readonly failure: Listing['failure'];
}

type Verdict = Pick<PlannedContainer, 'action' | 'reason' | 'message'> & { readonly digest?: string | undefined };

function rowOf(planned: Planned, deps: PlanOnceDeps): PlannedContainer {
  const { workload, slot, plan, listing } = planned;
  const { kind, namespace, name } = workload;
  const own = plan.slots.find(({ container }) => container === slot.container);
  const reference = parseImageReference(slot.image);
  const { action, reason, message, digest } = verdictOn(planned, own, deps);
  return {
    kind,
    namespace,
    name,
    container: slot.container,
    image: slot.image,
    current: 'invalid' in reference ? null : (effectiveTag(reference) ?? null),
    candidate: own?.candidate ?? null,
    digest: digest ?? null,
    action,
    reason,
    message,
    notes: [...(listing?.notes ?? []), ...noteOn(planned, own)],
  };
}

function verdictOn(planned: Planned, own: SlotPlan | undefined, deps: PlanOnceDeps): Verdict {
  const { slot, plan, failure } = planned;
  if (!own) return { action: 'hold', reason: 'NoContainerMatches', message: `headwind.sh/images does not mean ${slot.container}` };
  if (failure) return { action: 'unknown', ...failure };
  const { reason, message, candidate } = own;
  if (candidate === undefined || reason === 'DryRun') return { action: 'hold', reason, message };
  const create = plan.actions.find((action) => action.kind === 'create' && action.spec.containerName === slot.container);
  const request = create?.kind === 'create' ? draftOf(create, planned.workload) : openRequest(planned, deps);
  return request ? judge(request, planned, own, create === undefined, deps) : { action: 'hold', reason, message };
}

function draftOf({ name, spec }: Extract<Action, { kind: 'create' }>, { namespace }: Workload): UpdateRequest {
  const metadata = { namespace, name, uid: '', resourceVersion: '', generation: 1, creationTimestamp: '' };
  return { apiVersion: 'headwind.sh/v1alpha1', kind: 'UpdateRequest', metadata, spec, status: {} };
}

function openRequest({ workload, slot }: Planned, { requestsOf }: PlanOnceDeps): UpdateRequest | undefined {
  return requestsOf(workload).find((request) => isOpen(request) && request.spec.containerName === slot.container);
}

/** What would become of the request, supposed that the registry still says the same. */
function judge(
  request: UpdateRequest,
  { workload, settings }: Planned,
  { reason, message }: SlotPlan,
  isThere: boolean,
  deps: PlanOnceDeps,
): Verdict {
  const digest = request.spec.newDigest;
  const now = deps.clock.now();
  const registry = digest === undefined ? undefined : ({ kind: 'confirmed', digest } as const);
  const siblings = [...deps.requestsOf(workload)];
  const step = judgeRequest({ request, siblings, workload, settings, registry, now, unsettledSince: undefined });
  if (step.kind === 'wait') return { action: 'wait', reason: step.reason, message: `${message}; ${step.message}`, digest };
  if (isThere) return { action: 'open', reason, message: `${message}; ${request.metadata.name} is ${phaseOf(request)}`, digest };
  return { action: step.kind === 'apply' ? 'apply' : 'ask', reason, message, digest };
}

function noteOn({ slot, written }: Planned, own: SlotPlan | undefined): string[] {
  const settings = written.container(slot.container);
  if ('held' in settings || !own) return [];
  const { eventSource, policy } = settings;
  const notes: string[] = [];
  if (policy.name === 'force') notes.push('policy force follows pushes, and a plan knows of none');
  if (own.candidate === undefined) return notes;
  if (eventSource === 'none') notes.push('event-source is none: the operator does not act on it');
  if (eventSource === 'webhook') notes.push('event-source is webhook: the operator learns of it by a push only');
  return notes;
}
