import { HttpProblem } from './problem.ts';

/** Values of a query: comma lists, words, limits, places in a list. Each throws HttpProblem for what cannot be used. */

const largestPage = 1000;

/** Is the value one of a comma list? undefined: no list, everything is wanted. Case does not matter. */
export function inList<T>(list: string | undefined, valueOf: (item: T) => string): ((item: T) => boolean) | undefined {
  const wanted = new Set(itemsOf(list).map((item) => item.toLowerCase()));
  return wanted.size === 0 ? undefined : (item) => wanted.has(valueOf(item).toLowerCase());
}

/** The list as it is, when all its words are known. */
export function closedList(name: string, list: string | undefined, known: readonly string[]): string | undefined {
  const unknown = itemsOf(list).find((item) => !known.some((word) => word.toLowerCase() === item.toLowerCase()));
  if (unknown !== undefined) throw unusable(`"${unknown.slice(0, 50)}" is no ${name}; use ${known.join(', ')}`);
  return list;
}

/** Does one of the texts contain what is searched for? */
export function contains<T>(search: string | undefined, textsOf: (item: T) => readonly string[]): ((item: T) => boolean) | undefined {
  const wanted = search?.trim().toLowerCase() ?? '';
  return wanted === '' ? undefined : (item) => textsOf(item).some((text) => text.toLowerCase().includes(wanted));
}

export function itemsOf(list: string | undefined): string[] {
  return (list ?? '').split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
}

export function readLimit(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw unusable('limit must be a whole number from 1');
  return Math.min(Number(text), largestPage);
}

/** What {@link formatCursor} gave. */
export function readCursor<T>(text: string | undefined, isPosition: (value: unknown) => value is T): T | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isPosition(value)) return value;
  } catch {
    // Answered below like any other text that is no cursor.
  }
  throw unusable('cursor is not one that this API gave');
}

export function formatCursor(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

export function unusable(sentence: string): HttpProblem {
  return new HttpProblem({ status: 400, reason: 'BadRequest', sentence: `Unusable query: ${sentence}` });
}
