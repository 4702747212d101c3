import { followsDigest } from '../core/follow-digest.ts';
import { effectiveTag, type ImageReference } from '../core/image-reference.ts';
import type { RepositoryFacts } from '../core/plan.ts';
import type { Compared, Tip } from '../core/plan-digest.ts';
import type { ContainerSettings } from '../core/settings.ts';
import { type Workload, workloadKey } from '../core/workload.ts';
import type { OperatorDeps } from './deps.ts';

const nothing: RepositoryFacts = { tags: undefined, pushes: [], digestOf: () => undefined };

export interface FactsOptions {
  /** Also the pushes that the container has judged: for explaining, never for deciding. */
  readonly withUsedUp?: boolean;
}

/** What is known of a container's repository, as far as its workload listens to where it was learnt. Reads memory only. */
export function factsOf(
  workload: Workload,
  container: string,
  reference: ImageReference,
  settings: ContainerSettings,
  { access, book, notes, clock }: Pick<OperatorDeps, 'access' | 'book' | 'notes' | 'clock'>,
  { withUsedUp = false }: FactsOptions = {},
): RepositoryFacts {
  const { eventSource } = settings;
  const key = workloadKey(workload);
  const bookKey = access.known(workload, reference);
  if (bookKey === undefined) return nothing;
  const listing = book.listing(bookKey);
  const polled = listing?.origin === 'manual' ? listing : notes.delivered(key, bookKey)?.listing;
  const listens = { polling: eventSource !== 'webhook', webhook: eventSource !== 'polling' };
  const judged = withUsedUp ? 0 : notes.watermark(key, container);
  return {
    tags: listens.polling || polled?.origin === 'manual' ? polled?.tags : undefined,
    pushes: listens.webhook ? book.pushes(bookKey, judged, notes.editedAt(key, container)) : [],
    created: listing?.created,
    digestOf: (tag) => book.freshDigest(bookKey, tag, clock.now()),
    digests: { tip: newest(tipOf(), notes.compared(key, container)), compared: notes.compared(key, container) },
  };

  /** The newest word about the running tag, whether it was judged before or not: it says what the registry has. */
  function tipOf(): Tip | undefined {
    const tag = effectiveTag(reference);
    if (tag === undefined || !followsDigest(settings, tag) || bookKey === undefined) return undefined;
    const push = listens.webhook ? book.pushes(bookKey, 0).findLast((candidate) => candidate.tag === tag) : undefined;
    const polled = listens.polling ? notes.polledDigest(key, bookKey, tag) : undefined;
    if (polled && (!push || polled.at >= push.at)) return { id: polled.digest, at: polled.at, trigger: 'polling' };
    if (!push) return undefined;
    return { id: push.verified && push.digest !== undefined ? push.digest : `push ${push.sequence}`, at: push.at, trigger: 'webhook' };
  }
}

/** Whoever compared asked the registry: what it said then is news as well. */
function newest(tip: Tip | undefined, compared: Compared | undefined): Tip | undefined {
  if (!compared || compared.offered === '' || (tip && tip.at >= compared.at)) return tip;
  return { id: compared.offered, at: compared.at, trigger: tip?.trigger ?? 'polling' };
}
