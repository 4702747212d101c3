/** Reading JSON of the API server without trusting its shape. Each gives `undefined` (or nothing) where the value is something else. */
export type RawObject = Readonly<Record<string, unknown>>;

const nothing: RawObject = Object.freeze({});

export function isRecord(value: unknown): value is RawObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at this path; an empty one where there is none. */
export function recordAt(value: unknown, ...path: readonly string[]): RawObject {
  let current = value;
  for (const member of path) current = isRecord(current) ? current[member] : undefined;
  return isRecord(current) ? current : nothing;
}

/** A text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The objects of a list; anything else in it is left out. */
export function recordsOf(value: unknown): readonly RawObject[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
