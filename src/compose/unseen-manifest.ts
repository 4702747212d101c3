import { annotationPrefix } from '../core/annotation-table.ts';
import { workloadKindNames } from '../core/workload.ts';
import { isRecord, recordAt, textOf } from '../kubernetes/raw.ts';
import { workloadKinds } from '../kubernetes/workload-kinds.ts';
import { readManifestWorkload } from './manifest-workload.ts';

/** An object of a file that has annotations of ours and that the operator would pass over. */
export interface UnseenManifest {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Its own annotations of ours, where they can be checked by themselves. */
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly severity: 'problem' | 'warning';
  /** Why nobody would read them, and what to do. */
  readonly message: string;
}

const charts: readonly unknown[] = ['HelmRelease', 'OCIRepository', 'HelmChart'];

/** undefined: it has no annotations of ours, or it is a workload that can be read. */
export function readUnseenManifest(raw: unknown, defaultNamespace: string): UnseenManifest | undefined {
  if (!isRecord(raw) || readManifestWorkload(raw, defaultNamespace)) return undefined;
  const metadata = recordAt(raw, 'metadata');
  const all = Object.entries(recordAt(metadata, 'annotations'));
  const annotations = Object.fromEntries(all.filter(([key]) => key.startsWith(annotationPrefix)));
  if (Object.keys(annotations).length === 0) return undefined;
  const object = {
    kind: textOf(raw['kind']) ?? 'object without kind',
    namespace: textOf(metadata['namespace']) ?? defaultNamespace,
    name: textOf(metadata['name']) ?? '?',
  };
  const row = Object.values(workloadKinds).find(({ kind }) => kind === object.kind);
  if (row === undefined) return { ...object, annotations: {}, ...ofOtherKind(object.kind) };
  if (raw['apiVersion'] !== row.apiVersion) {
    const message = `the apiVersion is ${JSON.stringify(raw['apiVersion']) ?? 'missing'}: only a ${row.kind} of ${row.apiVersion} is managed`;
    return { ...object, annotations, severity: 'problem', message };
  }
  // A patch for Kustomize has as little as this.
  const message = 'it has no name, or no containers with name and image (or too many): only the values of its annotations were checked';
  return { ...object, annotations, severity: 'warning', message };
}

function ofOtherKind(kind: string): Pick<UnseenManifest, 'severity' | 'message'> {
  if (charts.includes(kind))
    return { severity: 'warning', message: `annotations ${annotationPrefix}* on a ${kind} have no effect in this version` };
  const managed = workloadKindNames.join(', ');
  return { severity: 'problem', message: `annotations ${annotationPrefix}* have no effect here: only ${managed} are managed` };
}
