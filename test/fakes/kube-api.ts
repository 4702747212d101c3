import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KubeClient } from '../../src/kubernetes/client.ts';
import { type KubeEvent, type KubeObject, KubeObjects, Refusal } from './kube-objects.ts';

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly body: any;
}

/** A small API server over HTTP: enough of lists, watches, patches and preconditions for the adapters, and nothing that is slow. */
export class FakeKubeApi {
  readonly objects = new KubeObjects((event) => this.#broadcast(event));
  /** All but watches, in order. */
  readonly requests: SeenRequest[] = [];
  /** Judges each request before it is carried out; what it returns or throws is the answer. */
  intercept: ((request: SeenRequest) => object | undefined) | undefined;
  readonly #watchers = new Set<{ resource: string; namespace: string | undefined; response: ServerResponse }>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert.ok(address !== null && typeof address === 'object');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.setEncoding('utf8');
    let text = '';
    for await (const chunk of request) text += chunk;
    const url = new URL(request.url ?? '/', 'http://fake');
    const seen: SeenRequest = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      contentType: request.headers['content-type'],
      body: text === '' ? undefined : JSON.parse(text),
    };
    const target = parsePath(url.pathname);
    if (seen.query['watch'] === 'true') return this.#watch(target, response);
    this.requests.push(seen);
    try {
      send(response, 200, this.intercept?.(seen) ?? this.#carryOut(seen, target));
    } catch (error) {
      const { code, reason, message } = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      send(response, code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code });
    }
  }

  #carryOut({ method, contentType, body, path }: SeenRequest, target: Target): object {
    const { resource, namespace, key, subresource } = target;
    if (method === 'POST') return this.objects.create(resource, body);
    if (key === undefined)
      return { kind: 'List', metadata: { resourceVersion: String(this.objects.version) }, items: this.objects.list(resource, namespace) };
    if (method === 'GET') return this.objects.get(resource, key);
    if (method === 'PUT') return this.objects.replace(resource, body);
    if (method === 'PATCH') {
      return this.objects.patch(resource, key, body, {
        strategic: contentType?.includes('strategic') === true,
        status: subresource === 'status',
      });
    }
    if (method !== 'DELETE') throw new Refusal(405, 'MethodNotAllowed', `${method} ${path}`);
    this.objects.remove(resource, key, body?.preconditions);
    return { kind: 'Status', apiVersion: 'v1', status: 'Success' };
  }

  #watch({ resource, namespace }: Target, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const watcher = { resource, namespace, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const object of this.objects.list(resource, namespace)) response.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    const metadata = { resourceVersion: String(this.objects.version), annotations: { 'k8s.io/initial-events-end': 'true' } };
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
  }

  #broadcast({ type, resource, object }: KubeEvent): void {
    for (const watcher of this.#watchers) {
      const concerns = watcher.resource === resource && (watcher.namespace ?? object.metadata.namespace) === object.metadata.namespace;
      if (concerns) watcher.response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }
}

/** A started fake API server and a real client of it; the test's end closes both. */
export async function startKubeApi(t: { after(end: () => Promise<void>): void }): Promise<{ api: FakeKubeApi; client: KubeClient }> {
  const api = new FakeKubeApi();
  const server = await api.listen();
  const tls = {};
  const access = {
    server,
    namespace: 'default',
    source: 'test',
    proxy: undefined,
    tls: async () => tls,
    authorization: async () => undefined,
  };
  const client = new KubeClient(access, { version: 'test', backoff: { minMs: 1, maxMs: 2 } });
  t.after(async () => {
    await client.close();
    await api.close();
  });
  return { api, client };
}

interface Target {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly key: string | undefined;
  readonly subresource: string | undefined;
}

/** `/apis/apps/v1/namespaces/shop/deployments/web/status` → resource `/apis/apps/v1/deployments`, key `shop/web`. */
function parsePath(path: string): Target {
  const segments = path.split('/').slice(1).map(decodeURIComponent);
  const groupLength = segments[0] === 'api' ? 2 : 3;
  const group = segments.slice(0, groupLength);
  const rest = segments.slice(groupLength);
  const namespace = rest[0] === 'namespaces' && rest.length > 2 ? rest[1] : undefined;
  const [plural, name, subresource] = namespace === undefined ? rest : rest.slice(2);
  const key = name === undefined ? undefined : namespace === undefined ? name : `${namespace}/${name}`;
  return { resource: `/${group.join('/')}/${plural}`, namespace, key, subresource };
}

function send(response: ServerResponse, code: number, body: KubeObject): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
