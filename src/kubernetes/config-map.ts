import { ApiError } from '../errors.ts';
import type { Log } from '../ports.ts';
import type { KubeClient } from './client.ts';
import { type RawObject, recordAt, textOf } from './raw.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { resourcePath } from './resource-path.ts';

/** A ConfigMap as far as it is of interest. */
export interface ConfigMap {
  readonly uid: string;
  readonly data: Readonly<Record<string, string>>;
}

export interface ConfigMapOptions {
  readonly client: Pick<KubeClient, 'json' | 'open'>;
  readonly log: Log;
  readonly namespace: string;
  readonly name: string;
  /** Called with each state that differs from the one before; undefined: there is none. */
  readonly onChange: (map: ConfigMap | undefined) => void;
  readonly reflector?: Pick<ReflectorOptions<unknown>, 'times' | 'idleMs' | 'watchSeconds' | 'streaming'>;
}

/** Follows one ConfigMap by its name; no other is ever read. Without the right to, it is as if there were none. */
export class KubeConfigMap {
  readonly #options: ConfigMapOptions;
  readonly #reflector: Reflector<ConfigMap>;

  constructor(options: ConfigMapOptions) {
    this.#options = options;
    const { client, log, namespace, name, onChange, reflector } = options;
    this.#reflector = new Reflector<ConfigMap>({
      ...reflector,
      client,
      log,
      path: resourcePath('v1', 'configmaps', namespace),
      fieldSelector: `metadata.name=${name}`,
      transform: (raw) => (recordAt(raw, 'metadata')['name'] === name ? contentOf(raw) : undefined),
      onEvent: (event) => onChange(event.object),
      // What was deleted before the first list is told by no event.
      onState: (state) => {
        if (state === 'synced') onChange([...this.#reflector.values()][0]);
      },
    });
  }

  /** As it is now, read once. Throws ApiError when the server gives no answer; no right to read it is no ConfigMap. */
  async read(signal: AbortSignal): Promise<ConfigMap | undefined> {
    const { client, namespace, name } = this.#options;
    try {
      return contentOf(await client.json<RawObject>('GET', resourcePath('v1', 'configmaps', namespace, name), { signal, retries: 0 }));
    } catch (error) {
      if (error instanceof ApiError && (error.isNotFound || error.status === 403)) return undefined;
      throw error;
    }
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }
}

function contentOf(raw: RawObject): ConfigMap {
  const data = Object.entries(recordAt(raw, 'data')).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return { uid: textOf(recordAt(raw, 'metadata')['uid']) ?? '', data: Object.fromEntries(data) };
}
