import { followsDigest } from '../core/follow-digest.ts';
import { effectiveTag, parseImageReference } from '../core/image-reference.ts';
import { type DigestFacts, rolloutMark } from '../core/plan-digest.ts';
import type { Reason } from '../core/reasons.ts';
import type { Settings } from '../core/settings.ts';
import type { Slot, Workload } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { type ComparisonDeps, comparePods } from './compare-pods.ts';
import { reasonOf } from './repository-access.ts';

export interface Failure {
  readonly reason: Reason;
  readonly message: string;
}

export interface DigestLook {
  /** By container. */
  readonly facts: ReadonlyMap<string, Omit<DigestFacts, 'fresh'>>;
  readonly failures: ReadonlyMap<string, Failure>;
}

/** Compares once what the pods of a workload run with what its registries have. Writes nothing. */
export async function lookAtDigests(
  workload: Workload,
  settings: Settings,
  { running, clock }: { readonly running?: ComparisonDeps | undefined; readonly clock: Clock },
  signal: AbortSignal,
): Promise<DigestLook> {
  const facts = new Map<string, Omit<DigestFacts, 'fresh'>>();
  const failures = new Map<string, Failure>();
  if (!running) return { facts, failures };
  for (const slot of workload.slots) {
    try {
      const found = await lookAt(slot, workload, settings, running, clock, signal);
      if (found) facts.set(slot.container, found);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      failures.set(slot.container, { reason: reasonOf(error), message: error.message });
    }
  }
  return { facts, failures };
}

async function lookAt(
  slot: Slot,
  workload: Workload,
  settings: Settings,
  running: ComparisonDeps,
  clock: Clock,
  signal: AbortSignal,
): Promise<Omit<DigestFacts, 'fresh'> | undefined> {
  const reference = parseImageReference(slot.image);
  const own = settings.container(slot.container);
  if ('invalid' in reference || 'held' in own || !settings.selects(slot.container, reference)) return undefined;
  const tag = effectiveTag(reference);
  if (tag === undefined || !followsDigest(own, tag)) return undefined;
  const offered = await running.access.digest(workload, reference, tag, signal);
  const stalled = workload.rollout.failed === true;
  const found = await comparePods({ workload, container: slot.container, reference, offered, stalled }, running, signal);
  const result = 'unobservable' in found ? ({ reason: 'CannotObserve', message: found.unobservable } as const) : found;
  const at = clock.now();
  const compared = { tip: offered, at, image: slot.image, offered, result, rollout: rolloutMark(workload), againAtMs: undefined, tries: 0 };
  return { tip: { id: offered, at, trigger: 'polling' }, compared };
}
