import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

export type RequestKind = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete';

export interface SeenRequest {
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** `/apis/apps/v1/deployments`, without the namespace. */
  readonly collection: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  readonly body: string;
}

/** The reason of a Status by its code. */
export const reasons: Readonly<Record<number, string>> = {
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
};

/** A BOOKMARK, as a line. */
export function bookmarkLine(version: number, endsList = false): string {
  const annotations = endsList ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  return JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: String(version), ...annotations } } });
}

/** A refusal, as the API server words it. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** An object as the answer. */
export function sendJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** What a request asks for, read from its path. */
export function describeRequest({ method = 'GET', url = '/', headers }: IncomingMessage, body: string): SeenRequest {
  const { pathname, searchParams: query } = new URL(url, 'http://fake');
  const segments = pathname.split('/').filter(Boolean);
  const root = segments.slice(0, segments[0] === 'api' ? 2 : 3);
  const rest = segments.slice(root.length);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [resource = '', name, subresource] = namespace === undefined ? rest : rest.slice(2);
  const verbs: Readonly<Record<string, RequestKind>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };
  const reading = query.get('watch') === 'true' ? 'watch' : name === undefined ? 'list' : 'get';
  const collection = `/${[...root, resource].join('/')}`;
  return { kind: verbs[method] ?? reading, method, path: pathname, query, headers, collection, namespace, name, subresource, body };
}
