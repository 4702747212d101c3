import { annotationPrefix } from './annotation-table.ts';
import { isDigestChange } from './digest-change.ts';
import { formatTime } from './duration.ts';
import { effectiveTag, type ImageReference, parseImageReference, withTagAndDigest } from './image-reference.ts';
import type { Action, PlanInput } from './plan.ts';
import type { ContainerSettings } from './settings.ts';
import { isApprovedByPerson, isByHand, requestName } from './update-request.ts';
import type { Trigger, UpdateRequest, UpdateRequestSpec } from './update-request-schema.ts';
import type { Slot } from './workload.ts';

/** What is offered for one container: another tag, or a new digest of the running one. */
export interface Offer {
  readonly tag: string;
  readonly digest: string | undefined;
  /** Why the registry could not confirm it. */
  readonly unverified: string | undefined;
  readonly trigger: Trigger;
  /** The running digest, where it is known. */
  readonly from?: string | undefined;
}

/**
 * Nothing when the very same candidate is on offer already; else a request, and then the end of those it replaces: whatever happens in
 * between, the candidate is not lost.
 */
export function proposeOffer(
  input: PlanInput,
  slot: Slot,
  reference: ImageReference,
  settings: ContainerSettings,
  offer: Offer,
  open: readonly UpdateRequest[],
  reason: string,
): Action[] {
  const same = open.find((request) => isSameOffer(request, offer) && !approvalChanged(request, settings));
  if (same) return closeOthers(open, same, offer);
  const newImage = imageOf(reference, slot, settings, offer);
  const identity = { target: input.workload, container: slot.container, tag: offer.tag, newImage, newDigest: offer.digest };
  const spec = describeRequest(input, slot, reference, settings, offer, newImage, reason);
  const name = freeName(identity, input.requests);
  return [{ kind: 'create', name, spec, unverified: offer.unverified }, ...closeOthers(open, undefined, offer)];
}

/** A restart keeps the text, and releases a pin of ours. */
function imageOf(reference: ImageReference, slot: Slot, settings: ContainerSettings, { tag, digest }: Offer): string {
  if (tag !== effectiveTag(reference))
    return withTagAndDigest(reference, { tag, digest: pinned(reference, settings) ? digest : undefined });
  if (settings.digestMode === 'pin') return withTagAndDigest(reference, { tag, digest });
  return reference.digest === undefined ? slot.image : withTagAndDigest(reference, { tag: reference.tag, digest: undefined });
}

/** At most one open request per container; one that a person made is closed only by what was found after it. */
function closeOthers(open: readonly UpdateRequest[], kept: UpdateRequest | undefined, offer: Offer): Action[] {
  return open
    .filter((request) => request !== kept && !(kept && isByHand(request)))
    .map((request) => {
      const message = isSameOffer(request, offer) ? `${annotationPrefix}require-approval changed` : `${offer.tag} takes its place`;
      return { kind: 'supersede', request, message };
    });
}

function freeName(identity: Parameters<typeof requestName>[0], requests: readonly UpdateRequest[]): string {
  const taken = new Set(requests.map(({ metadata }) => metadata.name));
  let attempt = 1;
  while (taken.has(requestName(identity, attempt))) attempt++;
  return requestName(identity, attempt);
}

function describeRequest(
  { workload, now, requestExpiryMs }: PlanInput,
  slot: Slot,
  reference: ImageReference,
  settings: ContainerSettings,
  offer: Offer,
  newImage: string,
  reason: string,
): UpdateRequestSpec {
  const current = reference.digest ?? offer.from;
  return {
    targetRef: {
      apiVersion: workload.apiVersion,
      kind: workload.kind,
      name: workload.name,
      namespace: workload.namespace,
      uid: workload.uid,
    },
    updateType: 'image',
    containerName: slot.container,
    currentImage: slot.image,
    newImage,
    ...(current === undefined ? {} : { currentDigest: current }),
    ...(offer.digest === undefined ? {} : { newDigest: offer.digest }),
    policy: settings.policy.name,
    trigger: offer.trigger,
    reason,
    requireApproval: needsApproval(settings, offer.tag === effectiveTag(reference)),
    expiresAt: formatTime(now + requestExpiryMs),
  };
}

/** A digest that pins the running image is renewed with the tag, never dropped. */
export function pinned(reference: ImageReference, settings: ContainerSettings): boolean {
  return reference.digest !== undefined || settings.digestMode === 'pin';
}

function isSameOffer(open: UpdateRequest, offer: Offer): boolean {
  if (tagOf(open) !== offer.tag) return false;
  const { newDigest } = open.spec;
  return newDigest === offer.digest || newDigest === undefined || offer.digest === undefined || offer.unverified !== undefined;
}

/** A person's approval, or what a person wrote into a request of their own, stays valid whatever the annotation says later. */
function approvalChanged(open: UpdateRequest, settings: ContainerSettings): boolean {
  if (isApprovedByPerson(open) || isByHand(open)) return false;
  return (open.spec.requireApproval ?? true) !== needsApproval(settings, isDigestChange(open.spec));
}

function needsApproval({ requireApproval, requireDigestApproval }: ContainerSettings, forDigest: boolean): boolean {
  return forDigest ? requireDigestApproval : requireApproval;
}

export function tagOf(request: UpdateRequest): string | undefined {
  const reference = parseImageReference(request.spec.newImage);
  return 'invalid' in reference ? undefined : effectiveTag(reference);
}
