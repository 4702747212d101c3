import type { Config } from '../config.ts';
import { type Layer, type LayerResult, readFlatLayer, readLayer } from '../config/layer.ts';
import type { Variables } from '../config/placeholders.ts';
import { healthPortOf, type Settings, settingsOf } from '../config/settings.ts';
import { localFiles, type LocalFiles, readSystemRoots, usualConfigFile } from './local-files.ts';

/** The ConfigMap as it is now; undefined: there is none. */
export type ConfigMapContent = { readonly source: string; readonly data: Readonly<Record<string, string>> } | undefined;

export interface ReadSettings {
  /** What counts now; undefined when nothing can, so that what was there before has to go on. */
  readonly settings: Settings | undefined;
  /** The port on which the file wants the health routes too. */
  readonly healthPort: number | undefined;
  /** Empty: all that is written was understood. */
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads all that may change while the operator runs, in full each time. A place with a mistake keeps its last good content. */
export class SettingsReader {
  readonly path: string | undefined;
  readonly #config: Config;
  readonly #variables: Variables;
  readonly #systemRoots: readonly string[];
  #files: LocalFiles = localFiles();
  #fileLayers: readonly Layer[] = [];
  #mapLayers: readonly Layer[] = [];

  constructor(config: Config, variables: Variables, usual = usualConfigFile) {
    this.path = config.configPath ?? usual();
    this.#config = config;
    this.#variables = variables;
    this.#systemRoots = readSystemRoots(config.systemRoots);
  }

  async read(map: ConfigMapContent): Promise<ReadSettings> {
    const files = localFiles();
    this.#files = files;
    const fromFile = await this.#readFile(files);
    const fromMap = await readMap(map);
    if (fromFile.mistakes.length === 0) this.#fileLayers = fromFile.layers;
    if (fromMap.mistakes.length === 0) this.#mapLayers = fromMap.layers;
    const layers = [...this.#fileLayers, ...this.#mapLayers];
    const result = await settingsOf({ base: this.#config, layers, read: files.read, systemRoots: this.#systemRoots });
    const settings = 'settings' in result ? result.settings : undefined;
    const mistakes = 'mistakes' in result ? result.mistakes : [];
    const warnings = 'warnings' in result ? result.warnings : [];
    return {
      settings,
      healthPort: healthPortOf(layers),
      mistakes: [...fromFile.mistakes, ...fromMap.mistakes, ...mistakes],
      warnings: [...fromFile.warnings, ...fromMap.warnings, ...warnings],
    };
  }

  /** The state of the files as they were last read; it differs from {@link filesNow} when one has changed since. */
  get filesSeen(): string {
    return this.#files.seen();
  }

  filesNow(): Promise<string> {
    return this.#files.now();
  }

  async #readFile(files: LocalFiles): Promise<Reading> {
    if (this.path === undefined) return nothing;
    const content = files.read(this.path);
    if ('problem' in content) return { ...nothing, mistakes: [`the configuration file ${this.path} ${content.problem}`] };
    return reading(await readLayer(content.text, { source: this.path, variables: this.#variables, isFile: true }));
  }
}

interface Reading {
  readonly layers: readonly Layer[];
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

const nothing: Reading = { layers: [], mistakes: [], warnings: [] };

/** The key `config.yaml`, and over it the single keys. */
async function readMap(map: ConfigMapContent): Promise<Reading> {
  if (map === undefined) return nothing;
  const text = map.data['config.yaml'];
  const source = { variables: undefined, isFile: false };
  const parts = [
    ...(text === undefined ? [] : [reading(await readLayer(text, { ...source, source: `${map.source}, config.yaml` }))]),
    reading(readFlatLayer(map.data, { ...source, source: map.source })),
  ];
  return {
    layers: parts.flatMap(({ layers }) => layers),
    mistakes: parts.flatMap(({ mistakes }) => mistakes),
    warnings: parts.flatMap(({ warnings }) => warnings),
  };
}

function reading(result: LayerResult): Reading {
  return 'mistakes' in result
    ? { ...nothing, mistakes: result.mistakes }
    : { ...nothing, layers: [result.layer], warnings: result.warnings };
}
