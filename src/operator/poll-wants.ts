import { comparesTags, followsDigest } from '../core/follow-digest.ts';
import { canonicalRepository, effectiveTag, type ImageReference, parseImageReference } from '../core/image-reference.ts';
import type { ContainerSettings, Settings } from '../core/settings.ts';
import type { Workload } from '../core/workload.ts';
import { type Cadence, sooner } from './poll-cadence.ts';

/** What a workload needs to know of one repository by polling, and how often. */
export interface Consumer {
  readonly workload: Workload;
  readonly reference: ImageReference;
  readonly cadence: Cadence;
  /** A policy compares tags: the complete list is needed. */
  readonly needsTags: boolean;
  /** A policy orders tags by the time of their push. */
  readonly needsTimes: boolean;
  /** Running tags whose digest counts. */
  readonly digestsOf: ReadonlySet<string>;
}

/** Repositories of the workload that are to be polled for it, by canonical name. */
export function pollingNeeds(
  workload: Workload,
  settings: Settings,
  cadenceOf: (own: ContainerSettings) => Cadence | undefined,
  now: number,
): Map<string, Consumer> {
  const needs = new Map<string, Consumer>();
  for (const { container, image } of workload.slots) {
    const reference = parseImageReference(image);
    const own = settings.container(container);
    if ('invalid' in reference || 'held' in own || !settings.selects(container, reference)) continue;
    if (own.eventSource !== 'polling' && own.eventSource !== 'both') continue;
    const tag = effectiveTag(reference);
    const digestOf = tag !== undefined && followsDigest(own, tag) ? tag : undefined;
    const needsTags = comparesTags(own.policy);
    const cadence = cadenceOf(own);
    if (cadence === undefined || (!needsTags && digestOf === undefined)) continue;
    const repository = canonicalRepository(reference);
    const known = needs.get(repository);
    needs.set(repository, {
      workload,
      reference,
      cadence: sooner(known?.cadence, cadence, now),
      needsTags: needsTags || known?.needsTags === true,
      needsTimes: (needsTags && own.order === 'created') || known?.needsTimes === true,
      digestsOf: new Set([...(known?.digestsOf ?? []), ...(digestOf === undefined ? [] : [digestOf])]),
    });
  }
  return needs;
}
