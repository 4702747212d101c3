type Json = Record<string, any>;

/** RFC 7386: null removes. */
export function mergePatch(target: unknown, patch: unknown): any {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** What Kubernetes makes of a strategic merge patch, for the lists we patch: those whose items have a `name` merge by it. */
export function strategicMergePatch(target: unknown, patch: unknown): any {
  if (Array.isArray(patch)) return Array.isArray(target) ? mergeByName(target, patch) : patch;
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = strategicMergePatch(result[key], value);
  }
  return result;
}

function mergeByName(target: any[], patch: any[]): any[] {
  const merged = target.map((item) => strategicMergePatch(item, patch.find(({ name }) => name === item.name) ?? {}));
  return [...merged, ...patch.filter(({ name }) => !target.some((item) => item.name === name))];
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
