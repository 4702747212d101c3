import * as v from 'valibot';
import { nearest } from '../core/nearest.ts';
import { factsOf, sentenceOf } from './file-leaf.ts';
import { formsOf, isMapSchema, itemOf, type MapSchema, schemaAt, unwrap, valueOf } from './schema-shape.ts';
import type { Mistake, YamlMap, YamlNode } from './yaml-tree.ts';

/** `['registries', 0, 'secret']` */
export type Path = readonly (string | number)[];

export interface ReadValues<Values> {
  readonly values: Values;
  readonly mistakes: readonly Mistake[];
  /** What was read, and where in it something is wrong: to look further in the rest. */
  readonly plain: unknown;
  readonly wrong: readonly Path[];
  /** Keys that the schema does not have, at any depth. */
  readonly unknown: readonly Mistake[];
  /** Paths of keys that were written, by what they are: of a later version, or only for a file. */
  readonly later: readonly string[];
  readonly fileOnly: readonly { readonly path: string; readonly line: number }[];
  /** The line of a value, or of what it would stand in. */
  readonly lineOf: (path: Path) => number | undefined;
}

/** Stands for a list or map where the schema has something else, so that it says so. */
const unreadable = Symbol('unreadable');

/**
 * A document → the values that the schema asks for. Every mistake has path and line, none ends the search for others; `values` is to be
 * used only when there is none.
 */
export function readValues<const Schema extends v.GenericSchema>(
  root: YamlNode | undefined,
  schema: Schema,
): ReadValues<v.InferOutput<Schema> | undefined> {
  const reader = new ValueReader();
  const plain = root === undefined || isNull(root) ? {} : reader.read(root, schema, []);
  const result = v.safeParse(schema, plain);
  const issues = (result.issues ?? []).flatMap((issue) => reader.mistakeOf(schema, issue));
  return {
    values: result.success ? result.output : undefined,
    plain,
    wrong: (result.issues ?? []).map(pathOf),
    unknown: reader.unknown,
    mistakes: [...reader.mistakes, ...issues].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)),
    later: reader.later,
    fileOnly: reader.fileOnly,
    lineOf: (path) => reader.lineOf(path),
  };
}

/** `registries[0].secret` */
export function formatPath(path: Path): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

function pathOf(issue: v.BaseIssue<unknown>): Path {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
}

class ValueReader {
  readonly mistakes: Mistake[] = [];
  readonly unknown: Mistake[] = [];
  readonly later: string[] = [];
  readonly fileOnly: { path: string; line: number }[] = [];
  readonly #nodes = new Map<string, YamlNode>();

  /** Plain values with the keys as the schema writes them; what cannot be read so is left as it is, for the schema to refuse. */
  read(node: YamlNode, schema: v.GenericSchema, path: Path): unknown {
    this.#nodes.set(formatPath(path), node);
    if (node.kind === 'scalar') return node.isNull ? undefined : node.text;
    const form = formFor(unwrap(schema), node);
    if (node.kind === 'list') {
      const item = itemOf(form);
      return item ? node.items.map((each, index) => this.read(each, item, [...path, index])) : unreadable;
    }
    const value = valueOf(form);
    if (value) return this.#readRecord(node, value, path);
    return isMapSchema(form) ? this.#readMap(node, form, path) : unreadable;
  }

  lineOf(path: Path): number | undefined {
    for (let length = path.length; length >= 0; length--) {
      const node = this.#nodes.get(formatPath(path.slice(0, length)));
      if (node) return node.line;
    }
    return undefined;
  }

