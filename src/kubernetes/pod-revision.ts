import type { Workload } from '../core/workload.ts';
import type { KubeClient } from './client.ts';
import { listPages } from './list-pages.ts';
import { numberOf, type RawObject, recordAt, textOf } from './raw.ts';
import { resourcePath } from './resource-path.ts';
import { controllerUid, type TrimmedPod } from './trim-pod.ts';

/** Whose pod is it: `current` and `old` are the workload's own, of its newest revision and of an earlier one. */
export type Membership = (pod: Pick<TrimmedPod, 'ownerUid' | 'revisionHash'>) => 'current' | 'old' | undefined;

interface Question {
  readonly workload: Workload;
  /** The workload as the API server has it. */
  readonly raw: RawObject;
  readonly labelSelector: string;
  readonly signal: AbortSignal;
}

type Client = Pick<KubeClient, 'json'>;

/**
 * Tells the pods of a workload by owner uid, and those of its newest revision among them. As long as its controller has not seen the latest
 * template, that revision does not exist yet: no pod is of it.
 */
export async function membershipOf(client: Client, question: Question): Promise<Membership> {
  const { workload, raw } = question;
  if (workload.kind === 'Deployment') return await byReplicaSet(client, question);
  const isSeen = hasSeenTemplate(raw);
  const newest = workload.kind === 'DaemonSet' ? isSeen && (await newestRevision(client, question)) : isSeen && updateRevision(raw);
  return ({ ownerUid, revisionHash }) => {
    if (ownerUid !== workload.uid) return undefined;
    return revisionHash !== undefined && revisionHash === newest ? 'current' : 'old';
  };
}

/** Its pods belong to its ReplicaSets; the newest is the one with the Deployment's own revision number. */
async function byReplicaSet(client: Client, { workload, raw, labelSelector, signal }: Question): Promise<Membership> {
  const newest = hasSeenTemplate(raw) ? revisionNumber(raw) : undefined;
  const trim = (object: RawObject) => {
    const metadata = recordAt(object, 'metadata');
    const uid = textOf(metadata['uid']);
    if (uid === undefined || controllerUid(metadata) !== workload.uid) return undefined;
    const number = revisionNumber(object);
    return [uid, number !== undefined && number === newest ? 'current' : 'old'] as const;
  };
  const path = resourcePath('apps/v1', 'replicasets', workload.namespace);
  const replicaSets = new Map(await listPages(client, { path, labelSelector, trim, metadataOnly: true, signal }));
  return ({ ownerUid }) => replicaSets.get(ownerUid);
}

/** The hash of the DaemonSet's ControllerRevision with the highest number. */
async function newestRevision(client: Client, { workload, labelSelector, signal }: Question): Promise<string | undefined> {
  const trim = (object: RawObject) => {
    const metadata = recordAt(object, 'metadata');
    if (controllerUid(metadata) !== workload.uid) return undefined;
    return { number: numberOf(object['revision']) ?? 0, hash: textOf(recordAt(metadata, 'labels')['controller-revision-hash']) };
  };
  const path = resourcePath('apps/v1', 'controllerrevisions', workload.namespace);
  const revisions = await listPages(client, { path, labelSelector, trim, signal });
  return revisions.toSorted((a, b) => b.number - a.number)[0]?.hash;
}

function updateRevision(raw: RawObject): string | undefined {
  return textOf(recordAt(raw, 'status')['updateRevision']);
}

function revisionNumber(raw: RawObject): string | undefined {
  return textOf(recordAt(raw, 'metadata', 'annotations')['deployment.kubernetes.io/revision']);
}

function hasSeenTemplate(raw: RawObject): boolean {
  const generation = numberOf(recordAt(raw, 'metadata')['generation']) ?? 0;
  return (numberOf(recordAt(raw, 'status')['observedGeneration']) ?? -1) >= generation;
}
