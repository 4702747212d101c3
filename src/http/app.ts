import { randomUUID } from 'node:crypto';
import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { routePath } from 'hono/route';
import type { Log, Metrics } from '../ports.ts';
import { type Problem, toProblem } from './problem.ts';

export type ServerName = 'webhook' | 'api' | 'ui' | 'metrics' | 'health';

/** Both are missing when the app is called without a server, as tests do. */
export type AppEnv = { Bindings: Partial<HttpBindings>; Variables: { requestId: string } };
export type HttpContext = Context<AppEnv>;
export type HttpApp = Hono<AppEnv>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As hono writes it: `/updates/:namespace/:name`. Also the label of the metric. */
  readonly path: string;
  readonly handle: (c: HttpContext) => Response | Promise<Response>;
}

export interface AppOptions {
  readonly name: ServerName;
  readonly routes: readonly Route[];
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * The frame around a table of routes: request ids, 404, 405 with `Allow`, errors as answers, one metric per request. Below `/api` errors
 * are JSON, elsewhere plain text.
 */
export function createApp({ name, routes, log, metrics }: AppOptions): HttpApp {
  const app: HttpApp = new Hono<AppEnv>({ strict: false });
  app.use(async (c, next) => {
    const requestId = requestIdOf(c);
    c.set('requestId', requestId);
    addHeader(c, 'X-Request-Id', requestId);
    addHeader(c, 'X-Content-Type-Options', 'nosniff');
    if (isApi(c)) addHeader(c, 'Cache-Control', 'no-store');
    await next();
    metrics.increment('http_requests_total', { server: name, route: routeOf(c, routes), code: String(c.res.status) });
  });
  for (const { method, path, handle } of routes) app.on(method, path, handle);
  for (const [path, allow] of allowedMethods(routes)) {
    app.all(path, (c) => answerProblem(c, { ...methodNotAllowed(c.req.method, allow), headers: { Allow: allow } }));
  }
  app.notFound((c) => answerProblem(c, { status: 404, reason: 'NoSuchRoute', sentence: `There is no ${c.req.path} here` }));
  app.onError((error, c) => {
    const problem = toProblem(error);
    const fields = { error, server: name, method: c.req.method, path: c.req.path, request_id: c.get('requestId') };
    if (problem.status >= 500) log.error(fields, 'request failed');
    return answerProblem(c, problem);
  });
  return app;
}

/** The answer to a problem, in the form of the place where it happened. */
export function answerProblem(c: HttpContext, { status, reason, sentence, headers, extra }: Problem): Response {
  if (!isApi(c)) return c.text(`${sentence}\n`, status, { ...headers });
  return c.json({ error: sentence, code: status, reason, requestId: c.get('requestId'), ...extra }, status, { ...headers });
}

/** To be called before there is an answer. A header that is added to one afterwards costs a copy of it, with a stream for its body. */
function addHeader(c: HttpContext, name: string, value: string): void {
  const outgoing = c.env?.outgoing;
  if (outgoing) outgoing.setHeader(name, value);
  else c.header(name, value);
}

function isApi(c: HttpContext): boolean {
  return c.req.path === '/api' || c.req.path.startsWith('/api/');
}

function requestIdOf(c: HttpContext): string {
  const given = c.req.header('x-request-id');
  return given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function routeOf(c: HttpContext, routes: readonly Route[]): string {
  const path = routePath(c, -1);
  return routes.some((route) => route.path === path) ? path : 'none';
}

function allowedMethods(routes: readonly Route[]): Map<string, string> {
  const methods = new Map<string, string[]>();
  for (const { method, path } of routes) {
    const known = methods.get(path) ?? [];
    methods.set(path, [...known, method, ...(method === 'GET' ? ['HEAD'] : [])]);
  }
  return new Map([...methods].map(([path, list]) => [path, list.join(', ')]));
}

function methodNotAllowed(method: string, allow: string): Problem {
  return { status: 405, reason: 'MethodNotAllowed', sentence: `${method} is not possible here; use ${allow}` };
}
