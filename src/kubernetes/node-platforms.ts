import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import { ApiError } from '../errors.ts';
import type { Platform } from '../ports.ts';
import type { KubeClient } from './client.ts';
import { listPages } from './list-pages.ts';
import { orAborted } from './or-aborted.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';
import { resourcePath } from './resource-path.ts';

interface NodePlatformsOptions {
  readonly client: Pick<KubeClient, 'json'>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Nodes change their platform never, and their name seldom. */
const keptMs = 10 * 60_000;
const mostNodes = 20_000;
/** More than these are cheaper to list, by their metadata alone, than to ask for one by one. */
const mostSingleReads = 10;

/** What is known of a node: nothing, when it is gone or says nothing. */
interface Known {
  readonly platform: Platform | undefined;
}

/**
 * The platforms of nodes, asked for when a pod on them is looked at and kept for minutes. A missing right is remembered for as long and is no
 * error: nodes belong to the cluster, and an operator of one namespace may not read them.
 */
export class NodePlatforms {
  readonly #client: Pick<KubeClient, 'json'>;
  readonly #now: () => number;
  readonly #known: LRUCache<string, Known>;
  readonly #underWay = new Map<string, Promise<void>>();
  #forbiddenUntil = Number.NEGATIVE_INFINITY;
  #allUntil = Number.NEGATIVE_INFINITY;

  constructor({ client, now }: NodePlatformsOptions) {
    this.#client = client;
    this.#now = now;
    this.#known = new LRUCache({ ...atMost(mostNodes), ttl: keptMs, ttlResolution: 0, perf: { now } });
  }

  /** By name of the node; those that could not be read are missing. Throws ApiError when the API server fails. */
  async of(names: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, Platform>> {
    const unknown = [...names].filter((name) => !this.#known.has(name));
    if (unknown.length > 0) await orAborted(this.#learn(unknown), signal);
    const platforms = new Map<string, Platform>();
    for (const name of names) {
      const platform = this.#known.get(name)?.platform;
      if (platform) platforms.set(name, platform);
    }
    return platforms;
  }

  /** The distinct platforms of all nodes; undefined when they may not be read. Throws ApiError when the API server fails. */
  async all(signal: AbortSignal): Promise<readonly Platform[] | undefined> {
    if (this.#now() >= this.#allUntil && this.#now() >= this.#forbiddenUntil)
      await orAborted(
        this.#once('*', () => this.#list()),
        signal,
      );
    if (this.#now() < this.#forbiddenUntil) return undefined;
    const platforms = [...this.#known.values()].flatMap(({ platform }) => platform ?? []);
    return [...new Map(platforms.map((platform) => [`${platform.os}/${platform.architecture}`, platform])).values()];
  }

  async #learn(names: readonly string[]): Promise<void> {
    if (this.#now() < this.#forbiddenUntil) return;
    const isList = names.length > mostSingleReads;
    await (isList ? this.#once('*', () => this.#list()) : Promise.all(names.map((name) => this.#once(name, () => this.#get(name)))));
    // What was not found now is not looked for again with each pod.
    for (const name of names) if (!this.#known.has(name)) this.#known.set(name, { platform: undefined });
  }

  /** Without the signal of a caller: others wait for the same answer. */
  #once(key: string, read: () => Promise<void>): Promise<void> {
    const underWay = this.#underWay.get(key);
    if (underWay) return underWay;
    const reading = read()
      .catch((error: unknown) => this.#acceptRefusal(error))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, reading);
    return reading;
  }

  async #get(name: string): Promise<void> {
    const raw = await this.#client.json<RawObject>('GET', resourcePath('v1', 'nodes', undefined, name));
    this.#known.set(name, { platform: platformOf(raw) });
  }

  async #list(): Promise<void> {
    const trim = (raw: RawObject) => {
      const name = textOf(recordAt(raw, 'metadata')['name']);
      if (name !== undefined) this.#known.set(name, { platform: platformOf(raw) });
      return undefined;
    };
    await listPages(this.#client, { path: resourcePath('v1', 'nodes'), trim, metadataOnly: true });
    this.#allUntil = this.#now() + keptMs;
  }

  #acceptRefusal(error: unknown): void {
    if (!(error instanceof ApiError) || !(error.isNotFound || error.status === 403)) throw error;
    if (error.status === 403) this.#forbiddenUntil = this.#now() + keptMs;
  }
}

/** The labels say the same; a list by metadata has nothing else. */
function platformOf(raw: RawObject): Platform | undefined {
  const info = recordAt(raw, 'status', 'nodeInfo');
  const labels = recordAt(raw, 'metadata', 'labels');
  const os = textOf(info['operatingSystem']) ?? textOf(labels['kubernetes.io/os']);
  const architecture = textOf(info['architecture']) ?? textOf(labels['kubernetes.io/arch']);
  return os === undefined || architecture === undefined ? undefined : { os, architecture };
}
