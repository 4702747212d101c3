import type { ImageReference } from '../core/image-reference.ts';
import type { RepositoryFacts } from '../core/plan.ts';
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
  { eventSource }: ContainerSettings,
  { access, book, notes, clock }: Pick<OperatorDeps, 'access' | 'book' | 'notes' | 'clock'>,
  { withUsedUp = false }: FactsOptions = {},
): RepositoryFacts {
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
    digestOf: (tag) => book.freshDigest(bookKey, tag, clock.now()),
  };
}
