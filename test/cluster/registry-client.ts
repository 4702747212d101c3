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

/** One kept-alive client, with the registry's authority and password. */
export function createRequest({ url, ca, username, password }: RegistryDescription, userAgent: string): Request {
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === 'https:';
  const options = { keepAlive: true, maxSockets: connections };
  const agent = isTls ? new https.Agent({ ...options, ...(ca !== undefined && { ca: readFileSync(ca) }) }) : new http.Agent(options);
  const auth = username === undefined ? {} : { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
  const start = isTls ? https.request : http.request;

  function once(method: string, path: string, headers: Record<string, string>, body: string): Promise<RegistryAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<RegistryAnswer>();
    const length = method !== 'GET' && method !== 'HEAD' && { 'content-length': String(Buffer.byteLength(body)) };
    const all = { 'user-agent': userAgent, ...auth, ...length, ...headers };
    const outgoing = start({ hostname, port, agent, method, path, headers: all }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      response.on('error', reject);
    });
    outgoing.on('error', (error) => {
      reject(outgoing.reusedSocket && isStaleConnection(error) ? new StaleConnection(error.message, { cause: error }) : error);
    });
    outgoing.setTimeout(30_000, () => outgoing.destroy(new Error(`no answer within 30 s: ${method} ${path}`)));
    outgoing.end(body);
    return promise;
  }
  const send: RegistryAccess['request'] = async (method, path, { headers = {}, body = '' } = {}) => {
    for (;;) {
      try {
        return await once(method, path, headers, body);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
      }
    }
  };
  return Object.assign(send, {
    close: () => {
      agent.destroy();
    },
  });
}

/** A kept connection that the server closed in the meantime: says nothing about the server now. */
class StaleConnection extends Error {}
