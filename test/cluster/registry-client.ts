import { readFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { isStaleConnection } from './error-code.ts';
import { makeTestImage } from './test-image.ts';
import type { Blob, ImageOptions, TestImage } from './test-image.ts';

/** How to reach a registry; plain JSON, so that it can be handed to another process. */
export interface RegistryDescription {
  /** `127.0.0.1:port`: what stands in front of the repository in an image reference. */
  readonly host: string;
  readonly url: string;
  /** File with the certificate of its authority, when it speaks TLS. */
  readonly ca?: string;
  /** Files with the certificate that it wants of clients, and its key. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Sent as Basic, or to the token server to which the registry leads. */
  readonly username?: string;
  readonly password?: string;
}

export interface RegistryAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** What tests do with a registry, whoever started it. */
export interface RegistryAccess extends RegistryDescription {
  /** `host/repository:tag` */
  reference(repository: string, tag: string): string;
  /** Pushes an image and gives the digest its tag points to. The same arguments always give the same digest. */
  push(repository: string, tag: string, options?: ImageOptions): Promise<string>;
  /** Pushes many tags over several connections. */
  pushAll(repository: string, tags: readonly string[], options?: ImageOptions): Promise<void>;
  /** Pushes what `makeTestImage` made, under another tag for example. */
  pushImage(repository: string, tag: string, image: TestImage): Promise<string>;
  deleteTag(repository: string, tag: string): Promise<void>;
  /** The digest a tag points to now, or undefined. */
  digestOf(repository: string, tag: string): Promise<string | undefined>;
  /** Any request, credentials included. */
  request(method: string, path: string, options?: { headers?: Record<string, string>; body?: string }): Promise<RegistryAnswer>;
  close(): void;
}

export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const connections = 8;

export function accessToRegistry(description: RegistryDescription, { userAgent = 'headwind-test-bed' } = {}): RegistryAccess {
  const request = createRequest(description, userAgent);
  const demand = async (status: number, method: string, path: string, options?: { headers?: Record<string, string>; body?: string }) => {
    const answer = await request(method, path, options);
    if (answer.status !== status)
      throw new Error(`${method} ${path} at ${description.host}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return answer;
  };
  const pushManifest = (repository: string, reference: string, { mediaType, text }: Blob) =>
    demand(201, 'PUT', `/v2/${repository}/manifests/${reference}`, { headers: { 'content-type': mediaType }, body: text });

  async function pushConfig(repository: string, { digest, text }: Blob): Promise<void> {
    const { headers } = await demand(202, 'POST', `/v2/${repository}/blobs/uploads/`);
    const { pathname, searchParams } = new URL(headers.location ?? '', description.url);
    searchParams.set('digest', digest);
    await demand(201, 'PUT', `${pathname}?${searchParams.toString()}`, {
      headers: { 'content-type': 'application/octet-stream' },
      body: text,
    });
  }
  async function pushImage(repository: string, tag: string, image: TestImage): Promise<string> {
    for (const config of image.configs) await pushConfig(repository, config);
    for (const manifest of Object.values(image.manifests)) {
      if (manifest !== image.top) await pushManifest(repository, manifest.digest, manifest);
    }
    await pushManifest(repository, tag, image.top);
    return image.digest;
  }
  const push = (repository: string, tag: string, options?: ImageOptions) =>
    pushImage(repository, tag, makeTestImage(repository, tag, options));

  return {
    ...description,
    reference: (repository, tag) => `${description.host}/${repository}:${tag}`,
    push,
    pushImage,
    async pushAll(repository, tags, options) {
      const left = tags.values();
      const worker = async () => {
        for (const tag of left) await push(repository, tag, options);
      };
      await Promise.all(Array.from({ length: connections }, worker));
    },
    async deleteTag(repository, tag) {
      await demand(202, 'DELETE', `/v2/${repository}/manifests/${tag}`);
    },
    async digestOf(repository, tag) {
      const { status, headers } = await request('HEAD', `/v2/${repository}/manifests/${tag}`, { headers: { accept: manifestTypes } });
      return status === 200 ? String(headers['docker-content-digest']) : undefined;
    },
    request,
    close: () => {
      request.close();
    },
  };
}

type Request = RegistryAccess['request'] & { close(): void };

/** One kept-alive client, with the registry's authority and password; fetches tokens when the registry asks for them. */
export function createRequest(description: RegistryDescription, userAgent: string): Request {
  const { url, username, password } = description;
  const { send, close } = createHttp(description, userAgent);
  const basic = username === undefined ? {} : { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
  const tokens = new Map<string, string>();
  let asksForTokens = false;

  async function request(
    ...[method, path, { headers = {}, body = '' } = {}]: Parameters<RegistryAccess['request']>
  ): Promise<RegistryAnswer> {
    const target = new URL(path, url);
    const key = /^\/v2\/(.+)\/(?:blobs|manifests|tags)\//.exec(target.pathname)?.[1] ?? '';
    const ask = (authorization: object) => send(method, target, { ...authorization, ...headers }, body);
    const known = tokens.get(key);
    const first = await ask(known !== undefined ? { authorization: `Bearer ${known}` } : asksForTokens ? {} : basic);
    const challenge = readBearer(first);
    if (first.status !== 401 || challenge === undefined || headers['authorization'] !== undefined) return first;
    asksForTokens = true;
    const answer = await send('GET', challenge, basic, '');
    if (answer.status !== 200) return first;
    const { token }: { token: string } = JSON.parse(answer.text);
    tokens.set(key, token);
    return ask({ authorization: `Bearer ${token}` });
  }
  return Object.assign(request, { close });
}

/** Where to fetch the token for which an answer asks; undefined when it asks for none. */
function readBearer({ headers }: RegistryAnswer): URL | undefined {
  const text = headers['www-authenticate'] ?? '';
  if (!text.startsWith('Bearer ')) return undefined;
  const {
    realm = '',
    service = '',
    scope,
  } = Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  const url = new URL(realm);
  url.searchParams.set('service', service);
  if (scope !== undefined) url.searchParams.set('scope', scope);
  return url;
}

type Send = (method: string, target: URL, headers: Record<string, string>, body: string) => Promise<RegistryAnswer>;

function createHttp(
  { ca, clientCertificate, clientKey }: RegistryDescription,
  userAgent: string,
): { readonly send: Send; readonly close: () => void } {
  const options = { keepAlive: true, maxSockets: connections };
  const plain = new http.Agent(options);
  const tls = new https.Agent({
    ...options,
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(clientCertificate !== undefined && { cert: readFileSync(clientCertificate) }),
    ...(clientKey !== undefined && { key: readFileSync(clientKey) }),
  });

  function once(...[method, target, headers, body]: Parameters<Send>): Promise<RegistryAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<RegistryAnswer>();
    const isTls = target.protocol === 'https:';
    const length = method !== 'GET' && method !== 'HEAD' && { 'content-length': String(Buffer.byteLength(body)) };
    const all = { 'user-agent': userAgent, ...length, ...headers };
    const { hostname, port, pathname, search } = target;
    const wanted = { hostname, port, method, path: pathname + search, headers: all };
    const receive = (response: http.IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      response.on('error', reject);
    };
    const outgoing = isTls ? https.request({ ...wanted, agent: tls }, receive) : http.request({ ...wanted, agent: plain }, receive);
    outgoing.on('error', (error) => {
      reject(outgoing.reusedSocket && isStaleConnection(error) ? new StaleConnection(error.message, { cause: error }) : error);
    });
    outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`no answer within 30 s: ${method} ${target.pathname}`)));
    outgoing.end(body);
    return promise;
  }
  const send: Send = async (...wanted) => {
    for (;;) {
      try {
        return await once(...wanted);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  };
  const close = (): void => {
    plain.destroy();
    tls.destroy();
  };
  return { send, close };
}

/** A kept connection that the server closed in the meantime: says nothing about the server now. */
class StaleConnection extends Error {}
