import type { Log } from '../ports.ts';
import type { KubeClient } from './client.ts';
import type { RawObject } from './raw.ts';
import { Reflector, type ReflectorOptions, type ReflectorState, type StoreEvent } from './reflector.ts';
import { resourcePath } from './resource-path.ts';

/** What an adapter over watch caches needs. */
export interface CacheOptions {
  readonly client: Pick<KubeClient, 'json' | 'open'>;
  readonly log: Log;
  /** Empty: all namespaces, by one watch. */
  readonly watchNamespaces: readonly string[];
  /** Told of each change of a watch's state; `sources` has them all. */
  readonly onState?: () => void;
  /** Times of the reflectors. */
  readonly reflector?: Pick<ReflectorOptions<unknown>, 'times' | 'idleMs' | 'watchSeconds' | 'streaming' | 'pageSize' | 'ownWriteMs'>;
}

/** One watch, for readiness: `deployments.apps`, `synced`. */
export interface CacheSource {
  readonly resource: string;
  /** `undefined`: all namespaces. */
  readonly namespace: string | undefined;
  readonly state: ReflectorState;
  readonly problem: string | undefined;
}

interface Resource<S> {
  readonly apiVersion: string;
  readonly resource: string;
  readonly transform: (raw: RawObject) => S | undefined;
  readonly onEvent: (event: StoreEvent<S>) => void;
}

/** The watch cache of one resource: one reflector for all namespaces, or one for each that is watched. */
export class ReflectorSet<S> {
  readonly #resource: Resource<S>;
  readonly #reflectors: ReadonlyMap<string | undefined, Reflector<S>>;

  constructor({ client, log, watchNamespaces, onState, reflector }: CacheOptions, resource: Resource<S>) {
    this.#resource = resource;
    const { apiVersion, resource: plural, transform, onEvent } = resource;
    const namespaces = watchNamespaces.length === 0 ? [undefined] : watchNamespaces;
    this.#reflectors = new Map(
      namespaces.map((namespace) => {
        const path = resourcePath(apiVersion, plural, namespace);
        const states = onState === undefined ? {} : { onState };
        return [namespace, new Reflector<S>({ ...reflector, client, log, path, transform, onEvent, ...states })];
      }),
    );
  }

  get sources(): readonly CacheSource[] {
    const { apiVersion, resource } = this.#resource;
    const name = apiVersion.includes('/') ? `${resource}.${apiVersion.split('/')[0]}` : resource;
    return [...this.#reflectors].map(([namespace, { state, problem }]) => ({ resource: name, namespace, state, problem }));
  }

  get(namespace: string, name: string): S | undefined {
    return this.#reflectorOf(namespace)?.get(`${namespace}/${name}`);
  }

  *values(): Generator<S> {
    for (const reflector of this.#reflectors.values()) yield* reflector.values();
  }

  /** Shows the server's answer to our own write at once. */
  wrote(namespace: string, raw: RawObject): void {
    this.#reflectorOf(namespace)?.wrote(raw);
  }

  /** Shows at once that an object is gone. */
  deleted(namespace: string, raw: RawObject): void {
    this.#reflectorOf(namespace)?.deleted(raw);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.run(signal)));
  }

  #reflectorOf(namespace: string): Reflector<S> | undefined {
    return this.#reflectors.get(undefined) ?? this.#reflectors.get(namespace);
  }
}
