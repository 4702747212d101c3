import { type Delivery, type ParseDelivery, toDelivery } from '../core/delivery.ts';
import { member, textMember } from '../core/json.ts';
import { parseDistribution } from './distribution.ts';
import { parseDockerHub } from './dockerhub.ts';
import { isNative, parseFlat, parseGeneric, parseNative } from './flat.ts';

type Header = (name: string) => string | undefined;
type Read = (body: unknown, header: Header) => Delivery | undefined;

/** Senders that say who they are and whose formats this version does not read: never to be taken for another one. */
const unreadHeaders = [
  'x-gitea-event',
  'x-forgejo-event',
  'x-github-event',
  'x-gitlab-event',
  'x-amz-sns-message-type',
  'x-nexus-webhook-id',
  'aeg-event-type',
  'ce-type',
];

// The first that recognises the body reads it.
const formats: readonly Read[] = [
  (_body, header) => (unreadHeaders.some((name) => header(name) !== undefined) ? unknownFormat : undefined),
  (body) => (has(body, 'specversion') || isCdEvent(body) ? unknownFormat : undefined),
  (body) => whenList(member(body, 'events'), parseDistribution),
  (body) => (has(body, 'push_data') && isAliyun(body) ? unknownFormat : undefined),
  (body) => (has(body, 'push_data') ? parseDockerHub(body) : undefined),
  (body) => (typeof member(body, 'repository') === 'string' && has(body, 'tag') ? parseFlat(body) : undefined),
  (body) => whenList(member(body, 'images'), parseGeneric),
  (body) => (typeof member(body, 'ref') === 'string' ? parseGeneric([body]) : undefined),
  (body) => (isNative(body) ? parseNative([body]) : undefined),
  (body) => (Array.isArray(body) && body.length > 0 && body.every(isNative) ? parseNative(body) : undefined),
];

const unknownFormat = toDelivery('unknown_format', ['ignored']);

/** `/webhook/registry`: recognises the format by headers and members, as users were told to point several senders here. */
export const parseRegistryDelivery: ParseDelivery = (body, header) => {
  for (const read of formats) {
    const delivery = read(body, header);
    if (delivery) return delivery;
  }
  return unknownFormat;
};

function has(body: unknown, name: string): boolean {
  return member(body, name) !== undefined;
}

function whenList(value: unknown, read: (items: readonly unknown[]) => Delivery): Delivery | undefined {
  return Array.isArray(value) ? read(value) : undefined;
}

/** Looks like Docker Hub, but is a registry in one of Aliyun's regions. */
function isAliyun(body: unknown): boolean {
  return member(member(body, 'repository'), 'region') !== undefined;
}

function isCdEvent(body: unknown): boolean {
  return textMember(member(body, 'context'), 'type')?.startsWith('dev.cdevents.') ?? false;
}
