import type { Config } from '../config.ts';
import { type Layer, type LayerResult, readFlatLayer, readLayer } from '../config/layer.ts';
import type { Variables } from '../config/placeholders.ts';
import { mergeLayers } from '../config/merge-layers.ts';
import { healthPortOf, type Settings, settingsOf } from '../config/settings.ts';
import { nextRun } from '../core/schedule.ts';
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
  #firstPort: { readonly port: number | undefined } | undefined;

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
    const result = await this.#settingsOf(layers);
    const settings = 'settings' in result ? result.settings : undefined;
    const rest = [...fromFile.rest, ...fromMap.rest];
    const further = rest.length === 0 ? result : await this.#settingsOf([...fromFile.layers, ...fromMap.layers, ...rest]);
    const mistakes = [result, further].flatMap((each) => ('mistakes' in each ? each.mistakes : []));
    const warnings = 'warnings' in result ? result.warnings : [];
    return {
      settings,
      healthPort: healthPortOf(layers),
      mistakes: [...new Set([...fromFile.mistakes, ...fromMap.mistakes, ...mistakes])],
      warnings: [
        ...fromFile.warnings,
        ...fromMap.warnings,
        ...warnings,
        ...pastSchedule(layers, settings),
        ...this.#otherPort(layers, settings),
      ],
    };
  }

  /** Listeners are opened at the start only. */
  #otherPort(layers: readonly Layer[], settings: Settings | undefined): readonly string[] {
    if (settings === undefined) return [];
    const port = healthPortOf(layers);
    this.#firstPort ??= { port };
    const first = this.#firstPort.port;
    if (port === first) return [];
    const where = mergeLayers(layers).where(['webserver', 'port']);
    return [`${where}: webserver.port ${port ?? 'unset'} counts from the next start on; until then it is ${first ?? 'unset'}`];
  }

  #settingsOf(layers: readonly Layer[]): ReturnType<typeof settingsOf> {
    return settingsOf({ base: this.#config, layers, read: this.#files.read, systemRoots: this.#systemRoots });
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
    const strange = content.text.split(/\r\n|\n|\r/).findIndex((line) => line.includes('\uFFFD'));
    if (strange !== -1) {
      return { ...nothing, mistakes: [`${this.path} line ${strange + 1}: the file is not in UTF-8; save it in this encoding`] };
    }
    return reading(await readLayer(content.text, { source: this.path, variables: this.#variables, isFile: true }));
  }
}

interface Reading {
  readonly layers: readonly Layer[];
  /** What is well in layers with mistakes. */
  readonly rest: readonly Layer[];
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

const nothing: Reading = { layers: [], rest: [], mistakes: [], warnings: [] };

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
    rest: parts.flatMap(({ rest }) => rest),
    mistakes: parts.flatMap(({ mistakes }) => mistakes),
    warnings: parts.flatMap(({ warnings }) => warnings),
  };
}

/** A schedule whose years are over is no mistake, so that its last year does not end the operator; but nobody means it. */
function pastSchedule(layers: readonly Layer[], settings: Settings | undefined): readonly string[] {
  const schedule = settings?.autorollout.schedule;
  if (schedule?.kind !== 'cron' || nextRun(schedule, Date.now()) !== Number.POSITIVE_INFINITY) return [];
  const where = mergeLayers(layers).where(['cronSchedule']);
  return [
    `${where}: cronSchedule: "${schedule.expression}" has no time to come: labelled workloads are looked at no more; write a later year, or none`,
  ];
}

function reading(result: LayerResult): Reading {
  return 'mistakes' in result
    ? { ...nothing, mistakes: result.mistakes, rest: [result.rest] }
    : { ...nothing, layers: [result.layer], warnings: result.warnings };
}
