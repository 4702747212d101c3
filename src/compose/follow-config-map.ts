import type { Config } from '../config.ts';
import { ApiError } from '../errors.ts';
import type { KubeClient } from '../kubernetes/client.ts';
import { type ConfigMap, KubeConfigMap } from '../kubernetes/config-map.ts';
import type { EventSubject, Log } from '../ports.ts';
import type { LiveSettings } from './live-settings.ts';
import type { ConfigMapContent, SettingsReader } from './settings-reader.ts';

export interface FollowOptions {
  readonly client: KubeClient;
  readonly log: Log;
  readonly config: Pick<Config, 'configMapName' | 'identity'>;
  readonly home: string;
  readonly reader: SettingsReader;
  readonly live: LiveSettings;
}

/** The ConfigMap of settings: read at the start, then followed. */
export interface FollowedConfigMap {
  /** Puts what it says in force. Throws with every mistake in it; an API server that gives no answer is waited for later. */
  start(signal: AbortSignal): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
  /** On which object an Event about the settings is to stand. */
  subject(): EventSubject | undefined;
}

const answerMs = 5000;

export function followConfigMap({ client, log, config, home, reader, live }: FollowOptions): FollowedConfigMap {
  const name = config.configMapName;
  let current: ConfigMap | undefined;
  const contentOf = (map: ConfigMap | undefined): ConfigMapContent => map && { source: `ConfigMap ${home}/${name}`, data: map.data };
  const map = new KubeConfigMap({
    client,
    log,
    namespace: home,
    name,
    onChange(next) {
      current = next;
      void live.configMapChanged(contentOf(next));
    },
  });

  async function start(signal: AbortSignal): Promise<void> {
    try {
      current = await map.read(AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (!(error instanceof ApiError) && !signal.aborted) log.debug({ error }, 'reading the ConfigMap failed');
      log.warn({ problem }, `ConfigMap ${home}/${name} cannot be read yet; its settings count as soon as it can: ${problem}`);
      return;
    }
    if (current === undefined) return;
    const { settings, mistakes, warnings } = await reader.read(contentOf(current));
    if (settings === undefined || mistakes.length > 0) throw new Error(`the configuration has mistakes:\n  ${mistakes.join('\n  ')}`);
    for (const warning of warnings) log.warn({}, warning);
    live.startedWith(contentOf(current), settings);
  }

  return {
    start,
    run: (signal) => map.run(signal),
    subject() {
      if (current) return { apiVersion: 'v1', kind: 'ConfigMap', namespace: home, name, uid: current.uid };
      const { podName } = config.identity;
      return podName === undefined ? undefined : { apiVersion: 'v1', kind: 'Pod', namespace: home, name: podName, uid: '' };
    },
  };
}
