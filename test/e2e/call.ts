import { request } from 'undici';

export interface CallAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; throws when it is none. */
  readonly json: any;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** One HTTP request to the operator; an answer of any status is a value. */
export async function call(url: string, { method, headers = {}, body }: CallOptions = {}): Promise<CallAnswer> {
  const isText = typeof body === 'string' || body === undefined;
  const answer = await request(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
    // Operators come and go at ever new ports: nothing is gained by keeping connections.
    reset: true,
  });
  const text = await answer.body.text();
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
}

/** The envelope that distribution sends for one pushed tag, as recorded from a real registry. */
export function pushEnvelope(host: string, repository: string, tag: string, digest: string): object {
  const target = {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 491,
    length: 491,
    digest,
    repository,
    tag,
    url: `http://${host}/v2/${repository}/manifests/${digest}`,
  };
  const request = { id: crypto.randomUUID(), addr: '127.0.0.1:56544', host, method: 'PUT', useragent: 'curl/7.88.1' };
  const source = { addr: 'registry:5001', instanceID: 'f45f0095-473f-4e12-86a6-b0e45c03c453' };
  return { events: [{ id: crypto.randomUUID(), timestamp: new Date().toISOString(), action: 'push', target, request, actor: {}, source }] };
}
