import { isDigestChange, isRestart, wasApplied } from './digest-change.ts';
import { effectiveTag, type ImageReference, parseImageReference } from './image-reference.ts';
import { recordedDigest } from './history.ts';
import { recallDigest } from './memory.ts';
import type { Action, PlanInput, PlannedSlot, RepositoryFacts, SlotPlan } from './plan.ts';
import { type DigestState, isFlapping, readDigestState, wantsLook } from './plan-digest.ts';
import { type Offer, proposeOffer } from './propose.ts';
import type { Reason } from './reasons.ts';
import { restsUntil } from './restart-pace.ts';
import type { ContainerSettings } from './settings.ts';
import { phaseOf } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import type { Slot } from './workload.ts';

/** What follows when no other tag does: a new digest of the running one, or a look whether there is one. */

/** What is said of the container. */
export type Report = (reason: Reason, message: string, candidate?: string) => SlotPlan;

export interface Restart {
  readonly input: PlanInput;
  readonly slot: Slot;
  readonly reference: ImageReference;
  readonly settings: ContainerSettings;
  readonly own: readonly UpdateRequest[];
  readonly open: readonly UpdateRequest[];
  readonly report: Report;
}

/** The pods do not run what the registry has behind their tag. */
export function planRestart(
  { input, slot, reference, settings, own, open, report }: Restart,
  { offered, running, tip }: Extract<DigestState, { kind: 'changed' }>,
  message: string,
): PlannedSlot {
  const { workload } = input;
  const tag = effectiveTag(reference) ?? '';
  const remembered = recallDigest({ tag, digest: offered }, own, recordedDigest(workload.annotations, slot.container));
  if (remembered) return { plan: report(remembered.reason, remembered.message), actions: [] };
  if (isFlapping(workload, slot.container, offered)) {
    const flapping = `${tag} goes to and fro between two digests, now ${offered}; nothing is done until there is a third one or a person decides`;
    return { plan: report('FlappingTag', flapping), actions: [] };
  }
  const told = running === undefined ? `${message}: it is ${offered}` : `${message}: ${running} runs, ${offered} is there`;
  if (input.settings.dryRun) return { plan: report('DryRun', `${told}; ${input.settings.dryRunBy} is set`, tag), actions: [] };
  const offer: Offer = { tag, digest: offered, unverified: undefined, trigger: tip.trigger, from: running };
  const actions = proposeOffer(input, slot, reference, settings, offer, open, told);
  const wakeAtMs = actions.some(({ kind }) => kind === 'create') ? restsUntil(workload, slot.container, own, input.now) : undefined;
  if (wakeAtMs !== undefined) return { plan: report('RestlessTag', restless(tag)), actions: [], wakeAtMs };
  return { plan: report('DigestChanged', told, tag), actions };
}

function restless(tag: string): string {
  return `${tag} had another digest many times within the last hour; the newest one is taken after a pause`;
}

/** No tag follows: what there is to say about the running one, if that is more. */
export function planNothing(
  { slot, reference, own, report, dryRun }: Pick<Restart, 'slot' | 'reference' | 'own' | 'report'> & { readonly dryRun: boolean },
  digest: DigestState,
  { reason, message }: { reason: Reason; message: string },
): PlannedSlot {
  const failed = digest.kind === 'same' ? failureOf(slot, reference, own) : undefined;
  if (failed) return { plan: report('AlreadyFailed', failed), actions: [] };
  if (digest.kind === 'hold') return { plan: report(digest.reason, digest.message), actions: [], wakeAtMs: digest.wakeAtMs };
  if (digest.kind === 'same' && digest.record !== undefined && !dryRun) {
    return { plan: report(reason, message), actions: [{ kind: 'record', container: slot.container, digest: digest.record }] };
  }
  if (digest.kind !== 'inspect') return { plan: report(reason, message), actions: [] };
  const tag = effectiveTag(reference) ?? '';
  return { plan: report(reason, message), actions: [{ kind: 'inspect', slot, reference, tag, tip: digest.tip.id }] };
}

/** The newest change was applied, and the pods do not run it: nothing is to be done, and nothing is well. */
function failureOf(slot: Slot, reference: ImageReference, own: readonly UpdateRequest[]): string | undefined {
  const newest = own.find(({ spec, status }) => isDigestChange(spec) && wasApplied(status));
  if (!newest || phaseOf(newest) !== 'Failed' || newest.spec.newImage !== slot.image) return undefined;
  return `${effectiveTag(reference) ?? ''} failed before: ${newest.status.message ?? newest.metadata.name}`;
}

/** Does the running container have what the registry has? */
export function digestState(
  { workload, now }: PlanInput,
  slot: Slot,
  reference: ImageReference,
  settings: ContainerSettings,
  { digests, digestOf }: RepositoryFacts,
): DigestState {
  if (!digests) return { kind: 'none' };
  const fresh = digestOf(effectiveTag(reference) ?? '');
  return readDigestState({ workload, slot, reference, settings, now, facts: { ...digests, fresh } });
}

/** An earlier change of the container is not over. */
export function beingWatched({ metadata }: UpdateRequest): DigestState {
  return { kind: 'hold', reason: 'RolloutInProgress', message: `the rollout of ${metadata.name} is being watched` };
}

/** Would it begin a restart? */
export function isRestartOffer(action: Action): boolean {
  return action.kind === 'create' && isRestart(action.spec);
}

/** Containers that nobody has looked at lately: what moves together is one restart. */
export function lookAtNeighbours(input: PlanInput): Extract<Action, { kind: 'inspect' }>[] {
  const { workload, now } = input;
  return workload.slots.flatMap((slot) => {
    const reference = parseImageReference(slot.image);
    const settings = input.settings.container(slot.container);
    if ('invalid' in reference || 'held' in settings || !input.settings.selects(slot.container, reference)) return [];
    const { digests, digestOf } = input.facts(slot, reference, settings);
    const tag = effectiveTag(reference) ?? '';
    if (!digests || !wantsLook({ workload, slot, reference, settings, now, facts: { ...digests, fresh: digestOf(tag) } })) return [];
    return [{ kind: 'inspect', slot, reference, tag, tip: digests.tip?.id ?? 'neighbour' }];
  });
}
