import { phaseOf } from '../core/update-request.ts';
import { phases, policyNames, type UpdateRequest } from '../core/update-request-schema.ts';
import { HttpProblem } from './problem.ts';

/** The query of `GET /updates`: filters, order, pages. */

export interface UpdatesQuery {
  readonly isWanted: (request: UpdateRequest) => boolean;
  /** undefined: everything. */
  readonly limit: number | undefined;
  readonly after: Position | undefined;
}

/** A place in the order, so that pages neither repeat nor skip what did not change. */
type Position = readonly [finished: 0 | 1, createdAt: string, namespace: string, name: string];

const largestPage = 1000;

/** Reads the query. Throws HttpProblem for values that cannot be used. */
export function readUpdatesQuery(query: (name: string) => string | undefined): UpdatesQuery {
  const filters = [
    inList(query('namespace'), (request) => request.metadata.namespace),
    inList(closedList('phase', query('phase'), phases), phaseOf),
    inList(query('kind'), (request) => request.spec.targetRef.kind),
    inList(closedList('policy', query('policy'), policyNames), (request) => request.spec.policy),
    contains(query('search')),
  ].filter((filter) => filter !== undefined);
  return {
    isWanted: (request) => filters.every((filter) => filter(request)),
    limit: readLimit(query('limit')),
    after: readCursor(query('cursor')),
  };
}

export interface Page {
  readonly requests: readonly UpdateRequest[];
  /** How many match, on all pages. */
  readonly total: number;
  /** Where the next page begins; missing on the last one. */
  readonly cursor?: string;
}

/** The wanted requests of one page: Pending first, then the newest first. */
export function pageOf(all: Iterable<UpdateRequest>, { isWanted, limit, after }: UpdatesQuery): Page {
  const positioned: { position: Position; request: UpdateRequest }[] = [];
  for (const request of all) if (isWanted(request)) positioned.push({ position: positionOf(request), request });
  positioned.sort((a, b) => comparePositions(a.position, b.position));
  const rest = after === undefined ? positioned : positioned.filter(({ position }) => comparePositions(position, after) > 0);
  const page = limit === undefined ? rest : rest.slice(0, limit);
  const last = page.length < rest.length ? page.at(-1) : undefined;
  return {
    requests: page.map(({ request }) => request),
    total: positioned.length,
    ...(last === undefined ? {} : { cursor: Buffer.from(JSON.stringify(last.position)).toString('base64url') }),
  };
}

function positionOf(request: UpdateRequest): Position {
  const { creationTimestamp, namespace, name } = request.metadata;
  return [phaseOf(request) === 'Pending' ? 0 : 1, creationTimestamp, namespace, name];
}

/** RFC 3339 of the API server has one form, so its texts order as times do. */
function comparePositions(a: Position, b: Position): number {
  return a[0] - b[0] || compareTexts(b[1], a[1]) || compareTexts(a[2], b[2]) || compareTexts(a[3], b[3]);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

type Filter = (request: UpdateRequest) => boolean;

function inList(list: string | undefined, valueOf: (request: UpdateRequest) => string): Filter | undefined {
  const wanted = new Set(itemsOf(list).map((item) => item.toLowerCase()));
  return wanted.size === 0 ? undefined : (request) => wanted.has(valueOf(request).toLowerCase());
}

function closedList(name: string, list: string | undefined, known: readonly string[]): string | undefined {
  const unknown = itemsOf(list).find((item) => !known.some((word) => word.toLowerCase() === item.toLowerCase()));
  if (unknown !== undefined) throw unusable(`"${unknown.slice(0, 50)}" is no ${name}; use ${known.join(', ')}`);
  return list;
}

function contains(search: string | undefined): Filter | undefined {
  const wanted = search?.trim().toLowerCase() ?? '';
  if (wanted === '') return undefined;
  return ({ metadata, spec }) =>
    [metadata.name, spec.targetRef.name, spec.containerName ?? '', spec.currentImage, spec.newImage].some((text) =>
      text.toLowerCase().includes(wanted),
    );
}

function itemsOf(list: string | undefined): string[] {
  return (list ?? '').split(',').flatMap((item) => (item.trim() === '' ? [] : [item.trim()]));
}

function readLimit(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw unusable('limit must be a whole number from 1');
  return Math.min(Number(text), largestPage);
}

function readCursor(text: string | undefined): Position | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isPosition(value)) return value;
  } catch {
    // Answered below like any other text that is no cursor.
  }
  throw unusable('cursor is not one that this API gave');
}

function isPosition(value: unknown): value is Position {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [finished, ...texts]: unknown[] = value;
  return (finished === 0 || finished === 1) && texts.every((text) => typeof text === 'string');
}

function unusable(sentence: string): HttpProblem {
  return new HttpProblem({ status: 400, reason: 'BadRequest', sentence: `Unusable query: ${sentence}` });
}
