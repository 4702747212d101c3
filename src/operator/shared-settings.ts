import { LRUCache } from 'lru-cache';
import { annotationPrefix, annotationTable } from '../core/annotation-table.ts';
import { readSettings, type SettingDefaults, type Settings } from '../core/settings.ts';
import type { Workload } from '../core/workload.ts';

/** Written by the operator itself: never a setting, and different from workload to workload. */
const writtenKeys = new Set(
  Object.entries(annotationTable).flatMap(([key, { access }]) => (access === 'written' ? [annotationPrefix + key] : [])),
);
const sharedBytes = 4 * 1024 * 1024;
const settingsBytes = 2_000;

/** The settings of workloads. Most say the same words about containers of the same names, and share one object: it is larger than the workload. */
export class SharedSettings {
  readonly #defaults: SettingDefaults;
  readonly #byWorkload = new WeakMap<Workload, Settings>();
  readonly #byText = new LRUCache<string, Settings>({
    maxSize: sharedBytes,
    sizeCalculation: (_, text) => settingsBytes + 2 * text.length,
  });

  constructor(defaults: SettingDefaults = {}) {
    this.#defaults = defaults;
  }

  /** Read once per version of the object, at most. */
  of(workload: Workload): Settings {
    const known = this.#byWorkload.get(workload);
    if (known) return known;
    const settings = this.#read(workload);
    this.#byWorkload.set(workload, settings);
    return settings;
  }

  #read({ annotations, slots, autorollout }: Workload): Settings {
    const containers = slots.map(({ container }) => container);
    const read = Object.entries(annotations).filter(([key]) => !writtenKeys.has(key));
    const text = JSON.stringify([containers, read, autorollout]);
    const shared = this.#byText.get(text);
    if (shared) return shared;
    const settings = readSettings(annotations, containers, { ...this.#defaults, autorollout });
    this.#byText.set(text, settings);
    return settings;
  }
}
