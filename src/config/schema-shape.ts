import type * as v from 'valibot';
import type { Path } from './read-values.ts';

/** A schema of a map whose keys are known. */
export type MapSchema = v.GenericSchema & { readonly entries: Readonly<Record<string, v.GenericSchema>> };

export function isMapSchema(schema: v.GenericSchema | undefined): schema is MapSchema {
  return schema?.type === 'strict_object';
}

/** The schema without what says that it may be missing. */
export function unwrap(schema: v.GenericSchema): v.GenericSchema {
  return schema.type === 'optional' && 'wrapped' in schema && isSchema(schema.wrapped) ? schema.wrapped : schema;
}

/** Of what a list consists; undefined when it is no list. */
export function itemOf(schema: v.GenericSchema | undefined): v.GenericSchema | undefined {
  return schema?.type === 'array' && 'item' in schema && isSchema(schema.item) ? schema.item : undefined;
}

/** The values of a map whose keys are the user's; undefined when it is none. */
export function valueOf(schema: v.GenericSchema | undefined): v.GenericSchema | undefined {
  return schema?.type === 'record' && 'value' in schema && isSchema(schema.value) ? schema.value : undefined;
}

/** The forms of a choice; any other schema is its only form. */
export function formsOf(schema: v.GenericSchema): readonly v.GenericSchema[] {
  if (schema.type !== 'union' || !('options' in schema) || !Array.isArray(schema.options)) return [schema];
  return schema.options.filter((option) => isSchema(option));
}

/** The schema of the value at this path; where the path leads nowhere, that of the last value on it. */
export function schemaAt(schema: v.GenericSchema, path: Path): v.GenericSchema {
  let current = schema;
  for (const part of path) {
    const members = formsOf(unwrap(current)).map((form) => memberOf(form, part));
    const next = members.find((member) => member !== undefined);
    if (next === undefined) return current;
    current = next;
  }
  return current;
}

function memberOf(schema: v.GenericSchema, part: string | number): v.GenericSchema | undefined {
  const any = itemOf(schema) ?? valueOf(schema);
  if (any) return any;
  return isMapSchema(schema) && Object.hasOwn(schema.entries, part) ? schema.entries[part] : undefined;
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'schema';
}
