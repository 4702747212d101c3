import { targetOf } from '../core/update-request.ts';
import type { Clock, Log, Metrics, UpdateRequests, Workloads } from '../ports.ts';
import type { DecideDeps } from '../operator/decide-request.ts';
import type { ExplainDeps } from '../operator/explain.ts';
import { createApp, type HttpApp, type HttpContext, type Route } from './app.ts';
import { refuseForeignName } from './cross-site.ts';
import { type Decider, decideRoutes } from './decide.ts';
import { explainRoutes, nextPage } from './explain.ts';
import { healthRoutes, type HealthDeps } from './health.ts';
import { type Item, toItem } from './item.ts';
import { HttpProblem, notReady } from './problem.ts';
import { pageOf, readUpdatesQuery } from './updates-query.ts';

export interface ApiDeps extends DecideDeps {
  readonly requests: UpdateRequests;
  readonly workloads: Pick<Workloads, 'get'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly health: HealthDeps;
  readonly explain: ExplainDeps;
  /** Are the caches complete? Until then the API answers 503: a missing object must not read as "not found". */
  readonly isSynced: () => boolean;
  /** Addresses under which API and dashboard are published: their pages are not "another site". */
  readonly ownUrls: readonly string[];
  /** Aborts when the process stops: waiting answers end at once. */
  readonly stopping: AbortSignal;
}

/** The published prefix of older charts is an alias. */
const prefixes = ['/api/v1', '/api/v1/ui'];

/** Port 8081. */
export function createApiApp(deps: ApiDeps): HttpApp {
  const routes = prefixes.flatMap((prefix) => apiRoutes(deps).map((route) => ({ ...route, path: prefix + route.path })));
  return createApp({ name: 'api', log: deps.log, metrics: deps.metrics, routes: [...healthRoutes(deps.health), ...routes] });
}

/** Everything below `/api/v1`; the same table serves every port that has the API. */
export function apiRoutes(deps: ApiDeps): Route[] {
  const decider: Decider = { ...deps, defaultUser: 'unknown', source: 'api', show: (request) => show(request, deps) };
  const routes: Route[] = [
    { method: 'GET', path: '/updates', handle: (c) => listUpdates(c, deps) },
    { method: 'GET', path: '/updates/:namespace/:name', handle: (c) => getUpdate(c, deps) },
    ...decideRoutes(decider),
    ...explainRoutes(deps.explain),
  ];
  return routes.map((route) => ({ ...route, handle: (c) => whenSynced(c, route, deps) }));
}

function whenSynced(c: HttpContext, route: Route, { isSynced, ownUrls }: ApiDeps): Response | Promise<Response> {
  // Routes that change something look themselves, and write what they refuse into the audit log.
  if (route.method === 'GET') refuseForeignName(c, ownUrls);
  if (!isSynced()) throw new HttpProblem(notReady);
  return route.handle(c);
}

function show(request: Parameters<typeof toItem>[0], { workloads, clock }: ApiDeps): Item {
  return toItem(request, workloads.get(targetOf(request)), clock.now(), { approve: true, reject: true });
}

function listUpdates(c: HttpContext, deps: ApiDeps): Response {
  const query = readUpdatesQuery((name) => c.req.query(name));
  const { requests, total, cursor } = pageOf(deps.requests.all(), query);
  c.header('X-Total-Count', String(total));
  if (cursor !== undefined) c.header('Link', `<${nextPage(c, cursor)}>; rel="next"`);
  return c.json(requests.map((request) => show(request, deps)));
}

function getUpdate(c: HttpContext, deps: ApiDeps): Response {
  const { namespace = '', name = '' } = c.req.param();
  const request = deps.requests.get(namespace, name);
  if (!request) throw new HttpProblem({ status: 404, reason: 'NotFound', sentence: `There is no update request ${namespace}/${name}` });
  return c.json(show(request, deps));
}