  mistakeOf(schema: v.GenericSchema, issue: v.BaseIssue<unknown>, above: Path = []): Mistake[] {
    const path = [...above, ...pathOf(issue)];
    const name = path.length === 0 ? 'the document' : formatPath(path);
    const line = this.lineOf(path);
    const node = this.#nodes.get(formatPath(path));
    const at = schemaAt(schema, path);
    if (node === undefined || isNull(node)) return [{ line, message: `${name} is missing; write ${formOf(at) ?? issue.message}` }];
    // A map in the place of a choice: what is wrong in it says more than that it is wrong.
    const inner = node.kind === 'map' ? (issue.issues?.filter((each) => (each.path?.length ?? 0) > 0) ?? []) : [];
    if (inner.length > 0) return inner.flatMap((each) => this.mistakeOf(schema, each, path));
    if (node.kind === 'scalar' && node.isUnknown === true) return [];
    const sentence = node.kind === 'scalar' && node.written === node.text ? sentenceOf(issue) : undefined;
    if (sentence !== undefined) return [{ line, message: `${name}: ${sentence}` }];
    return [{ line, message: `${name}: ${shown(node, factsOf(at).secret === true)} is not valid; write ${issue.message}` }];
  }

  #readMap(node: YamlMap, { entries }: MapSchema, path: Path): object {
    const read = new Map<string, { value: unknown; written: string; line: number }>();
    for (const { key, written, line, value, isUnknown } of node.entries) {
      if (isUnknown === true) continue;
      const name = Object.hasOwn(entries, key) ? key : camelCase(key);
      const schema = Object.hasOwn(entries, name) ? entries[name] : undefined;
      const earlier = read.get(name);
      if (schema === undefined) this.unknown.push({ line, message: unknownKey(written, path, entries) });
      else if (earlier)
        this.mistakes.push({
          line,
          message: `"${written}" and "${earlier.written}" (line ${earlier.line}) are the same key; write it once`,
        });
      else read.set(name, { value: this.#readKey(value, schema, [...path, name], line), written, line });
    }
    return Object.fromEntries([...read].flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value]])));
  }

  #readKey(node: YamlNode, schema: v.GenericSchema, path: Path, line: number): unknown {
    const { later, fileOnly } = factsOf(schema);
    if (later === true) {
      if (!isNull(node)) this.later.push(formatPath(path));
      return undefined;
    }
    if (fileOnly === true) this.fileOnly.push({ path: formatPath(path), line });
    return this.read(node, schema, path);
  }

  /** The keys are the user's: they are taken as they are. */
  #readRecord(node: YamlMap, value: v.GenericSchema, path: Path): object {
    return Object.fromEntries(node.entries.map((entry) => [entry.key, this.read(entry.value, value, [...path, entry.key])]));
  }
}

/** Of a choice, the form that a map can have for a map, and the other one for anything else. */
function formFor(schema: v.GenericSchema, node: YamlNode): v.GenericSchema | undefined {
  const forms = formsOf(schema);
  return forms.length === 1 ? forms[0] : forms.find((form) => isMapSchema(form) === (node.kind === 'map'));
}

function formOf(schema: v.GenericSchema): string | undefined {
  const form = unwrap(schema);
  return factsOf(schema).form ?? ('message' in form && typeof form.message === 'string' ? form.message : undefined);
}

function unknownKey(written: string, path: Path, entries: MapSchema['entries']): string {
  const known = Object.keys(entries).filter((name) => !isLater(entries[name]));
  const guess = nearest(camelCase(written), Object.keys(entries));
  const where = path.length === 0 ? '' : ` in ${formatPath(path)}`;
  return `"${written}" is no key${where}${guess === undefined ? '' : `; did you mean ${guess}?`} (known: ${known.join(', ')})`;
}

function isLater(schema: v.GenericSchema | undefined): boolean {
  return schema !== undefined && factsOf(schema).later === true;
}

function shown(node: YamlNode, isSecret: boolean): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a map';
  if (isSecret) return '(hidden)';
  const text = node.written.replaceAll(/:\/\/\S+@/g, '://(hidden)@');
  return `"${text.length > 200 ? `${text.slice(0, 200)}…` : text}"`;
}

function isNull(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.isNull;
}

/** `ca_certificate_paths` → `caCertificatePaths` */
function camelCase(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
}
