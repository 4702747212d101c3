import { annotationPrefix } from './annotation-table.ts';
import { type Considered, refuseTag } from './candidate.ts';
import { choose } from './choose.ts';
import { isWatched } from './digest-change.ts';
import { effectiveTag, type ImageReference, parseImageReference } from './image-reference.ts';
import { recall } from './memory.ts';
import type { DigestFacts } from './plan-digest.ts';
import { beingWatched, digestState, isRestartOffer, lookAtNeighbours, planNothing, planRestart } from './plan-restart.ts';
import { type Offer, pinned, proposeOffer, tagOf } from './propose.ts';
import type { Reason } from './reasons.ts';
import type { ContainerSettings, Settings } from './settings.ts';
import { conditionOf, isAcrossNamespaces, isOpen } from './update-request.ts';
import type { Trigger, UpdateRequest, UpdateRequestSpec } from './update-request-schema.ts';
import type { Slot, Workload } from './workload.ts';

/** A pushed tag that the container has not used up. */
export interface Push {
  readonly tag: string;
  /** From the registry, or, while it cannot be asked, from the sender. */
  readonly digest: string | undefined;
  /** The registry confirmed tag and digest. */
  readonly verified: boolean;
  /** Why it is not verified. */
  readonly message?: string | undefined;
}

/** What is known of a container's repository, as far as its workload listens to the origin of the news. */
export interface RepositoryFacts {
  /** Tags learnt by polling or from a person; undefined when there is no complete list. */
  readonly tags: readonly string[] | undefined;
  /** When tags were pushed, in milliseconds, where that is known. */
  readonly created?: ReadonlyMap<string, number> | undefined;
  /** Oldest first. */
  readonly pushes: readonly Push[];
  /** The digest behind a tag, where it was learnt lately. */
  readonly digestOf: (tag: string) => string | undefined;
  /** What is known of the digest behind the running tag; missing where nobody looks. */
  readonly digests?: Omit<DigestFacts, 'fresh'> | undefined;
}

export interface PlanInput {
  readonly workload: Workload;
  readonly settings: Settings;
  /** All requests that name the workload: finished ones, and those of an earlier object of this name, too. */
  readonly requests: readonly UpdateRequest[];
  readonly facts: (slot: Slot, reference: ImageReference, settings: ContainerSettings) => RepositoryFacts;
  readonly now: number;
  readonly requestExpiryMs: number;
}

export type Action =
  /** Ask the registry for the digest of a tag that is about to be offered; then plan again. */
  | { readonly kind: 'confirm'; readonly slot: Slot; readonly reference: ImageReference; readonly tag: string }
  /** Compare the pods with what the registry has behind the running tag; then plan again. `tip` is what made it worth a look. */
  | { readonly kind: 'inspect'; readonly slot: Slot; readonly reference: ImageReference; readonly tag: string; readonly tip: string }
  /** Note that the container runs this digest, which somebody else put there. */
  | { readonly kind: 'record'; readonly container: string; readonly digest: string }
  | { readonly kind: 'create'; readonly name: string; readonly spec: UpdateRequestSpec; readonly unverified: string | undefined }
  | { readonly kind: 'supersede'; readonly request: UpdateRequest; readonly message: string };

/** What was decided for one container, and why: the answer to "why was my workload not updated?". */
export interface SlotPlan {
  readonly container: string;
  readonly image: string;
  readonly reason: Reason;
  readonly message: string;
  /** The tag on offer, if any. */
  readonly candidate: string | undefined;
  /** The pushes were judged and are used up. */
  readonly judged: boolean;
}

export interface Plan {
  readonly actions: readonly Action[];
  readonly slots: readonly SlotPlan[];
  /** When to plan again though nothing has changed, in milliseconds since the epoch. */
  readonly wakeAtMs?: number | undefined;
}

/** Decides what follows for a workload from all that is known. Pure: same input, same plan. */
export function planUpdates(input: PlanInput): Plan {
  return joinPlans(input, [...planSlots(input)]);
}

/** The same, one container after the other, for who has others to serve in between: a container with many tags takes its time. */
export function* planSlots(input: PlanInput): Generator<PlannedSlot> {
  for (const slot of input.workload.slots) {
    const planned = planSlot(input, slot);
    if (planned !== undefined) yield planned;
  }
}

