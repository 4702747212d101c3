import type { Config, ConfigResult } from '../config.ts';
import type { Settings } from '../config/settings.ts';
import { SettingsReader } from './settings-reader.ts';

/** All that the process was told at its start, understood and checked. */
export interface OpenedSettings {
  readonly config: Config;
  readonly reader: SettingsReader;
  readonly settings: Settings;
  /** The port on which the file wants the health routes too. */
  readonly healthPort: number | undefined;
  readonly warnings: readonly string[];
}

/** Reads the configuration file to what environment and flags say; or every mistake of all of them. */
export async function openSettings(
  result: ConfigResult,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<OpenedSettings | { readonly mistakes: readonly string[] }> {
  const config = 'config' in result ? result.config : result.unchecked;
  const reader = new SettingsReader(config, environment);
  const { settings, healthPort, mistakes, warnings } = await reader.read(undefined);
  const all = ['mistakes' in result ? result.mistakes : [], mistakes].flat();
  if ('mistakes' in result || settings === undefined || all.length > 0) return { mistakes: all };
  return { config, reader, settings, healthPort, warnings: [...result.warnings, ...warnings] };
}
