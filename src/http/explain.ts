import { readWorkloadKind } from '../core/workload-kind.ts';
import { type Workload, workloadKindNames } from '../core/workload.ts';
import { type ExplainDeps, explainWorkload, summarizeWorkload } from '../operator/explain.ts';
import type { HttpContext, Route } from './app.ts';
import { HttpProblem } from './problem.ts';
import { contains, formatCursor, inList, itemsOf, readCursor, readLimit, unusable } from './query-values.ts';

/** Why workloads are, or are not, updated: one in full, or the list of all that are managed. */
export function explainRoutes(deps: ExplainDeps): Route[] {
  return [
    { method: 'GET', path: '/workloads', handle: (c) => listWorkloads(c, deps) },
    { method: 'GET', path: '/workloads/:namespace/:kind/:name', handle: (c) => explain(c, deps) },
    { method: 'GET', path: '/explain/:namespace/:kind/:name', handle: (c) => explain(c, deps) },
  ];
}

function explain(c: HttpContext, deps: ExplainDeps): Response {
  const { namespace = '', kind: word = '', name = '' } = c.req.param();
  const kind = readWorkloadKind(word);
  if (kind === undefined) throw notFound(`"${word.slice(0, 50)}" is no kind of workload; use ${workloadKindNames.join(', ')}`);
  const workload = deps.workloads.get({ kind, namespace, name });
  if (!workload) {
    throw notFound(
      `There is no managed ${kind} ${namespace}/${name}; it must exist, be watched, and have the annotation headwind.sh/policy or the label kube-autorollout/enabled=true`,
    );
  }
  return c.json(explainWorkload(workload, deps));
}

function notFound(sentence: string): HttpProblem {
  return new HttpProblem({ status: 404, reason: 'NotFound', sentence });
}

type Position = readonly [namespace: string, kind: string, name: string];

function listWorkloads(c: HttpContext, deps: ExplainDeps): Response {
  const query = (name: string) => c.req.query(name);
  const filters = [
    inList<Workload>(query('namespace'), ({ namespace }) => namespace),
    inList<Workload>(readKinds(query('kind')), ({ kind }) => kind),
    contains<Workload>(query('search'), ({ name, slots }) => [name, ...slots.flatMap(({ container, image }) => [container, image])]),
  ].filter((filter) => filter !== undefined);
  const [limit, after] = [readLimit(query('limit')), readCursor(query('cursor'), isPosition)];
  const found = [...deps.workloads.all()].filter((workload) => filters.every((filter) => filter(workload)));
  const sorted = found.sort((a, b) => comparePositions(positionOf(a), positionOf(b)));
  const rest = after === undefined ? sorted : sorted.filter((workload) => comparePositions(positionOf(workload), after) > 0);
  const page = rest.slice(0, limit);
  const last = page.length < rest.length ? page.at(-1) : undefined;
  c.header('X-Total-Count', String(sorted.length));
  if (last) c.header('Link', `<${nextPage(c, formatCursor(positionOf(last)))}>; rel="next"`);
  return c.json(page.map((workload) => summarizeWorkload(workload, deps)));
}

/** Kinds may be written as kubectl takes them. */
function readKinds(list: string | undefined): string | undefined {
  const kinds = itemsOf(list).map((word) => {
    const kind = readWorkloadKind(word);
    if (kind === undefined) throw unusable(`"${word.slice(0, 50)}" is no kind; use ${workloadKindNames.join(', ')}`);
    return kind;
  });
  return kinds.join(',');
}

export function nextPage(c: HttpContext, cursor: string): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.set('cursor', cursor);
  return `${pathname}?${searchParams.toString()}`;
}

function positionOf({ namespace, kind, name }: Workload): Position {
  return [namespace, kind, name];
}

function comparePositions(a: Position, b: Position): number {
  for (const [index, text] of a.entries()) {
    const other = b[index] ?? '';
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
}

function isPosition(value: unknown): value is Position {
  return Array.isArray(value) && value.length === 3 && value.every((text) => typeof text === 'string');
}
