import { createRequest, manifestTypes } from './registry-client.ts';
import type { RegistryAnswer, RegistryDescription } from './registry-client.ts';

/** What a node learns when it pulls. */
export interface PulledImage {
  /** In `imageID`, as a container runtime of that form reports it. */
  readonly ids: Readonly<Record<ImageIdForm, string>>;
  readonly labels: Readonly<Record<string, string>>;
}
export interface FailedPull {
  readonly failure: string;
}
/** The bytes have not come yet. */
export interface SlowPull {
  readonly isSlow: true;
}
export type Pull = PulledImage | FailedPull | SlowPull;

/**
 * `index` as containerd (what the tag names), `platform` as some CRI-O (the manifest for the node), `docker` as cri-dockerd,
 * `config` as for an image that was loaded by hand, `bare` as CRI-O after a restart.
 */
export type ImageIdForm = 'index' | 'platform' | 'docker' | 'config' | 'bare';

export interface ImageLookup {
  /** Asks the registry, each time anew for a tag. Never rejects. */
  pull(image: string): Promise<Pull>;
  close(): void;
}

interface Address {
  readonly host: string;
  readonly repository: string;
  readonly reference: string;
}

type Request = ReturnType<typeof createRequest>;

/** Looks images up for a node of that platform. A loopback registry that is not listed is asked in plain HTTP. */
export function createImageLookup(registries: readonly RegistryDescription[], platform: string): ImageLookup {
  const clients = new Map<string, Request>();
  const documents = new Map<string, Promise<any>>();

  function clientFor(host: string): Request {
    const known = registries.find((registry) => registry.host === host);
    if (!known && !/^(127\.0\.0\.1|localhost):\d+$/.test(host)) throw new Error(`this node knows no registry ${host}`);
    const client = clients.get(host) ?? createRequest(known ?? { host, url: `http://${host}` }, 'fake-kubelet');
    clients.set(host, client);
    return client;
  }

  /** What stands under a digest never changes: asked for once. */
  function document(request: Request, path: string): Promise<any> {
    const key = path.slice(path.lastIndexOf('sha256:'));
    const found = documents.get(key) ?? request('GET', path, { headers: { accept: manifestTypes } }).then(parse);
    documents.set(key, found);
    found.catch(() => documents.delete(key));
    return found;
  }

  async function pull(image: string): Promise<PulledImage> {
    const { host, repository, reference } = parseImage(image);
    const request = clientFor(host);
    const base = `/v2/${repository}`;
    const head = await request('HEAD', `${base}/manifests/${reference}`, { headers: { accept: manifestTypes } });
    if (head.status !== 200)
      throw new Error(head.status === 404 ? `${image}: not found` : `${image}: the registry answered ${head.status}`);
    const digest = String(head.headers['docker-content-digest']);
    const top = await document(request, `${base}/manifests/${digest}`);
    const child: string = top.manifests ? childFor(top, platform, image) : digest;
    const manifest = child === digest ? top : await document(request, `${base}/manifests/${child}`);
    const configDigest = String(manifest.config.digest);
    const config = await document(request, `${base}/blobs/${configDigest}`);
    const name = `${host}/${repository}`;
    const ids = {
      index: `${name}@${digest}`,
      platform: `${name}@${child}`,
      docker: `docker-pullable://${name}@${digest}`,
      config: configDigest,
      bare: configDigest.replace('sha256:', ''),
    };
    return { ids, labels: config.config?.Labels ?? {} };
  }

  return {
    pull: (image) => pull(image).catch((error: unknown) => ({ failure: error instanceof Error ? error.message : String(error) })),
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}

function parse({ status, text }: RegistryAnswer): any {
  if (status !== 200) throw new Error(`the registry answered ${status}`);
  return JSON.parse(text);
}

function childFor(index: any, platform: string, image: string): string {
  const child = index.manifests.find(({ platform: has }: any) => `${has?.os}/${has?.architecture}` === platform);
  if (!child) throw new Error(`${image}: no match for platform ${platform} in the image index`);
  return child.digest;
}

const grammar = /^(?:(?<host>[^/]*[.:][^/]*|localhost)\/)?(?<repository>.+?)(?::(?<tag>[^:@/]+))?(?:@(?<digest>sha256:[0-9a-f]+))?$/;

function parseImage(image: string): Address {
  const { host = 'docker.io', repository = '', tag = 'latest', digest } = grammar.exec(image)?.groups ?? {};
  const isOfficial = host === 'docker.io' && !repository.includes('/');
  return { host, repository: isOfficial ? `library/${repository}` : repository, reference: digest ?? tag };
}
