import * as v from 'valibot';
import { isObject } from '../core/json.ts';
import { fileSchema, type FileValues } from './file-schema.ts';
import type { Path } from './read-values.ts';

/** A configuration without the values at these paths, which are wrong: good for finding further mistakes, never for use. */
export function salvage(plain: unknown, wrong: readonly Path[]): FileValues {
  const rest = wrong.reduce<Readonly<Record<string, unknown>>>(without, isObject(plain) ? plain : {});
  const result = v.safeParse(fileSchema, rest);
  return result.success ? result.output : {};
}

function without(plain: Readonly<Record<string, unknown>>, [first, second, ...inner]: Path): Readonly<Record<string, unknown>> {
  const { registries } = plain;
  if (first !== 'registries' || typeof second !== 'number' || !Array.isArray(registries)) return leaveOut(plain, [String(first)]);
  return { ...plain, registries: registries.map((entry: unknown, index) => (index === second ? entryWithout(entry, inner) : entry)) };
}

/** The entry keeps its place, so that the paths of others stay true. */
const nobodys = { hostnamePattern: 'nobodys', secret: { type: 'None' } };

function entryWithout(entry: unknown, [name]: Path): unknown {
  if (!isObject(entry) || name === undefined) return nobodys;
  if (name === 'hostnamePattern' || name === 'secret') return { ...entry, [name]: nobodys[name] };
  // One of a pair: without the other nobody asks where it is.
  const isPair = name === 'clientCertificatePath' || name === 'clientKeyPath';
  return leaveOut(entry, isPair ? ['clientCertificatePath', 'clientKeyPath'] : [String(name)]);
}

function leaveOut(map: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(map).filter(([name]) => !names.includes(name)));
}
