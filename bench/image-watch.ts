import type { KubeClient } from '../test/cluster/kube-client.ts';

interface Waiter {
  readonly image: string;
  readonly resolve: (atMs: number) => void;
}

/** Watches all Deployments on its own, independent of the operator, and knows when each container `app` got its image. */
export class ImageWatch {
  readonly #stop = new AbortController();
  readonly #seen = new Map<string, { image: string; atMs: number; settled: boolean }>();
  readonly #waiting = new Map<string, Waiter>();
  readonly #ended: Promise<void>;

  constructor(admin: KubeClient) {
    this.#ended = this.#run(admin);
  }

  /** When the workload was first seen with the image, on the clock of `performance.now()`; undefined when that did not happen in time. */
  until(name: string, image: string, timeoutMs: number): Promise<number | undefined> {
    const seen = this.#seen.get(name);
    if (seen?.image === image) return Promise.resolve(seen.atMs);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(name);
        resolve(undefined);
      }, timeoutMs);
      const found = (atMs: number): void => {
        clearTimeout(timer);
        resolve(atMs);
      };
      this.#waiting.set(name, { image, resolve: found });
    });
  }

  /** How many their controller has brought to rest. */
  get settled(): number {
    return [...this.#seen.values()].filter(({ settled }) => settled).length;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  async #run(admin: KubeClient): Promise<void> {
    let since = '';
    while (!this.#stop.signal.aborted) {
      try {
        for await (const { type, object } of admin.watch(`/apis/apps/v1/deployments?${since}`, this.#stop.signal)) {
          if (type === 'ADDED' || type === 'MODIFIED') this.#changed(object);
          if (type === 'DELETED') this.#seen.delete(object.metadata.name);
          since = type === 'ERROR' ? '' : `resourceVersion=${object.metadata['resourceVersion']}`;
        }
      } catch (error) {
        if (!this.#stop.signal.aborted) throw error;
      }
    }
  }

  #changed({ metadata, spec, status }: Record<string, any>): void {
    const { name, generation } = metadata;
    const { image } = spec.template.spec.containers[0];
    const known = this.#seen.get(name);
    const atMs = known?.image === image ? known!.atMs : performance.now();
    this.#seen.set(name, { image, atMs, settled: status?.observedGeneration === generation });
    const waiter = this.#waiting.get(name);
    if (waiter?.image !== image) return;
    this.#waiting.delete(name);
    waiter?.resolve(atMs);
  }
}
