import type * as v from 'valibot';
import { factsOf } from '../src/config/file-leaf.ts';
import { fileSchema } from '../src/config/file-schema.ts';
import { formsOf, isMapSchema, itemOf, unwrap, valueOf } from '../src/config/schema-shape.ts';

export interface FileKey {
  /** `registries[].secret.type`, `registryAliases.<name>` */
  readonly path: string;
  readonly accepts: string;
  readonly default: string | undefined;
  readonly help: string;
}

/** Every key of the configuration file that means something in this version, in the order of the schema. */
export function fileKeys(): readonly FileKey[] {
  return keysOf(fileSchema, '');
}

/** Keys that are accepted for later versions. */
export function laterKeys(): readonly string[] {
  return Object.entries(fileSchema.entries).flatMap(([name, schema]) => (factsOf(schema).later === true ? [name] : []));
}

/** Keys that count in the file only. */
export function fileOnlyKeys(): readonly string[] {
  return Object.entries(fileSchema.entries).flatMap(([name, schema]) => (factsOf(schema).fileOnly === true ? [name] : []));
}

function keysOf(schema: v.GenericSchema, prefix: string): readonly FileKey[] {
  const form = unwrap(schema);
  const item = itemOf(form);
  if (item) return formsOf(unwrap(item)).flatMap((each) => keysOf(each, `${prefix}[]`));
  if (!isMapSchema(form)) return [];
  return Object.entries(form.entries).flatMap(([name, entry]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (factsOf(entry).later === true) return [];
    const below = formsOf(unwrap(entry)).flatMap((each) => keysOf(each, path));
    return isMapSchema(unwrap(entry)) ? below : [fileKey(path, entry), ...below];
  });
}

function fileKey(path: string, schema: v.GenericSchema): FileKey {
  const { help = '', default: fallback } = factsOf(schema);
  return { path, accepts: acceptsOf(schema), default: fallback, help };
}

function acceptsOf(schema: v.GenericSchema): string {
  const form = unwrap(schema);
  const value = valueOf(form);
  if (value) return `a map of names to ${acceptsOf(value)}`;
  const own = factsOf(schema).form;
  return own ?? ('message' in form && typeof form.message === 'string' ? form.message : '');
}
