import { fileSchema, type FileValues } from './file-schema.ts';
import type { Variables } from './placeholders.ts';
import { type Path, type ReadValues, readValues } from './read-values.ts';
import { salvage } from './salvage.ts';
import { type Mistake, readYaml, type YamlEntry, type YamlMap } from './yaml-tree.ts';

/** What one place says: the file, or the ConfigMap. */
export interface Layer {
  /** `/etc/headwind/config.yaml`, `ConfigMap headwind-system/headwind-config, config.yaml` */
  readonly source: string;
  readonly values: FileValues;
  /** A whole document in YAML, not single keys. */
  readonly isDocument: boolean;
  /** Where a value stands, for messages: `/etc/headwind/config.yaml line 7`. */
  readonly where: (path: Path) => string;
}

export type LayerResult =
  | { readonly layer: Layer; readonly warnings: readonly string[] }
  /** `rest` is what is not wrong: to look for further mistakes in the files that it names. */
  | { readonly mistakes: readonly string[]; readonly rest: Layer };

export interface LayerSource {
  readonly source: string;
  /** What `${NAME}` may stand for; undefined: not to be used here. */
  readonly variables: Variables | undefined;
  /** Settings with which a ConfigMap could reach programs, or open a port, are for files. */
  readonly isFile: boolean;
}

/** Reads the YAML form: every mistake names source and line. */
export async function readLayer(text: string, source: LayerSource): Promise<LayerResult> {
  const document = await readYaml(text, source.variables);
  const read = readValues(document.root, fileSchema);
  return layerOf({ ...source, isDocument: true }, read, [...document.mistakes, ...read.unknown, ...read.mistakes].toSorted(byLine), []);
}

const documentKeys = /\.(yaml|yml|json|toml)$/;

/** Reads the flat keys of the ConfigMap: `polling.enabled: "true"`. An unknown one is a warning: others may keep keys there. */
export function readFlatLayer(data: Readonly<Record<string, string>>, source: LayerSource): LayerResult {
  const root: YamlMap = { kind: 'map', line: 0, entries: [] };
  for (const [name, value] of Object.entries(data)) if (!documentKeys.test(name)) put(root, name.split('.'), value.trim());
  const read = readValues(root, fileSchema);
  return layerOf({ ...source, isDocument: false }, read, read.mistakes, read.unknown);
}

function layerOf(
  source: LayerSource & { readonly isDocument: boolean },
  { values, plain, wrong, later, fileOnly, lineOf }: ReadValues<FileValues | undefined>,
  mistakes: readonly Mistake[],
  ignored: readonly Mistake[],
): LayerResult {
  const forbidden = source.isFile
    ? []
    : fileOnly.map(({ path, line }) => ({ line, message: `${path} may be set in the file only, not in a ConfigMap` }));
  const all = [...mistakes, ...forbidden, ...timingMistakes(values, lineOf)];
  const where = (path: Path): string => {
    const line = lineOf(path);
    return line === undefined || line === 0 ? source.source : `${source.source} line ${line}`;
  };
  const layer = { source: source.source, isDocument: source.isDocument, where };
  if (all.length > 0 || values === undefined) {
    return { mistakes: all.map((mistake) => tell(source, mistake)), rest: { ...layer, values: values ?? salvage(plain, wrong) } };
  }
  const warnings = [
    ...later.map((path) => `${source.source}: ${path} is set, but what it asks for is not available in this version`),
    ...ignored.map((mistake) => `${tell(source, mistake)}; it is ignored`),
  ];
  return { layer: { ...layer, values }, warnings };
}

function timingMistakes(values: FileValues | undefined, lineOf: (path: Path) => number | undefined): Mistake[] {
  if (values?.cronSchedule === undefined || values.interval === undefined) return [];
  const lines = [lineOf(['cronSchedule']), lineOf(['interval'])];
  return [{ line: lines[1], message: `interval and cronSchedule (line ${lines[0] ?? '?'}) are both set; write one of them` }];
}

function tell({ source }: LayerSource, { line, message }: Mistake): string {
  return line === undefined || line === 0 ? `${source}: ${message}` : `${source} line ${line}: ${message}`;
}

function byLine(a: Mistake, b: Mistake): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

function put(map: YamlMap, [name = '', ...rest]: readonly string[], text: string): void {
  const existing = map.entries.find(({ key }) => key === name);
  if (rest.length === 0) {
    if (existing === undefined) map.entries.push(entry(name, { kind: 'scalar', line: 0, text, written: text, isNull: text === '' }));
    return;
  }
  const inner: YamlMap = existing?.value.kind === 'map' ? existing.value : { kind: 'map', line: 0, entries: [] };
  if (existing === undefined) map.entries.push(entry(name, inner));
  put(inner, rest, text);
}

function entry(key: string, value: YamlEntry['value']): YamlEntry {
  return { key, written: key, line: 0, value };
}
