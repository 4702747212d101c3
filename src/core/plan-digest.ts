import type { DigestComparison } from './compare-digests.ts';
import { followsDigest } from './follow-digest.ts';
import { recordedDigest, readHistory } from './history.ts';
import { effectiveTag, type ImageReference, isDigest } from './image-reference.ts';
import type { Reason } from './reasons.ts';
import type { ContainerSettings } from './settings.ts';
import type { Slot, Workload } from './workload.ts';

/** What is known of the running tag: what the registry has behind it, and whether the pods run that. */

/** The newest that was learnt of the running tag, from an origin that the workload listens to. */
export interface Tip {
  /** The digest; or, while a push of the tag could not be verified, a word for that push. */
  readonly id: string;
  /** When it was learnt. */
  readonly at: number;
  readonly trigger: 'webhook' | 'polling';
}

/** What came of comparing the pods with the registry because of one tip. */
export interface Compared {
  readonly tip: string;
  readonly at: number;
  readonly image: string;
  /** The digest that the registry had then. */
  readonly offered: string;
  readonly result: DigestComparison | Problem;
  /** The rollout as it was seen: another one is worth another look, unless the pods were up to date. */
  readonly rollout: string;
  /** When to look again though nothing has changed. */
  readonly againAtMs: number | undefined;
  /** How often it was looked at in vain because of this tip. */
  readonly tries: number;
  /** How many looks came before this one without ten quiet minutes in between, whatever the tip was. */
  readonly looks?: number | undefined;
}

export interface Problem {
  readonly reason: Reason;
  readonly message: string;
}

export interface DigestFacts {
  readonly tip: Tip | undefined;
  readonly compared: Compared | undefined;
  /** What the registry said of the running tag within the last minute. */
  readonly fresh: string | undefined;
}

export type DigestState =
  /** Digests do not count, or nothing is known. */
  | { readonly kind: 'none' }
  /** `record`: what we noted last is no longer what runs, and would hide that digest when it comes again. */
  | { readonly kind: 'same'; readonly record?: string | undefined }
  /** The pods have to be compared with the registry. */
  | { readonly kind: 'inspect'; readonly tip: Tip }
  | { readonly kind: 'changed'; readonly tip: Tip; readonly offered: string; readonly running: string | undefined }
  | { readonly kind: 'hold'; readonly reason: Reason; readonly message: string; readonly wakeAtMs?: number | undefined };

export interface DigestInput {
  readonly workload: Workload;
  readonly slot: Slot;
  readonly reference: ImageReference;
  readonly settings: ContainerSettings;
  readonly facts: DigestFacts;
  readonly now: number;
}

/** Does the running container have what the registry has? The first check that holds is the reason people read. */
export function readDigestState(input: DigestInput): DigestState {
  const { workload, slot, reference, settings, facts, now } = input;
  const tag = effectiveTag(reference);
  if (tag === undefined || !followsDigest(settings, tag)) return { kind: 'none' };
  const { tip } = facts;
  const recorded = recordedDigest(workload.annotations, slot.container);
  const obstacle = obstacleTo(input, tag);
  // A policy that compares tags says nothing about digests until one is known to have moved.
  if (obstacle && (isAboutDigests(settings) || (tip !== undefined && recorded !== undefined && recorded !== tip.id))) return obstacle;
  if (obstacle || tip === undefined) return { kind: 'none' };
  if (recorded === tip.id || (settings.digestMode === 'pin' && reference.digest === tip.id)) return { kind: 'same' };
  // It has no pods to compare; a push that was not verified is asked for like any other.
  if (workload.kind === 'CronJob' && isDigest(tip.id)) {
    return { kind: 'changed', tip, offered: facts.fresh ?? tip.id, running: reference.digest };
  }
  const { compared } = facts;
  if (!compared || !stillHolds(compared, tip, input, now)) return lookUnlessRestless(compared, tip, tag, now);
  const state = stateOf(compared, tip, tag);
  const runs = 'outcome' in compared.result ? compared.result.running : undefined;
  const isStale = recorded !== undefined && recorded !== compared.offered && recorded !== runs;
  return state.kind === 'same' && isStale ? { kind: 'same', record: compared.offered } : state;
}

const recentMs = 30_000;

/**
 * Is the container to be looked at before a neighbour is restarted? Its own news may be on the way, and what moves together is one restart.
 */
export function wantsLook(input: DigestInput): boolean {
  const { workload, reference, settings, facts, now } = input;
  const tag = effectiveTag(reference);
  if (tag === undefined || !followsDigest(settings, tag) || settings.digestMode === 'pin' || obstacleTo(input, tag)) return false;
  return workload.kind !== 'CronJob' && (facts.compared === undefined || now - facts.compared.at > recentMs);
}