/** Before one container is restarted its neighbours are looked at: all that moved is one restart. */
export function joinPlans(input: PlanInput, all: readonly PlannedSlot[]): Plan {
  const looks = all.some(({ actions }) => actions.some(isRestartOffer)) ? lookAtNeighbours(input) : [];
  const planned =
    looks.length === 0 ? all : all.map((slot) => ({ ...slot, actions: slot.actions.filter((action) => action.kind === 'inspect') }));
  const times = planned.flatMap(({ wakeAtMs }) => wakeAtMs ?? []);
  const wake = times.length === 0 ? {} : { wakeAtMs: Math.min(...times) };
  const actions = planned.flatMap((slot) => slot.actions);
  const asked = new Set(actions.map((action) => (action.kind === 'inspect' ? action.slot.container : '')));
  actions.push(...looks.filter(({ slot }) => !asked.has(slot.container)));
  return { actions, slots: planned.map(({ plan }) => plan), ...wake };
}

/** Every tag that is known for a container, and what the policy says of it. Worked out anew: kept with each plan it would cost memory. */
export function considerTags(input: PlanInput, slot: Slot): readonly Considered[] {
  const reference = parseImageReference(slot.image);
  const settings = input.settings.container(slot.container);
  if ('invalid' in reference || 'held' in settings || !input.settings.selects(slot.container, reference)) return [];
  const open = openOf(requestsOf(input, slot), slot);
  return judgeTags(input.facts(slot, reference, settings), open, reference, settings).considered;
}

export interface PlannedSlot {
  readonly plan: SlotPlan;
  readonly actions: readonly Action[];
  readonly wakeAtMs?: number | undefined;
}

/** undefined for a container that the annotation `images` does not mean. */
function planSlot(input: PlanInput, slot: Slot): PlannedSlot | undefined {
  const reference = parseImageReference(slot.image);
  if ('invalid' in reference) return held(slot, 'InvalidReference', reference.invalid);
  if (!input.settings.selects(slot.container, reference)) return undefined;
  const settings = input.settings.container(slot.container);
  if ('held' in settings) return held(slot, 'InvalidAnnotation', settings.held);
  if (settings.eventSource === 'none') return held(slot, 'EventSourceNone', `${annotationPrefix}event-source is none`);
  return planCandidate(input, slot, reference, settings);
}

function held(slot: Slot, reason: Reason, message: string): PlannedSlot {
  return { plan: { container: slot.container, image: slot.image, reason, message, candidate: undefined, judged: false }, actions: [] };
}

/**
 * While the registry cannot be asked, anybody can claim pushes: those are asked for first where a request is open that is not in doubt,
 * and never take its place.
 */
function planCandidate(input: PlanInput, slot: Slot, reference: ImageReference, settings: ContainerSettings): PlannedSlot {
  const open = openOf(requestsOf(input, slot), slot);
  const facts = input.facts(slot, reference, settings);
  const inDoubt = facts.pushes.filter(({ tag, verified }) => !verified && facts.digestOf(tag) === undefined);
  const isSettled = open.some((request) => conditionOf(request, 'Verified')?.status !== 'Unknown');
  if (inDoubt.length === 0 || !isSettled) return planFacts(input, slot, reference, settings, facts);
  const pushes = facts.pushes.filter((push) => !inDoubt.includes(push));
  const planned = planFacts(input, slot, reference, settings, { ...facts, pushes });
  const claimed = judgeTags({ ...facts, tags: undefined, pushes: inDoubt }, [], reference, settings);
  if (claimed.outcome !== 'update' || claimed.tag === null || open.some((request) => tagOf(request) === claimed.tag)) return planned;
  const confirm: Action = { kind: 'confirm', slot, reference, tag: claimed.tag };
  return { plan: { ...planned.plan, judged: false }, actions: [...planned.actions, confirm] };
}

