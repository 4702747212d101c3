import { isRecord, recordAt } from '../kubernetes/raw.ts';

export const rolloutLabel = 'kube-autorollout/enabled';

/** Sentences about a label that is there, and that nobody would follow: its value, or its place. */
export function labelMistakes(raw: unknown, podTemplate: readonly string[]): readonly string[] {
  if (!isRecord(raw)) return [];
  const value = recordAt(raw, 'metadata', 'labels')[rolloutLabel];
  if (value === 'true') return [];
  const pods = [...podTemplate, 'metadata'];
  const places: readonly (readonly [where: string, at: readonly string[]])[] = [
    ['among the annotations', ['metadata', 'annotations']],
    ['on the pod template', [...pods, 'labels']],
    ['among the annotations of the pod template', [...pods, 'annotations']],
  ];
  const misplaced = places.filter(([, at]) => rolloutLabel in recordAt(raw, ...at));
  return [
    ...(value === undefined || value === 'false'
      ? []
      : [`the label ${rolloutLabel} is ${JSON.stringify(value)}: only the text "true" counts, so nobody restarts it`]),
    ...misplaced.map(([where]) => `${rolloutLabel} stands ${where}, where nobody reads it: make it a label of the workload`),
  ];
}
