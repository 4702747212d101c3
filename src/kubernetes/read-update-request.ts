import {
  type Condition,
  phases,
  policyNames,
  triggers,
  type UpdateRequest,
  type UpdateRequestSpec,
  type UpdateRequestStatus,
} from '../core/update-request-schema.ts';
import type { Log } from '../ports.ts';
import { isRecord, numberOf, type RawObject, recordAt, recordsOf, textOf } from './raw.ts';

const longestName = 253;
const longestImage = 2048;

/**
 * An UpdateRequest as stored, by whomever: what may be left out by hand is left out, a member of the wrong type counts as missing.
 * `undefined`, with a log line, for one without the members that say what it is about.
 */
export function readUpdateRequest(raw: RawObject, log: Log): UpdateRequest | undefined {
  const metadata = readMetadata(recordAt(raw, 'metadata'));
  const spec = readSpec(recordAt(raw, 'spec'));
  if (metadata && spec) {
    return { apiVersion: 'headwind.sh/v1alpha1', kind: 'UpdateRequest', metadata, spec, status: readStatus(recordAt(raw, 'status')) };
  }
  const { namespace, name } = recordAt(raw, 'metadata');
  log.warn(
    { namespace, name },
    'odd UpdateRequest skipped: targetRef, currentImage, newImage or policy is missing, unknown or impossibly long',
  );
  return undefined;
}

function readMetadata(raw: RawObject): UpdateRequest['metadata'] | undefined {
  const { namespace, name, uid, resourceVersion } = textsOf(raw, ['namespace', 'name', 'uid', 'resourceVersion']);
  if (namespace === undefined || name === undefined || uid === undefined || resourceVersion === undefined) return undefined;
  const labels = Object.entries(recordAt(raw, 'labels')).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    namespace,
    name,
    uid,
    resourceVersion,
    generation: numberOf(raw['generation']) ?? 0,
    creationTimestamp: textOf(raw['creationTimestamp']) ?? '',
    ...(labels.length > 0 && { labels: Object.fromEntries(labels) }),
  };
}

function readSpec(raw: RawObject): UpdateRequestSpec | undefined {
  const targetRef = readTarget(recordAt(raw, 'targetRef'));
  const { currentImage, newImage } = textsOf(raw, ['currentImage', 'newImage']);
  const policy = oneOf(policyNames, raw['policy']);
  if (targetRef === undefined || currentImage === undefined || newImage === undefined || policy === undefined) return undefined;
  if (currentImage.length > longestImage || newImage.length > longestImage) return undefined;
  return {
    targetRef,
    currentImage,
    newImage,
    policy,
    ...textsOf(raw, ['containerName', 'currentDigest', 'newDigest', 'reason', 'expiresAt']),
    ...given('updateType', oneOf(['image', 'helmChart'] as const, raw['updateType'])),
    ...given('trigger', oneOf(triggers, raw['trigger'])),
    ...given('requireApproval', booleanOf(raw['requireApproval'])),
  };
}

function readTarget(raw: RawObject): UpdateRequestSpec['targetRef'] | undefined {
  const { kind, name, namespace } = textsOf(raw, ['kind', 'name', 'namespace']);
  if (kind === undefined || name === undefined || namespace === undefined) return undefined;
  // They become parts of a key; what no object can be called is no target.
  if (![kind, name, namespace].every((text) => text.length <= longestName && !text.includes('/'))) return undefined;
  return { kind, name, namespace, ...textsOf(raw, ['apiVersion', 'uid']) };
}

const statusTexts = [
  'approvedBy',
  'approvedAt',
  'rejectedBy',
  'rejectedAt',
  'message',
  'rejectionReason',
  'createdAt',
  'lastUpdated',
] as const;

function readStatus(raw: RawObject): UpdateRequestStatus {
  return {
    ...given('phase', oneOf(phases, raw['phase'])),
    ...textsOf(raw, statusTexts),
    ...given('force', booleanOf(raw['force'])),
    ...given('observedGeneration', numberOf(raw['observedGeneration'])),
    ...(isRecord(raw) && Array.isArray(raw['conditions']) && { conditions: recordsOf(raw['conditions']).flatMap(readCondition) }),
  };
}

function readCondition(raw: RawObject): Condition[] {
  const { type, reason, lastTransitionTime } = textsOf(raw, ['type', 'reason', 'lastTransitionTime']);
  const status = oneOf(['True', 'False', 'Unknown'] as const, raw['status']);
  if (type === undefined || status === undefined) return [];
  return [
    {
      type,
      status,
      reason: reason ?? '',
      message: textOf(raw['message']) ?? '',
      lastTransitionTime: lastTransitionTime ?? '',
      ...given('observedGeneration', numberOf(raw['observedGeneration'])),
    },
  ];
}

function textsOf<K extends string>(raw: RawObject, members: readonly K[]): { [P in K]?: string } {
  const texts: { [P in K]?: string } = {};
  for (const member of members) {
    const text = textOf(raw[member]);
    if (text !== undefined) texts[member] = text;
  }
  return texts;
}

/** Members that are absent rather than undefined. */
function given<K extends string, V>(member: K, value: V | undefined): { [P in K]?: V } {
  const result: { [P in K]?: V } = {};
  if (value !== undefined) result[member] = value;
  return result;
}

function oneOf<const T extends readonly string[]>(known: T, value: unknown): T[number] | undefined {
  return known.find((word) => word === value);
}

function booleanOf(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}
