import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAILSAFE_SCHEMA, loadAll, YAMLException } from 'js-yaml';
import { parseDuration } from '../../src/core/duration.ts';
import { workloadKindNames } from '../../src/core/workload.ts';

/** A value of a scenario file: every scalar is text. */
export type Value = string | readonly Value[] | { readonly [key: string]: Value };
export type Mapping = { readonly [key: string]: Value };

export interface Step {
  readonly name: string;
  readonly value: Value;
}

export interface Scenario {
  readonly file: string;
  readonly title: string;
  readonly given: Mapping;
  readonly steps: readonly Step[];
}

/** All scenarios of this folder, one for each combination of `kinds` and `each`. */
export function readScenarios(folder: string): Scenario[] {
  return globSync('*.yaml', { cwd: folder })
    .sort()
    .flatMap((file) => readDocuments(file, readFileSync(join(folder, file), 'utf8')));
}

/** The scenarios of one file: YAML documents, each a scenario, with `${name}` replaced by the values of `each` and `kinds`. */
export function readDocuments(file: string, text: string): Scenario[] {
  return load(file, text)
    .filter((document) => document !== '')
    .flatMap((document) => expand(file, mapping(document, file)));
}

function load(file: string, yaml: string): Value[] {
  try {
    return loadAll(yaml, { schema: FAILSAFE_SCHEMA, filename: file }) as unknown as Value[];
  } catch (error) {
    throw new Error(error instanceof YAMLException ? error.toString(true) : 'unreadable', { cause: error });
  }
}

function expand(file: string, document: Mapping): Scenario[] {
  const where = `${file}: ${JSON.stringify(document['title'])}`;
  const { title, kinds, each, given, steps } = members(document, where, ['title', 'kinds', 'each', 'given', 'steps']);
  const rows = each === undefined ? [{}] : list(each).map((row) => mapping(row, where));
  const kindRows: readonly Mapping[] = kinds === 'all' ? workloadKindNames.map((kind) => ({ kind })) : [{}];
  return kindRows.flatMap((kind) =>
    rows.map((row) => ({
      file,
      title: describe(text(title, where), kind, row),
      given: mapping(replace(given ?? {}, { ...kind, ...row }), where),
      steps: list(replace(steps ?? [], { ...kind, ...row })).map((step) => readStep(step, where)),
    })),
  );
}

/** The title with its variables filled in; those of a title without any stand behind it. */
function describe(title: string, kind: Mapping, row: Mapping): string {
  const values = [...Object.values(kind), ...(title.includes('${') ? [] : Object.values(row))];
  const said = values.filter((value) => typeof value === 'string').join(', ');
  return `${fill(title, row)}${said === '' ? '' : ` (${said})`}`;
}

function readStep(value: Value, where: string): Step {
  if (typeof value === 'string') return { name: value, value: '' };
  const [entry, other] = Object.entries(mapping(value, where));
  if (!entry || other) throw new Error(`${where}: a step has exactly one name: ${JSON.stringify(value)}`);
  return { name: entry[0], value: entry[1] };
}

function replace(value: Value, variables: Mapping): Value {
  if (typeof value === 'string') {
    const whole = /^\$\{(\w+)\}$/.exec(value)?.[1];
    return (whole === undefined ? undefined : variables[whole]) ?? fill(value, variables);
  }
  if (isList(value)) return value.map((item) => replace(item, variables));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [fill(key, variables), replace(item, variables)]));
}

function fill(template: string, variables: Mapping): string {
  return template.replace(/\$\{(\w+)\}/g, (match, name: string) => {
    const value = variables[name];
    return typeof value === 'string' ? value : match;
  });
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function mapping(value: Value | undefined, where: string): Mapping {
  if (value === undefined || value === '') return {};
  if (typeof value === 'string' || isList(value)) throw new Error(`${where}: ${JSON.stringify(value)} is no mapping`);
  return value;
}

/** A list, or the one value as a list of one. */
export function list(value: Value | undefined): readonly Value[] {
  if (value === undefined || value === '') return [];
  return isList(value) ? value : [value];
}

export function text(value: Value | undefined, where: string): string {
  if (typeof value !== 'string') throw new Error(`${where} must be text, not ${JSON.stringify(value)}`);
  return value;
}

export function duration(value: Value | undefined, where: string): number {
  const written = text(value, where);
  const ms = /^\d+ms$/.test(written) ? Number.parseInt(written, 10) : parseDuration(written);
  if (ms === undefined) throw new Error(`${where}: ${written} is no duration`);
  return ms;
}

/** The members by name; any other is a mistake. */
export function members<K extends string>(value: Value | undefined, where: string, names: readonly K[]): { readonly [key in K]?: Value } {
  const found = mapping(value, where);
  const unknown = Object.keys(found).filter((key) => !names.some((name) => name === key));
  if (unknown.length > 0) throw new Error(`${where}: unknown ${unknown.join(', ')}; known are ${names.join(', ')}`);
  return found as { readonly [key in K]?: Value };
}