/** Of a workload that follows nothing but digests, people want to hear why it does not move. */
function isAboutDigests({ policy, trackDigest }: ContainerSettings): boolean {
  return policy.name === 'digest' || trackDigest;
}

function obstacleTo({ workload, slot, reference, settings }: DigestInput, tag: string): DigestState | undefined {
  const hold = (reason: Reason, message: string): DigestState => ({ kind: 'hold', reason, message });
  if (workload.wantsNoPods) return hold('DesiredZero', 'no pods are wanted, so there is nothing to restart');
  if (reference.digest !== undefined && !isOwnPin(workload, slot)) {
    return hold('DigestPinned', `the image is pinned to ${reference.digest} by somebody else, which no new digest of ${tag} changes`);
  }
  if (settings.digestMode === 'pin') return undefined;
  if (workload.kind === 'CronJob') return hold('NoRollout', 'the next job pulls what is there then; no job is started for a new digest');
  const pullPolicy = slot.pullPolicy ?? (tag === 'latest' ? 'Always' : 'IfNotPresent');
  if (pullPolicy === 'Always' || settings.ignorePullPolicy) return undefined;
  return hold('PullPolicyNotAlways', `imagePullPolicy is ${pullPolicy}: pods that restart would run the image that their node has already`);
}

/** Put there by us: with a change, or by a rollback. */
export function isOwnPin({ annotations }: Workload, { container, image }: Slot): boolean {
  return readHistory(annotations).entries.find((entry) => entry.container === container)?.image === image;
}

function stillHolds(compared: Compared, tip: Tip, { workload, slot, facts }: DigestInput, now: number): boolean {
  if ((compared.tip !== tip.id && compared.offered !== tip.id) || compared.image !== slot.image) return false;
  if (facts.fresh !== undefined && compared.offered !== '' && facts.fresh !== compared.offered) return false;
  const isFinal = 'outcome' in compared.result && compared.result.outcome === 'same';
  if (isFinal) return true;
  if (compared.rollout !== rolloutMark(workload)) return false;
  return compared.againAtMs === undefined || now < compared.againAtMs;
}

const unhinderedLooks = 6;
const restMs = 30_000;

/** Each look reads the pods: a tag or a rollout that changes all the time is not looked at all the time. */
function lookUnlessRestless(compared: Compared | undefined, tip: Tip, tag: string, now: number): DigestState {
  const until = compared && (compared.looks ?? 0) >= unhinderedLooks ? compared.at + restMs : now;
  if (until <= now) return { kind: 'inspect', tip };
  return {
    kind: 'hold',
    reason: 'RestlessTag',
    message: `${tag} was compared with the pods often of late; it is again soon`,
    wakeAtMs: until,
  };
}

/** Changes when pods may have changed. */
export function rolloutMark({ generation, rollout: { settled, failed, message } }: Workload): string {
  return `${generation} ${settled} ${failed === true} ${message}`;
}

function stateOf({ result, offered, againAtMs }: Compared, tip: Tip, tag: string): DigestState {
  const hold = (reason: Reason, message: string): DigestState => ({ kind: 'hold', reason, message, wakeAtMs: againAtMs });
  if ('reason' in result) return hold(result.reason, result.message);
  switch (result.outcome) {
    case 'same':
      return { kind: 'same' };
    case 'changed':
      return { kind: 'changed', tip, offered, running: result.running };
    case 'platform-missing':
      return hold('PlatformMissing', `${tag} is now ${offered}, which has no image for ${result.missing.join(', ')} yet`);
    case 'starting':
      return hold('NoRunningPod', 'a pod is still starting; it is compared when it runs');
    case 'no-pods':
      return hold('NoRunningPod', 'no pod of the newest revision runs; it is compared when there is one');
    case 'unknown':
      return hold('RunningDigestUnknown', 'the node reports no digest of the running image that a registry could know');
  }
}

const alternations = 3;
const alternationMs = 3_600_000;

/** Was the tag, by our own automatic changes, put to and fro between this digest and one other, three times within an hour? */
export function isFlapping({ annotations }: Workload, container: string, offered: string): boolean {
  const own = readHistory(annotations).entries.filter((entry) => entry.container === container);
  const newest = own.slice(0, alternations);
  const [first, second, third] = newest;
  if (!first || !second || !third || newest.some(({ approvedBy }) => approvedBy !== 'webhook' && approvedBy !== 'polling')) return false;
  if (second.digest !== offered || first.digest === undefined || first.digest === offered || third.digest !== first.digest) return false;
  return Date.parse(first.timestamp) - Date.parse(third.timestamp) <= alternationMs;
}
