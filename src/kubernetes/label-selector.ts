import { type RawObject, recordAt, recordsOf, textOf } from './raw.ts';

/**
 * A label selector of an object (`matchLabels` and `matchExpressions`) as the text of a query. What cannot be read asks for nothing:
 * the answer then holds more than the selector meant, never less.
 */
export function formatSelector(selector: RawObject): string {
  const labels = Object.entries(recordAt(selector, 'matchLabels')).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${key}=${value}`] : [],
  );
  return [...labels, ...recordsOf(selector['matchExpressions']).flatMap(requirement)].join(',');
}

function requirement(expression: RawObject): string[] {
  const key = textOf(expression['key']);
  const given: readonly unknown[] = Array.isArray(expression['values']) ? expression['values'] : [];
  const values = given.filter((value) => typeof value === 'string');
  if (key === undefined) return [];
  switch (expression['operator']) {
    case 'Exists':
      return [key];
    case 'DoesNotExist':
      return [`!${key}`];
    case 'In':
      return values.length === 0 ? [] : [`${key} in (${values.join(',')})`];
    case 'NotIn':
      return values.length === 0 ? [] : [`${key} notin (${values.join(',')})`];
    default:
      return [];
  }
}
