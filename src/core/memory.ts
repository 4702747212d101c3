import { choose, type PolicyInput } from './choose.ts';
import { isDigestChange, wasApplied } from './digest-change.ts';
import { effectiveTag, parseImageReference } from './image-reference.ts';
import type { Reason } from './reasons.ts';
import type { ContainerSettings } from './settings.ts';
import { conditionOf, phaseOf } from './update-request.ts';
import type { UpdateRequest } from './update-request-schema.ts';

/** What is not offered again: the finished requests of a container are the only memory, and deleting one clears it. */

export interface Candidate {
  readonly tag: string;
  readonly digest: string | undefined;
}

export interface Remembered {
  readonly reason: Extract<Reason, 'Rejected' | 'Quarantined' | 'AlreadyFailed' | 'Expired'>;
  readonly message: string;
  readonly request: UpdateRequest;
}

/**
 * Why a candidate is not offered again, or undefined. Rejected and rolled-back versions hold back everything that is not newer in the
 * policy's order; failed and expired ones hold back the very same tag and digest. `requests` are those of this container.
 */
export function recall(candidate: Candidate, requests: readonly UpdateRequest[], settings: ContainerSettings): Remembered | undefined {
  for (const request of requests) {
    // A digest of the running tag says nothing about other tags.
    const known = isDigestChange(request.spec) ? undefined : candidateOf(request);
    const verdict = known && verdictOf(request, known.tag);
    if (!verdict || isOutdated(request, known, requests, settings)) continue;
    const held = verdict.ordered ? !isNewer(candidate, known, settings) : isSame(candidate, known);
    if (held) return { reason: verdict.reason, message: verdict.message, request };
  }
  return undefined;
}

/** What the workload's own notes say is in place; undefined when they say nothing. */
type Recorded = string | undefined;

/**
 * Why a new digest of the running tag is not offered again, or undefined. What was rejected or rolled back stays away; what was applied
 * comes again once another digest was in its place, and what failed or expired before that once another one was applied: a tag that
 * moves to and fro is news each time.
 */
export function recallDigest(
  candidate: { readonly tag: string; readonly digest: string },
  requests: readonly UpdateRequest[],
  recorded: Recorded,
): DigestMemory | undefined {
  for (const request of requests) {
    const known = isDigestChange(request.spec) ? candidateOf(request) : undefined;
    if (known?.tag !== candidate.tag || known.digest !== candidate.digest) continue;
    const verdict = verdictOf(request, `${candidate.tag} (${candidate.digest})`);
    if (verdict?.ordered) return verdict;
    if (wasReplaced(request, requests, recorded)) continue;
    if (verdict) return verdict;
    if (phaseOf(request) === 'Completed') {
      return { reason: 'AlreadyActed', message: `${candidate.digest} was applied by ${request.metadata.name} already` };
    }
  }
  return undefined;
}

export interface DigestMemory {
  readonly reason: Extract<Reason, 'Rejected' | 'Quarantined' | 'AlreadyFailed' | 'AlreadyActed' | 'Expired'>;
  readonly message: string;
}

function wasReplaced(request: UpdateRequest, requests: readonly UpdateRequest[], recorded: Recorded): boolean {
  const { newDigest } = request.spec;
  if (wasApplied(request.status)) return recorded !== undefined && recorded !== newDigest;
  return requests.some((other) => isLater(other, request) && phaseOf(other) === 'Completed' && other.spec.newDigest !== newDigest);
}

/**
 * Must the request be kept beyond its retention, because it is still what stops a candidate from being offered? Among `requests`, those of
 * this container, it must be the newest answer: no later one says the same of a tag at least as new.
 */
export function isMemory(request: UpdateRequest, requests: readonly UpdateRequest[]): boolean {
  const known = candidateOf(request);
  const strength = strengthOf(request);
  if (known === undefined || strength === 0 || strength === 3) return false;
  const settings = {
    ...anyOrder,
    policy:
      isDigestChange(request.spec) || request.spec.policy === 'force' || request.spec.policy === 'digest' ? unordered : anyOrder.policy,
  };
  return !requests.some((other) => {
    const answer = isLater(other, request) && strengthOf(other) >= strength ? candidateOf(other) : undefined;
    return (
      answer !== undefined &&
      (isDigestChange(request.spec) ? isSame(answer, known) : answer.tag === known.tag || isNewer(answer, known, settings))
    );
  });
}

/** How much an answer holds back: nothing, the very same candidate, or everything that is not newer. What was applied settles both. */
function strengthOf(request: UpdateRequest): 0 | 1 | 2 | 3 {
  const phase = phaseOf(request);
  if (phase === 'Completed') return 3;
  if (phase === 'Rejected' || conditionOf(request, 'RolledBack')?.status === 'True') return 2;
  return phase === 'Failed' ? 1 : 0;
}

/** Something newer was applied since: the answer no longer counts. */
function isOutdated(request: UpdateRequest, known: Candidate, requests: readonly UpdateRequest[], settings: OrderSettings): boolean {
  return requests.some((other) => {
    const applied = isLater(other, request) && phaseOf(other) === 'Completed' ? candidateOf(other) : undefined;
    return applied !== undefined && isNewer(applied, known, settings);
  });
}

function isLater(other: UpdateRequest, request: UpdateRequest): boolean {
  return other !== request && other.metadata.creationTimestamp > request.metadata.creationTimestamp;
}

function verdictOf(request: UpdateRequest, tag: string): { reason: Remembered['reason']; message: string; ordered: boolean } | undefined {
  const { status } = request;
  const phase = phaseOf(request);
  if (phase === 'Rejected') {
    const words = status.message === undefined ? '' : `: ${status.message}`;
    return { reason: 'Rejected', message: `${tag} was rejected by ${status.rejectedBy ?? 'unknown'}${words}`, ordered: true };
  }
  if (conditionOf(request, 'RolledBack')?.status === 'True') {
    return { reason: 'Quarantined', message: `${tag} was rolled back`, ordered: true };
  }
  if (phase === 'Failed')
    return { reason: 'AlreadyFailed', message: `${tag} failed before: ${status.message ?? 'no message'}`, ordered: false };
  if (phase === 'Expired' && conditionOf(request, 'Superseded')?.status !== 'True') {
    return {
      reason: 'Expired',
      message: `the request for ${tag} expired without a decision; delete ${request.metadata.name} to be asked again`,
      ordered: false,
    };
  }
  return undefined;
}

function candidateOf(request: UpdateRequest): Candidate | undefined {
  const reference = parseImageReference(request.spec.newImage);
  if ('invalid' in reference) return undefined;
  const tag = effectiveTag(reference);
  return tag === undefined ? undefined : { tag, digest: request.spec.newDigest };
}

function isSame(a: Candidate, b: Candidate): boolean {
  return a.tag === b.tag && (a.digest === b.digest || a.digest === undefined || b.digest === undefined);
}

type OrderSettings = Omit<PolicyInput, 'current' | 'tags'>;

const anyOrder = { policy: { name: 'all', text: 'all', warnings: [] } } as const satisfies OrderSettings;
const unordered = { name: 'force', text: 'force', warnings: [] } as const;

/** Without an order between the two tags, only the very same tag and digest counts as "not newer". */
function isNewer(candidate: Candidate, known: Candidate, settings: OrderSettings): boolean {
  const { name } = settings.policy;
  if (name === 'force' || name === 'digest') return !isSame(candidate, known);
  if (candidate.tag === known.tag) return false;
  const [judged] = choose({ ...settings, current: known.tag, tags: [candidate.tag] }).considered;
  return judged?.reason !== 'Lower' && judged?.reason !== 'Equal';
}