function planFacts(
  input: PlanInput,
  slot: Slot,
  reference: ImageReference,
  settings: ContainerSettings,
  facts: RepositoryFacts,
): PlannedSlot {
  const own = requestsOf(input, slot);
  const open = openOf(own, slot);
  const evidence = open.length > 0 ? open : movedRequest(own, slot);
  const watched = own.find(isWatched);
  const digest = watched ? beingWatched(watched) : digestState(input, slot, reference, settings, facts);
  const verdict = judgeTags(facts, evidence, reference, settings, digest.kind === 'changed');
  const report = (reason: Reason, message: string, candidate?: string): SlotPlan => ({
    container: slot.container,
    image: slot.image,
    reason,
    message,
    candidate,
    judged: true,
  });
  if (verdict.outcome === 'restart' && digest.kind === 'changed') {
    return planRestart({ input, slot, reference, settings, own, open, report }, digest, verdict.message);
  }
  if (verdict.outcome !== 'update' || verdict.tag === null)
    return planNothing({ slot, reference, own, report, dryRun: input.settings.dryRun }, digest, verdict);
  const offer = describeOffer(verdict.tag, facts, evidence);
  const plan = report(verdict.reason, verdict.message, verdict.tag);
  const remembered = recall({ tag: offer.tag, digest: offer.digest }, own, settings);
  if (remembered) return { plan: report(remembered.reason, remembered.message), actions: [] };
  if (input.settings.dryRun) {
    // The push stays: it is offered when the dry run ends.
    const dry = report('DryRun', `${verdict.message}; ${input.settings.dryRunBy} is set`, offer.tag);
    return { plan: { ...dry, judged: false }, actions: [] };
  }
  if (offer.digest === undefined && offer.unverified === undefined) {
    const known = open.some((request) => tagOf(request) === offer.tag);
    return { plan: { ...plan, judged: known }, actions: known ? [] : [{ kind: 'confirm', slot, reference, tag: offer.tag }] };
  }
  if (offer.digest === undefined && pinned(reference, settings)) {
    const unknown = held(slot, 'RegistryUnavailable', offer.unverified ?? 'the digest to pin is not known');
    return { ...unknown, actions: [{ kind: 'confirm', slot, reference, tag: offer.tag }] };
  }
  return { plan, actions: proposeOffer(input, slot, reference, settings, offer, open, verdict.message) };
}

/** Those that are still on offer: what was applied already can be neither kept nor replaced. */
function openOf(own: readonly UpdateRequest[], slot: Slot): UpdateRequest[] {
  return own.filter((request) => isOpen(request) && !isWatched(request) && request.spec.currentImage === slot.image);
}

/** The requests of this very workload and container, newest first. One made by hand may name no container. */
function requestsOf({ requests, workload }: PlanInput, slot: Slot): UpdateRequest[] {
  return requests
    .filter((request) => {
      const { targetRef, containerName, currentImage } = request.spec;
      if (isAcrossNamespaces(request)) return false;
      if (targetRef.uid !== undefined && targetRef.uid !== workload.uid) return false;
      return containerName === undefined ? currentImage === slot.image : containerName === slot.container;
    })
    .toReversed()
    .sort((a, b) => compareText(b.metadata.creationTimestamp, a.metadata.creationTimestamp));
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The request that was closed because its tag moved, as long as nothing took its place: its tag is asked for again. */
function movedRequest(own: readonly UpdateRequest[], slot: Slot): UpdateRequest[] {
  const [newest] = own;
  const moved = newest && conditionOf(newest, 'Superseded')?.reason === 'DigestChanged' && newest.spec.currentImage === slot.image;
  return moved ? [newest] : [];
}

/**
 * The tag that follows, from what is known and what is on offer: a request is itself evidence of its candidate, and a fact that is missing
 * never takes it back.
 */
function judgeTags(
  facts: RepositoryFacts,
  evidence: readonly UpdateRequest[],
  reference: ImageReference,
  settings: ContainerSettings,
  digestChanged = false,
) {
  const current = effectiveTag(reference) ?? '';
  const offered = evidence.map(tagOf).filter((tag) => tag !== undefined);
  const tags = new Set([...(facts.tags ?? []), ...facts.pushes.map(({ tag }) => tag), ...offered]);
  // A signature that was pushed after its image does not hide the image.
  const pushed = facts.pushes.findLast(({ tag }) => tag === current || refuseTag(tag, current, settings.ignore) === undefined);
  const event = pushed?.tag ?? facts.pushes.at(-1)?.tag ?? offered[0];
  const verdict = choose({
    ...settings,
    current,
    digestChanged,
    created: facts.created,
    tags: [...tags],
    ...(event === undefined ? {} : { event }),
  });
  if (verdict.outcome === 'update') return verdict;
  for (const tag of offered) {
    const kept = choose({ ...settings, current, created: facts.created, tags: [tag], event: tag });
    if (kept.outcome === 'update') return kept;
  }
  return verdict;
}

function describeOffer(tag: string, facts: RepositoryFacts, evidence: readonly UpdateRequest[]): Offer {
  const push = facts.pushes.findLast((candidate) => candidate.tag === tag);
  const fresh = facts.digestOf(tag);
  const offered = evidence.find((request) => tagOf(request) === tag);
  const trigger: Trigger = push ? 'webhook' : (offered?.spec.trigger ?? 'polling');
  const unverified = push && !push.verified && fresh === undefined ? (push.message ?? 'the registry could not be asked') : undefined;
  // The digest of a closed request is the one that is gone.
  const known = offered && isOpen(offered) ? offered.spec.newDigest : undefined;
  return { tag, digest: fresh ?? push?.digest ?? known, unverified, trigger };
}
