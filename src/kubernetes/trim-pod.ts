import type { RunningContainer } from '../ports.ts';
import { parseImageId } from './image-id.ts';
import { isRecord, type RawObject, recordAt, recordsOf, textOf } from './raw.ts';

/** What is read of a live pod. */
export interface TrimmedPod {
  readonly name: string;
  readonly uid: string;
  /** Of its controller: a ReplicaSet, StatefulSet or DaemonSet. */
  readonly ownerUid: string;
  /** The label with which StatefulSets and DaemonSets tell revisions apart. */
  readonly revisionHash: string | undefined;
  readonly node: string | undefined;
  readonly isReady: boolean;
  readonly containers: readonly RunningContainer[];
  readonly pullSecretNames: readonly string[];
}

/** A pod that counts; `undefined` when it is on its way out, has finished (evicted ones too), belongs to no controller, or is odd. Total. */
export function trimPod(raw: RawObject): TrimmedPod | undefined {
  const [metadata, spec, status] = [recordAt(raw, 'metadata'), recordAt(raw, 'spec'), recordAt(raw, 'status')];
  const [name, uid, ownerUid] = [textOf(metadata['name']), textOf(metadata['uid']), controllerUid(metadata)];
  const isLive = textOf(metadata['deletionTimestamp']) === undefined && status['phase'] !== 'Succeeded' && status['phase'] !== 'Failed';
  if (!isLive || name === undefined || uid === undefined || ownerUid === undefined) return undefined;
  return {
    name,
    uid,
    ownerUid,
    revisionHash: textOf(recordAt(metadata, 'labels')['controller-revision-hash']),
    node: textOf(spec['nodeName']),
    isReady: recordsOf(status['conditions']).some((condition) => condition['type'] === 'Ready' && condition['status'] === 'True'),
    containers: [
      ...containersOf(spec['containers'], status['containerStatuses']),
      // Native sidecars are among them.
      ...containersOf(spec['initContainers'], status['initContainerStatuses']),
    ],
    pullSecretNames: recordsOf(spec['imagePullSecrets']).flatMap((each) => textOf(each['name']) ?? []),
  };
}

/** The uid of the one owner that controls an object. */
export function controllerUid(metadata: RawObject): string | undefined {
  const owner = recordsOf(metadata['ownerReferences']).find(({ controller }) => controller === true);
  return textOf(owner?.['uid']);
}

/** Names and images come from the spec: a status names any tag of the same image. */
function containersOf(specs: unknown, statuses: unknown): RunningContainer[] {
  return recordsOf(specs).flatMap((spec) => {
    const container = textOf(spec['name']);
    if (container === undefined) return [];
    const status = recordsOf(statuses).find(({ name }) => name === container) ?? {};
    const reported = parseImageId(textOf(status['imageID']) ?? '');
    return {
      container,
      image: textOf(spec['image']) ?? '',
      digest: reported?.digest,
      isConfig: reported?.isConfig ?? false,
      waiting: waitingReason(status),
    };
  });
}

function waitingReason(status: RawObject): string | undefined {
  const waiting = recordAt(status, 'state')['waiting'];
  return isRecord(waiting) ? (textOf(waiting['reason']) ?? 'Waiting') : undefined;
}
