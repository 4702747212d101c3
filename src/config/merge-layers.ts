import type { FileValues } from './file-schema.ts';
import type { Layer } from './layer.ts';
import type { Path } from './read-values.ts';

/** What all layers say together. */
export interface MergedValues {
  readonly values: FileValues;
  /** A file, or the key `config.yaml`, is among them. */
  readonly hasDocument: boolean;
  /** Where the value that counts stands. */
  readonly where: (path: Path) => string;
}

/** Later layers win: lists and single values whole, groups (`polling`, `tls`) key by key; a schedule in either form replaces the one below it. */
export function mergeLayers(layers: readonly Layer[]): MergedValues {
  const values = layers.reduce<FileValues>((below, layer) => over(below, layer.values), {});
  const hasDocument = layers.some(({ isDocument }) => isDocument);
  return { values, hasDocument, where: (path) => layers.findLast((layer) => says(layer, path))?.where(path) ?? 'the configuration' };
}

function over(below: FileValues, above: FileValues): FileValues {
  const isTimed = above.cronSchedule !== undefined || above.interval !== undefined;
  const untimed = Object.entries(below).filter(([name]) => !isTimed || (name !== 'cronSchedule' && name !== 'interval'));
  const groups = (['tls', 'featureFlags', 'polling', 'controllers', 'updateRequests'] as const).flatMap((name) =>
    above[name] === undefined ? [] : [[name, { ...below[name], ...above[name] }] as const],
  );
  return { ...Object.fromEntries(untimed), ...above, ...Object.fromEntries(groups) };
}

function says({ values }: Layer, [first, second]: Path): boolean {
  const value = Object.entries(values).find(([name]) => name === first)?.[1];
  if (value === undefined) return false;
  if (second === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  return Object.hasOwn(value, second);
}
