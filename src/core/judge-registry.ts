import { parseTime } from './duration.ts';
import type { JudgeInput, RegistryAnswer, Step } from './judge-request.ts';
import { isUnseen } from './judge-policy.ts';
import { digestOf, withoutDigest } from './request-digest.ts';
import { conditionOf, isApprovedByPerson, isByHand } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';

/** What the registry's answer means for a request. */

const verifyAgainMs = 15_000;
const longestWaitMs = 600_000;

/** A request that the registry has not confirmed yet. */
export function reverify(request: UpdateRequest, registry: RegistryAnswer, now: number): Step {
  if (registry.kind === 'confirmed') return movedDigest(request, registry.digest) ?? { kind: 'verified', digest: registry.digest };
  if (registry.kind === 'missing' && isByHand(request)) return { kind: 'fail', reason: 'UpdateFailed', message: registry.message };
  if (registry.kind === 'missing') return { kind: 'supersede', message: registry.message };
  return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
}

function movedDigest(request: UpdateRequest, digest: string): Step | undefined {
  const { newDigest, newImage } = request.spec;
  const covered = newDigest ?? digestOf(newImage);
  if (covered === undefined || covered === digest) return undefined;
  const message = `${withoutDigest(newImage)} is now ${digest}, the request covers ${covered}`;
  if (newDigest === undefined && isUnseen(request)) return { kind: 'fail', reason: 'UpdateFailed', message };
  return { kind: 'supersede', reason: 'DigestChanged', message };
}

/** Pipelines often push one platform after the other. */
function platformMissing(request: UpdateRequest, missing: readonly string[], now: number): Step | undefined {
  if (missing.length === 0) return undefined;
  const message = `${request.spec.newImage} has no image for ${missing.join(', ')} yet, which nodes of the workload are`;
  return { kind: 'wait', reason: 'PlatformMissing', message, wakeAtMs: now + patience(request, now) };
}

/** A tag that is gone may come back, or never: asked for again after as long as it has been waited for, at most ten minutes. */
function patience(request: UpdateRequest, now: number): number {
  const since = parseTime(conditionOf(request, 'Applied')?.lastTransitionTime ?? '') ?? now;
  return Math.min(longestWaitMs, Math.max(verifyAgainMs, now - since));
}

/** Undefined when nothing stands in the way of applying it. */
export function registryAnswer({ request, registry, now }: JudgeInput): Step | undefined {
  if (!registry) return { kind: 'verify' };
  if (registry.kind === 'confirmed') return movedDigest(request, registry.digest) ?? platformMissing(request, registry.missing ?? [], now);
  const verified = conditionOf(request, 'Verified')?.status;
  const byPerson = isApprovedByPerson(request);
  if (registry.kind === 'missing' && isByHand(request) && verified !== 'True') return reverify(request, registry, now);
  // An approval given while the registry could not be asked waives the check; not against its clear word.
  if (registry.kind === 'unavailable' && verified === 'Unknown' && byPerson) return undefined;
  if (registry.kind === 'missing')
    return { kind: 'wait', reason: 'TagNotFound', message: registry.message, wakeAtMs: now + patience(request, now) };
  if (verified !== 'True' && !byPerson) return { kind: 'unverified', message: registry.message, wakeAtMs: now + verifyAgainMs };
  return { kind: 'wait', reason: 'RegistryUnavailable', message: registry.message, wakeAtMs: now + verifyAgainMs };
}
