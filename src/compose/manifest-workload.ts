import { annotationPrefix } from '../core/annotation-table.ts';
import type { Workload } from '../core/workload.ts';
import { recordAt, isRecord, textOf } from '../kubernetes/raw.ts';
import { SharedTexts } from '../kubernetes/shared-texts.ts';
import { trimWorkload } from '../kubernetes/trim-workload.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import type { Log } from '../ports.ts';
import { labelMistakes, rolloutLabel } from './rollout-label.ts';

/** A workload as it stands in a file, before an API server has seen it. */
export interface ManifestWorkload {
  /** As the operator would read it; with the policy `none` where the manifest has none. */
  readonly workload: Workload;
  /** The annotations of ours that it really has, on the workload itself, whatever their type. */
  readonly annotations: Readonly<Record<string, unknown>>;
  /** Keys of ours on the pod template, where nobody reads them. */
  readonly misplaced: readonly string[];
  /** Sentences about a label of kube-autorollout that nobody would follow. */
  readonly labelMistakes: readonly string[];
  /** It has annotations of ours, or that label, somewhere. */
  readonly isMeant: boolean;
}

const nothing = (): void => undefined;
const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const policyKey = `${annotationPrefix}policy`;

/** undefined: of another kind, or without a name or containers. */
export function readManifestWorkload(raw: unknown, defaultNamespace: string): ManifestWorkload | undefined {
  const row = Object.values(workloadKinds).find(
    ({ kind, apiVersion }) => isRecord(raw) && raw['kind'] === kind && raw['apiVersion'] === apiVersion,
  );
  if (!row || !isRecord(raw)) return undefined;
  const metadata = recordAt(raw, 'metadata');
  const annotations = ownOf(recordAt(metadata, 'annotations'));
  const labelled = recordAt(metadata, 'labels')[rolloutLabel] === 'true';
  const texts = Object.fromEntries(Object.entries(annotations).filter(([, value]) => typeof value === 'string'));
  const identity = { namespace: textOf(metadata['namespace']) ?? defaultNamespace, uid: 'manifest', resourceVersion: '0' };
  const complete = {
    ...raw,
    metadata: { ...metadata, ...identity, annotations: { ...(labelled ? {} : { [policyKey]: 'none' }), ...texts } },
  };
  const workload = trimWorkload(row, complete, { texts: new SharedTexts(), log: silent });
  const misplaced = Object.keys(ownOf(recordAt(raw, ...row.podTemplate, 'metadata', 'annotations')));
  // Nothing rolls out yet: what a manifest says of a status is not asked.
  if (!workload) return undefined;
  const mistakes = labelMistakes(raw, row.podTemplate);
  const isMeant = Object.keys(annotations).length + misplaced.length + mistakes.length > 0 || labelled;
  const settled = { ...workload, rollout: { settled: true, healthy: true, message: '' } };
  return { workload: settled, annotations, misplaced, labelMistakes: mistakes, isMeant };
}

function ownOf(annotations: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => key.startsWith(annotationPrefix)));
}

/** What a plan is made of: only what is really managed. */
export function managedWorkload(raw: unknown, defaultNamespace: string): Workload | undefined {
  const found = readManifestWorkload(raw, defaultNamespace);
  return found && (found.workload.autorollout || typeof found.annotations[policyKey] === 'string') ? found.workload : undefined;
}
