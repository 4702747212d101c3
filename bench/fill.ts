import { createHash } from 'node:crypto';
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import type { KubeClient } from '../test/cluster/kube-client.ts';
import { until } from '../test/cluster/until.ts';
import { type Etcd, etcdOf, type Stored } from './etcd.ts';
import { createNamespace, createWorkload, firstTag, inParallel, nameOf, namespaceOf, pathOf, sidecarRepository } from './workloads.ts';

const perCall = 1_000;
/** Names of the last workload there could be: exactly as long as all others, so that they can be replaced in the stored bytes. */
const mark = { namespace: namespaceOf(99_999), name: nameOf(99_999) };

interface Template {
  readonly bytes: string;
  readonly uid: string;
  /** Length as JSON. */
  readonly size: number;
}

type Templates = readonly [plain: Template, withSidecar: Template];

/** A cluster full of copies of two Deployments that the API server itself has made: defaults, managedFields and all. */
export class FilledCluster {
  readonly #admin: KubeClient;
  readonly #etcd: Etcd;
  readonly #controllers: boolean;
  readonly #templates: Templates;
  #count = 0;

  static async start(cluster: ControlPlane, registry: string): Promise<FilledCluster> {
    const etcd = etcdOf(cluster.pids);
    await createNamespace(cluster.admin, mark.namespace, !cluster.controllers);
    const plain = await makeTemplate(cluster.admin, etcd, registry, undefined);
    const withSidecar = await makeTemplate(cluster.admin, etcd, registry, `${registry}/${sidecarRepository}:${firstTag}`);
    await cluster.admin.delete(`/api/v1/namespaces/${mark.namespace}`);
    return new FilledCluster(cluster, etcd, [plain, withSidecar]);
  }

  private constructor({ admin, controllers }: ControlPlane, etcd: Etcd, templates: Templates) {
    this.#admin = admin;
    this.#etcd = etcd;
    this.#controllers = controllers;
    this.#templates = templates;
  }

  /** How large one is as JSON, on average. */
  get bytesEach(): number {
    const [plain, withSidecar] = this.#templates;
    return Math.round((2 * plain.size + withSidecar.size) / 3);
  }

  /** Adds workloads until there are so many. */
  async growTo(count: number): Promise<void> {
    const indexes = Array.from({ length: count - this.#count }, (_, offset) => this.#count + offset);
    await inParallel([...new Set(indexes.map(namespaceOf))], (name) => createNamespace(this.#admin, name, !this.#controllers));
    for (let start = 0; start < indexes.length; start += perCall) {
      await this.#etcd.putTogether(indexes.slice(start, start + perCall).map((index) => this.#stored(index)));
    }
    this.#count = count;
    await this.#read(count - 1);
  }

  /** Thousands were written in one revision: who begins to watch before the API server has read a later one may never see some of them. */
  async #read(index: number): Promise<void> {
    const path = pathOf(namespaceOf(index), nameOf(index));
    const annotations = { filled: String(index) };
    await this.#admin.patch(path, { metadata: { annotations } });
    const isRead = async () =>
      (await this.#admin.get(`${path}?resourceVersion=0`))?.metadata.annotations?.['filled'] === annotations.filled;
    await until('the API server has read what was written', isRead, { timeoutMs: 60_000 });
  }

  /** So many changes that mean nothing, as fast as etcd and the API server take them. */
  churn(events: number): Promise<void> {
    return this.#etcd.putEach(events, (position) => this.#stored(position % this.#count));
  }

  close(): Promise<void> {
    return this.#etcd.close();
  }

  #stored(index: number): Stored {
    const { bytes, uid } = this.#templates[index % 3 === 0 ? 1 : 0];
    const [namespace, name] = [namespaceOf(index), nameOf(index)];
    const value = bytes.replaceAll(mark.namespace, namespace).replaceAll(mark.name, name).replace(uid, uidOf(index));
    return { key: keyOf(namespace, name), value: Buffer.from(value, 'latin1') };
  }
}

async function makeTemplate(admin: KubeClient, etcd: Etcd, registry: string, sidecar: string | undefined): Promise<Template> {
  const { namespace, name } = mark;
  const image = `${registry}/${namespace}/${name}:${firstTag}`;
  const object = await createWorkload(admin, { namespace, name, image, sidecar });
  const bytes = (await etcd.get(keyOf(namespace, name))).toString('latin1');
  await admin.delete(pathOf(namespace, name));
  return { bytes, uid: object.metadata['uid'], size: JSON.stringify(object).length };
}

function keyOf(namespace: string, name: string): string {
  return `/registry/deployments/${namespace}/${name}`;
}

/** Always the same for one workload, as long as a real one. */
function uidOf(index: number): string {
  const hex = createHash('sha256').update(String(index)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
