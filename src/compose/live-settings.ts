import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import type { AutorolloutSettings } from '../core/autorollout-settings.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import type { Log, Metrics } from '../ports.ts';
import type { ConfigMapContent, ReadSettings, SettingsReader } from './settings-reader.ts';

export interface LiveSettingsOptions {
  readonly reader: SettingsReader;
  /** What was read at the start. */
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Told of each reading that changed something or found a new mistake. */
  readonly onReading?: (reason: 'ConfigurationChanged' | 'InvalidConfiguration', message: string) => void;
  /** How often the files are looked at; a change has to last for two looks. */
  readonly everyMs?: number;
}

const lookEveryMs = 1500;

/** The settings as they are now: read again when file, a file that it names, or the ConfigMap changes. What has mistakes never counts. */
export class LiveSettings {
  readonly #options: LiveSettingsOptions;
  readonly #listeners = new Set<(next: Settings, before: Settings) => void>();
  #settings: Settings;
  #map: ConfigMapContent;
  #toldMistakes = '';
  #toldWarnings: readonly string[] = [];
  #reading: Promise<void> = Promise.resolve();

  constructor(options: LiveSettingsOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  get current(): Settings {
    return this.#settings;
  }

  registrySettings(): RegistrySettings {
    return this.#settings.registries;
  }

  autorolloutSettings(): AutorolloutSettings {
    return this.#settings.autorollout;
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: (next: Settings, before: Settings) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The ConfigMap is now so. Resolves when its settings are in force, or were refused. */
  configMapChanged(map: ConfigMapContent): Promise<void> {
    if (JSON.stringify(map) === JSON.stringify(this.#map)) return this.#reading;
    this.#map = map;
    return this.#readAgain();
  }

  /** Takes over what was read at the start with this ConfigMap. */
  startedWith(map: ConfigMapContent, settings: Settings): void {
    this.#map = map;
    this.#settings = settings;
  }

  /** Looks at the files until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { reader, everyMs = lookEveryMs } = this.#options;
    let before = reader.filesSeen;
    while (!signal.aborted) {
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const now = await reader.filesNow();
      // A file that is being written is left to be finished.
      if (now !== reader.filesSeen && now === before) await this.#readAgain();
      before = now;
    }
  }

  /** One after the other: each reading sees all that was there when it began. */
  #readAgain(): Promise<void> {
    this.#reading = this.#readAfter(this.#reading);
    return this.#reading;
  }

  async #readAfter(earlier: Promise<void>): Promise<void> {
    await earlier;
    try {
      this.#take(await this.#options.reader.read(this.#map));
    } catch (error) {
      this.#options.log.error({ error }, 'reading the configuration failed');
    }
  }

  #take({ settings, mistakes, warnings }: ReadSettings): void {
    const { log, metrics, onReading } = this.#options;
    const told = mistakes.join('\n');
    const isNews = told !== this.#toldMistakes;
    this.#toldMistakes = told;
    for (const warning of warnings) if (!this.#toldWarnings.includes(warning)) log.warn({}, warning);
    this.#toldWarnings = warnings;
    metrics.increment('config_reloads_total', { result: mistakes.length > 0 ? 'refused' : 'ok' });
    if (isNews && mistakes.length > 0) {
      log.error(
        { reason: 'InvalidConfiguration', mistakes },
        `the changed configuration has mistakes and does not count: ${mistakes.join('; ')}`,
      );
      onReading?.('InvalidConfiguration', `What was in force before stays in force: ${mistakes.join('; ')}`);
    }
    if (settings !== undefined) this.#putInForce(settings, mistakes.length === 0);
  }

  #putInForce(next: Settings, isWhole: boolean): void {
    const { log, onReading } = this.#options;
    const before = this.#settings;
    this.#settings = next;
    for (const listener of this.#listeners) listener(next, before);
    if (!isWhole) return;
    log.info({ reason: 'ConfigurationChanged', ...summaryOf(next) }, 'changed settings are in force');
    onReading?.('ConfigurationChanged', 'The changed settings are in force');
  }
}

/** The settings for a log line: neither secrets nor user names nor their lengths. */
export function summaryOf({ registries, autorollout, virtualRepositories, ...plain }: Settings): object {
  return {
    ...plain,
    autorollout,
    virtual_repositories: virtualRepositories,
    registries: {
      ...registries,
      caCertificates: registries.caCertificates.length,
      hosts: registries.hosts.map(
        ({ hostnamePattern, repositoryPrefix, credential, insecure, allowPrivate, tls, proxy, mirrors, limits }) => ({
          hostnamePattern,
          repositoryPrefix,
          credential: credential.kind,
          source: 'source' in credential ? credential.source : undefined,
          insecure,
          allowPrivate,
          tls: tls && {
            authorities: tls.caCertificates.length,
            client: tls.clientCertificate !== undefined,
            serverName: tls.serverName,
            skipVerify: tls.skipVerify,
          },
          proxy: proxy === undefined || proxy === false ? proxy : proxy.url,
          mirrors: mirrors.map(({ url }) => url),
          limits,
        }),
      ),
      credentialProviders: registries.credentialProviders.map(({ name, matchImages }) => ({ name, matchImages })),
    },
  };
}
