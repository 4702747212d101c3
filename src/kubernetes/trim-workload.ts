import { annotationPrefix } from '../core/annotation-table.ts';
import type { Rollout, Slot, Workload } from '../core/workload.ts';
import type { Log } from '../ports.ts';
import { isRecord, numberOf, type RawObject, recordAt, recordsOf, textOf } from './raw.ts';
import type { SharedTexts } from './shared-texts.ts';
import type { WorkloadKindRow } from './workload-kinds.ts';

/** More than any real pod has. Each is judged by itself: thousands in one object would hold up every other workload. */
const mostContainers = 100;
const none: readonly never[] = Object.freeze([]);

export interface TrimContext {
  readonly texts: SharedTexts;
  readonly log: Log;
}

/** What decisions read of a managed object; `undefined` when it is not managed, or so odd that nothing can be done with it. */
export function trimWorkload(row: WorkloadKindRow, raw: unknown, { texts, log }: TrimContext): Workload | undefined {
  const metadata = recordAt(raw, 'metadata');
  if (!isManaged(metadata)) return undefined;
  const [name, namespace, uid] = [textOf(metadata['name']), textOf(metadata['namespace']), textOf(metadata['uid'])];
  const resourceVersion = textOf(metadata['resourceVersion']);
  const spec = recordAt(raw, ...row.podTemplate, 'spec');
  const slots = [...slotsOf(spec['containers'], false, texts), ...slotsOf(spec['initContainers'], true, texts)];
  if (!isRecord(raw) || !name || !namespace || !uid || !resourceVersion || slots.length === 0) {
    log.warn({ kind: row.kind, namespace, name }, 'odd object skipped: it has no name, namespace, uid, resourceVersion or containers');
    return undefined;
  }
  if (slots.length > mostContainers) {
    log.warn(
      { kind: row.kind, namespace, name, containers: slots.length },
      `workload skipped: it has more than ${mostContainers} containers`,
    );
    return undefined;
  }
  return {
    kind: row.kind,
    apiVersion: row.apiVersion,
    namespace: texts.share(namespace),
    name,
    uid,
    resourceVersion,
    generation: numberOf(metadata['generation']) ?? 0,
    annotations: ownAnnotations(metadata, texts),
    slots,
    serviceAccountName: texts.share(textOf(spec['serviceAccountName']) ?? textOf(spec['serviceAccount']) ?? 'default'),
    pullSecretNames: namesOf(spec['imagePullSecrets'], texts),
    paused: recordAt(raw, 'spec')['paused'] === true,
    autorollout: hasRolloutLabel(metadata),
    wantsNoPods: row.wantsNoPods(raw),
    partitioned: row.partitioned(raw),
    rollout: shareRollout(row.rollout(raw), texts),
  };
}

/** A workload is managed by its annotation, whatever its value, or by the label of the second contract. Other marks of management belong here. */
function isManaged(metadata: RawObject): boolean {
  return typeof recordAt(metadata, 'annotations')[`${annotationPrefix}policy`] === 'string' || hasRolloutLabel(metadata);
}

/** On the object itself; a label of the pod template does not count, and no other value does. */
function hasRolloutLabel(metadata: RawObject): boolean {
  return recordAt(metadata, 'labels')['kube-autorollout/enabled'] === 'true';
}

function ownAnnotations(metadata: RawObject, texts: SharedTexts): Readonly<Record<string, string>> {
  const own: Record<string, string> = {};
  for (const [key, value] of Object.entries(recordAt(metadata, 'annotations'))) {
    if (!key.startsWith(annotationPrefix) || typeof value !== 'string') continue;
    own[key] = value.length <= 64 ? texts.share(value) : value;
  }
  return own;
}

function slotsOf(containers: unknown, init: boolean, texts: SharedTexts): Slot[] {
  const slots: Slot[] = [];
  for (const container of recordsOf(containers)) {
    const name = textOf(container['name']);
    if (name === undefined) continue;
    const pullPolicy = textOf(container['imagePullPolicy']);
    slots.push({
      container: texts.share(name),
      init,
      image: texts.share(textOf(container['image']) ?? ''),
      ...(pullPolicy === undefined ? {} : { pullPolicy: texts.share(pullPolicy) }),
    });
  }
  return slots;
}

function namesOf(references: unknown, texts: SharedTexts): readonly string[] {
  const names: string[] = [];
  for (const reference of recordsOf(references)) {
    const name = textOf(reference['name']);
    if (name !== undefined) names.push(texts.share(name));
  }
  return names.length === 0 ? none : names;
}

function shareRollout(rollout: Rollout, texts: SharedTexts): Rollout {
  return { ...rollout, message: texts.share(rollout.message) };
}
