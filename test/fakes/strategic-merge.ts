/** What Kubernetes makes of a strategic merge patch, for the lists we patch: those whose items have a `name` merge by it. */
export function strategicMergePatch(target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) return Array.isArray(target) ? mergeByName(target, patch) : patch;
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = strategicMergePatch(merged[key], value);
  }
  return merged;
}

function mergeByName(target: any[], patch: any[]): unknown[] {
  const merged = target.map((item) => strategicMergePatch(item, patch.find(({ name }) => name === item.name) ?? {}));
  return [...merged, ...patch.filter(({ name }) => !target.some((item) => item.name === name))];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
