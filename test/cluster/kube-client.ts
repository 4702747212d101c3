import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { isStaleConnection } from './error-code.ts';

/** Any object of the API; tests look into it freely. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Record<string, any> & { name: string };
  [field: string]: any;
}
/** What may be sent: names of fields are checked by the API server, not by us. */
export type Manifest = Record<string, any> & { apiVersion: string; kind: string; metadata: Record<string, any> };

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

export interface Answer {
  readonly status: number;
  readonly body: any;
}

export type PatchType = 'merge' | 'json' | 'strategic-merge';

/** A small client for tests and the test bed. Paths are those of the API: `/apis/apps/v1/namespaces/x/deployments/y`. */
export interface KubeClient {
  /** Any request; an answer of any status is a value. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** The object, or undefined when there is none. */
  get(path: string): Promise<KubeObject | undefined>;
  list(path: string): Promise<KubeObject[]>;
  create(object: Manifest): Promise<KubeObject>;
  /** Server-side apply. */
  apply(object: Manifest, options?: { fieldManager?: string; force?: boolean }): Promise<KubeObject>;
  patch(path: string, body: unknown, type?: PatchType): Promise<KubeObject>;
  /** Asks for the deletion and does not wait for it; a missing object is fine. */
  delete(path: string): Promise<void>;
  /** First an ADDED for each object there is, then what happens; ends with the connection or the signal. */
  watch(path: string, signal?: AbortSignal): AsyncIterable<WatchEvent>;
  /** Where the object lives, found out by discovery. */
  pathOf(object: Manifest): Promise<string>;
  close(): void;
}

export class KubeError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(what: string, { status, body }: Answer) {
    super(`${what}: ${status} ${body?.message ?? JSON.stringify(body)}`);
    this.name = 'KubeError';
    this.status = status;
    this.reason = body?.reason ?? '';
  }
}

interface Connection {
  readonly url: string;
  readonly ca: string | Buffer;
  readonly token: string;
  readonly userAgent?: string;
  readonly maxSockets?: number;
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  'strategic-merge': 'application/strategic-merge-patch+json',
} as const;

export function createKubeClient(connection: Connection): KubeClient {
  const agent = new Agent({ keepAlive: true, ca: connection.ca, maxSockets: connection.maxSockets ?? 64 });
  const send = (method: string, path: string, body: unknown, type: string, signal?: AbortSignal) =>
    open(connection, agent, { method, path, body, type, ...(signal && { signal }) });

  async function request(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> {
    const response = await send(method, path, body, type);
    const text = await textOf(response);
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return { status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text };
  }
  async function demand(method: string, path: string, body?: unknown, type?: string): Promise<any> {
    const answer = await request(method, path, body, type);
    if (answer.status >= 300) throw new KubeError(`${method} ${path}`, answer);
    return answer.body;
  }
  const discovery = createDiscovery(demand);
  const pathOf = async (object: Manifest) => `${await discovery(object)}/${object.metadata['name']}`;

  return {
    request,
    async get(path) {
      const answer = await request('GET', path);
      if (answer.status === 404) return undefined;
      if (answer.status >= 300) throw new KubeError(`GET ${path}`, answer);
      return answer.body;
    },
    async list(path) {
      const { items, kind, apiVersion } = await demand('GET', path);
      return items.map((item: object) => ({ kind: kind.replace(/List$/, ''), apiVersion, ...item }));
    },
    create: async (object) => demand('POST', await discovery(object), object),
    async apply(object, { fieldManager = 'test-bed', force = true } = {}) {
      const query = `fieldManager=${encodeURIComponent(fieldManager)}&force=${force}`;
      return demand('PATCH', `${await pathOf(object)}?${query}`, object, 'application/apply-patch+yaml');
    },
    patch: (path, body, type = 'merge') => demand('PATCH', path, body, patchTypes[type]),
    async delete(path) {
      const answer = await request('DELETE', path, { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' });
      if (answer.status >= 300 && answer.status !== 404) throw new KubeError(`DELETE ${path}`, answer);
    },
    async *watch(path, signal) {
      const separator = path.includes('?') ? '&' : '?';
      const response = await send('GET', `${path}${separator}watch=true`, undefined, '', signal);
      if (response.statusCode !== 200) {
        throw new KubeError(`watch ${path}`, { status: response.statusCode ?? 0, body: await textOf(response) });
      }
      try {
        for await (const line of createInterface({ input: response })) if (line !== '') yield parseEvent(line);
      } finally {
        response.destroy();
      }
    },
    pathOf,
    close: () => {
      agent.destroy();
    },
  };
}

function parseEvent(line: string): WatchEvent {
  return JSON.parse(line);
}

/** Gives the path of the collection an object belongs to; asks again for kinds that are not there yet (a CRD just applied). */
function createDiscovery(demand: (method: string, path: string) => Promise<any>) {
  const known = new Map<string, { name: string; namespaced: boolean }>();
  return async ({ apiVersion, kind, metadata }: Manifest): Promise<string> => {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${apiVersion} ${kind}`;
    if (!known.has(key)) {
      const { resources } = await demand('GET', base);
      for (const resource of resources) if (!resource.name.includes('/')) known.set(`${apiVersion} ${resource.kind}`, resource);
    }
    const resource = known.get(key);
    if (!resource) throw new Error(`the API server has no ${key}`);
    const namespace = metadata['namespace'] ?? 'default';
    return resource.namespaced ? `${base}/namespaces/${namespace}/${resource.name}` : `${base}/${resource.name}`;
  };
}

interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly type: string;
  readonly signal?: AbortSignal;
}

async function open(connection: Connection, agent: Agent, outgoing: Outgoing, isRetry = false): Promise<IncomingMessage> {
  const { hostname, port } = new URL(connection.url);
  const data = outgoing.body === undefined ? '' : JSON.stringify(outgoing.body);
  const headers = {
    authorization: `Bearer ${connection.token}`,
    'user-agent': connection.userAgent ?? 'headwind-test-bed',
    accept: 'application/json',
    // By hand: Node sends none for a DELETE with a body, and the body then spoils the next request of the connection.
    'content-length': Buffer.byteLength(data),
    ...(data !== '' && { 'content-type': outgoing.type }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { method, path, signal } = outgoing;
  const request = httpsRequest({ hostname, port, agent, method, path, headers, ...(signal && { signal }) }, resolve);
  request.on('error', reject).end(data);
  try {
    return await promise;
  } catch (error) {
    // A kept connection that the server closed in the meantime (it was restarted) says nothing about the server now.
    if (!isRetry && request.reusedSocket && isStaleConnection(error)) {
      return open(connection, agent, outgoing, true);
    }
    throw error;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) text += String(chunk);
  return text;
}
