import { phaseOf } from '../core/update-request.ts';
import { phases, policyNames, type UpdateRequest } from '../core/update-request-schema.ts';
import { closedList, contains, formatCursor, inList, readCursor, readLimit } from './query-values.ts';

/** The query of `GET /updates`: filters, order, pages. */

export interface UpdatesQuery {
  readonly isWanted: (request: UpdateRequest) => boolean;
  /** undefined: everything. */
  readonly limit: number | undefined;
  readonly after: Position | undefined;
}

/** A place in the order, so that pages neither repeat nor skip what did not change. */
type Position = readonly [finished: 0 | 1, createdAt: string, namespace: string, name: string];

/** Reads the query. Throws HttpProblem for values that cannot be used. */
export function readUpdatesQuery(query: (name: string) => string | undefined): UpdatesQuery {
  const filters = [
    inList<UpdateRequest>(query('namespace'), (request) => request.metadata.namespace),
    inList(closedList('phase', query('phase'), phases), phaseOf),
    inList<UpdateRequest>(query('kind'), (request) => request.spec.targetRef.kind),
    inList<UpdateRequest>(closedList('policy', query('policy'), policyNames), (request) => request.spec.policy),
    contains(query('search'), textsOf),
  ].filter((filter) => filter !== undefined);
  return {
    isWanted: (request) => filters.every((filter) => filter(request)),
    limit: readLimit(query('limit')),
    after: readCursor(query('cursor'), isPosition),
  };
}

function textsOf({ metadata, spec }: UpdateRequest): readonly string[] {
  return [metadata.name, spec.targetRef.name, spec.containerName ?? '', spec.currentImage, spec.newImage];
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
    ...(last === undefined ? {} : { cursor: formatCursor(last.position) }),
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

function isPosition(value: unknown): value is Position {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [finished, ...texts]: unknown[] = value;
  return (finished === 0 || finished === 1) && texts.every((text) => typeof text === 'string');
}
