import { type AutorolloutSettings, defaultAutorolloutSettings } from '../core/autorollout-settings.ts';
import type { LogLevel } from '../core/config-table.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';
import { parseCron, type Schedule } from '../core/schedule.ts';
import type { ReadFile } from './checked-files.ts';
import type { Layer } from './layer.ts';
import { mergeLayers, type MergedValues } from './merge-layers.ts';
import { registrySettingsOf } from './registry-settings-of.ts';

/** What may change while the operator runs: the environment, over it the file, over that the ConfigMap. */
export interface Settings {
  readonly logLevel: LogLevel;
  readonly controllersEnabled: boolean;
  readonly polling: { readonly enabled: boolean; readonly intervalMs: number };
  readonly requests: { readonly expiryMs: number; readonly retentionMs: number; readonly keepPerContainer: number };
  readonly autorollout: AutorolloutSettings;
  readonly registries: RegistrySettings;
  /** Artifactory: local repository → the virtual ones through which workloads pull. */
  readonly virtualRepositories: Readonly<Record<string, readonly string[]>>;
}

/** What the environment and the flags say of the same. */
export interface BaseSettings {
  readonly logLevel: LogLevel;
  readonly controllersEnabled: boolean;
  readonly polling: Settings['polling'];
  readonly requests: { readonly expiryMs: number; readonly retentionMs: number };
}

export type SettingsResult =
  | { readonly settings: Settings; readonly warnings: readonly string[] }
  | { readonly mistakes: readonly string[] };

export interface SettingsSources {
  readonly base: BaseSettings;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly read: ReadFile;
  /** Certificates (PEM) from `SSL_CERT_FILE` and `SSL_CERT_DIR`. */
  readonly systemRoots: readonly string[];
}

export const keepPerContainer = 10;

/** Puts the layers together and reads the files they name; or every mistake. */
export async function settingsOf({ base, layers, read, systemRoots }: SettingsSources): Promise<SettingsResult> {
  const merged = mergeLayers(layers);
  const { values } = merged;
  const registries = await registrySettingsOf(merged, read, systemRoots);
  const schedule = scheduleOf(merged);
  const mistakes = [...('invalid' in schedule ? [schedule.invalid] : []), ...registries.mistakes];
  if (mistakes.length > 0 || 'invalid' in schedule) return { mistakes };
  const settings: Settings = {
    logLevel: values.logLevel ?? base.logLevel,
    controllersEnabled: values.controllers?.enabled ?? base.controllersEnabled,
    polling: {
      enabled: values.polling?.enabled ?? base.polling.enabled,
      intervalMs: values.polling?.interval ?? base.polling.intervalMs,
    },
    requests: {
      expiryMs: values.updateRequests?.expiry ?? base.requests.expiryMs,
      retentionMs: values.updateRequests?.retention ?? base.requests.retentionMs,
      keepPerContainer: values.updateRequests?.keepPerContainer ?? keepPerContainer,
    },
    autorollout: {
      schedule: schedule.schedule,
      compare: values.compare ?? defaultAutorolloutSettings.compare,
      kubectlAnnotation: values.featureFlags?.enableKubectlAnnotation ?? defaultAutorolloutSettings.kubectlAnnotation,
    },
    registries: registries.settings,
    virtualRepositories: values.virtualRepositories ?? {},
  };
  return { settings, warnings: registries.warnings };
}

/** The port on which the configuration wants the health routes too. */
export function healthPortOf(layers: readonly Layer[]): number | undefined {
  return mergeLayers(layers).values.webserver?.port;
}

function scheduleOf({ values, where }: MergedValues): { readonly schedule: Schedule } | { readonly invalid: string } {
  const { cronSchedule, interval, timeZone } = values;
  const usual = defaultAutorolloutSettings.schedule;
  if (interval !== undefined) return { schedule: { kind: 'interval', everyMs: interval } };
  if (usual.kind !== 'cron' || (cronSchedule === undefined && timeZone === undefined)) return { schedule: usual };
  const result = parseCron(cronSchedule ?? usual.expression, timeZone ?? usual.timeZone);
  return 'schedule' in result ? result : { invalid: `${where(['cronSchedule'])}: cronSchedule: ${result.invalid}` };
}
