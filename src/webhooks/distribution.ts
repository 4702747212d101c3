import { type Delivery, maximumElements, toDelivery } from '../core/delivery.ts';
import { member, textMember } from '../core/json.ts';
import { toHint } from './hint.ts';

/** Notifications of distribution (Docker Registry), and of those who send the same envelope: only pushes of a tag count. */
export function parseDistribution(events: readonly unknown[]): Delivery {
  return toDelivery('registry', events.slice(0, maximumElements).map(parseEvent));
}

function parseEvent(event: unknown) {
  const target = member(event, 'target');
  const action = textMember(event, 'action');
  const repository = textMember(target, 'repository');
  if (action === undefined) return { problem: 'events[].action is missing' };
  // Pulls above all: our own polling causes them.
  if (action !== 'push') return 'ignored';
  if (repository === undefined) return { problem: 'events[].target.repository is missing' };
  const tag = textMember(target, 'tag');
  if (tag === undefined) return 'ignored';
  return toHint({
    provider: 'registry',
    deliveryId: textMember(event, 'id'),
    registry: textMember(member(event, 'request'), 'host') ?? hostOf(textMember(target, 'url')),
    repository,
    tag,
    digest: textMember(target, 'digest'),
  });
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).host || undefined : undefined;
}
