import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricName, type MetricRow, metricTable } from '../core/metric-table.ts';
import type { Metrics } from '../ports.ts';

export interface MetricsRegistry extends Metrics {
  /** Everything in the text format of Prometheus (0.0.4). */
  text(): Promise<string>;
  readonly contentType: string;
}

type Labels = Readonly<Record<string, string>>;
type Instrument = Counter | Gauge | Histogram;
type BoundLabels = Record<string, string>;

const prefix = 'headwind_';
const maximumValuesPerLabel = 200;
/** Hosts come from workloads, so their number is not ours to choose. */
const valueLimits: Readonly<Record<string, number>> = { registry: 50 };
const maximumLabelLength = 128;
/** Of each metric: what callers say again and again. */
const rememberedLabels = 500;
const noLabels: BoundLabels = {};

/** Every metric of the table, and those of the process. Values of a label beyond its limit are counted as `other`. */
export function createMetrics(options: { readonly processMetrics: boolean }): MetricsRegistry {
  const registry = new Registry();
  const instruments = new Map<string, Instrument>(Object.entries(metricTable).map(([name, row]) => [name, register(registry, name, row)]));
  const seen = new Map<string, Set<string>>();
  // At the default precision of 10 ms the monitor alone would use half a percent of a core.
  if (options.processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  const remembered = new Map<string, Map<string, BoundLabels>>();

  /** Counting happens several times for each webhook and request, nearly always with labels that were bounded before. */
  function bounded(name: MetricName, labels: Labels): BoundLabels {
    let key = '';
    for (const label in labels) key += `${label}=${labels[label] ?? ''}\0`;
    if (key === '') return noLabels;
    const known = remembered.get(name)?.get(key);
    if (known) return known;
    const result = Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, boundedValue(seen, name, label, value)]));
    remember(name, key, result);
    return result;
  }

  function remember(name: MetricName, key: string, labels: BoundLabels): void {
    const ofMetric = remembered.get(name) ?? new Map<string, BoundLabels>();
    remembered.set(name, ofMetric);
    if (ofMetric.size < rememberedLabels && key.length < 1_000) ofMetric.set(key, labels);
  }

  return {
    increment(name, labels = {}, by = 1) {
      const instrument = instruments.get(name);
      if (!(instrument instanceof Counter || instrument instanceof Gauge)) throw new TypeError(`${name} cannot be incremented`);
      instrument.inc(bounded(name, labels), by);
    },
    set(name, value, labels = {}) {
      const instrument = instruments.get(name);
      if (!(instrument instanceof Gauge)) throw new TypeError(`${name} is not a gauge`);
      instrument.set(bounded(name, labels), value);
    },
    observe(name, seconds, labels = {}) {
      const instrument = instruments.get(name);
      if (!(instrument instanceof Histogram)) throw new TypeError(`${name} is not a histogram`);
      instrument.observe(bounded(name, labels), seconds);
    },
    reset(name) {
      instruments.get(name)?.reset();
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function register(registry: Registry, name: string, row: MetricRow): Instrument {
  const options = { name: prefix + name, help: row.help, labelNames: [...(row.labels ?? [])], registers: [registry] };
  if (row.type === 'counter') return new Counter(options);
  if (row.type === 'gauge') return new Gauge(options);
  return new Histogram({ ...options, buckets: [...(row.buckets ?? [])] });
}

function boundedValue(seen: Map<string, Set<string>>, name: string, label: string, value: string): string {
  const key = `${name}/${label}`;
  const values = seen.get(key) ?? new Set();
  if (values.size === 0) seen.set(key, values);
  const text = value.slice(0, maximumLabelLength);
  if (values.has(text)) return text;
  if (values.size >= (valueLimits[label] ?? maximumValuesPerLabel)) return 'other';
  values.add(text);
  return text;
}
