import type { Scale } from './scale.ts';

/** What a value is held against; `none` = shown, not judged. */
export type Budget = { readonly most: number } | { readonly least: number } | 'none';

export type StageName = 'engine' | 'updates' | 'size';

export interface RowDefinition {
  readonly title: (scale: Scale) => string;
  readonly unit: string;
  readonly budget: Budget;
  /** Which part of the run measures it. */
  readonly stage: StageName;
  /** Only measured when the scale has a third size. */
  readonly onlyFull?: true;
}

const n = (count: number | undefined): string => (count ?? 0).toLocaleString('en-US');

/** A second: what the design asks for, and at which the latency is judged. */
export const webhookRate = 2_000;

/** Every row of the report, in its order. The budgets are those of the design; rows without one explain their neighbours. */
export const rowTable = {
  'engine-simple': { stage: 'engine', title: () => 'policy engine: a few tags', unit: 'decisions/s', budget: 'none' },
  'engine-tags': { stage: 'engine', title: () => 'policy engine: 10,000 tags, slowest policy', unit: 'ms', budget: 'none' },
  'rss-small': { stage: 'updates', title: ({ small }) => `RSS, synced and idle, ${n(small)} workloads`, unit: 'MiB', budget: { most: 90 } },
  'patch-p50': {
    stage: 'updates',
    title: ({ small }) => `webhook sent → workload patched, ${n(small)} workloads, p50`,
    unit: 'ms',
    budget: { most: 45 },
  },
  'patch-p99': { stage: 'updates', title: () => 'webhook sent → workload patched, p99', unit: 'ms', budget: { most: 250 } },
  'update-writes': { stage: 'updates', title: () => 'API requests per direct update: writes', unit: '', budget: { most: 3 } },
  'update-events': { stage: 'updates', title: () => 'API requests per direct update: Events', unit: '', budget: { most: 2 } },
  'update-reads': { stage: 'updates', title: () => 'API requests per direct update: reads', unit: '', budget: { most: 0 } },
  'kept-reads': {
    stage: 'updates',
    title: () => 'ServiceAccounts, pull secrets, nodes read meanwhile: once a minute each',
    unit: '',
    budget: 'none',
  },
  'mass-lost': {
    stage: 'updates',
    title: ({ small }) => `${n(2 * small)} pushes for ${n(small)} workloads: not at the last tag`,
    unit: 'workloads',
    budget: { most: 0 },
  },
  'mass-rate': { stage: 'updates', title: () => 'the same: speed', unit: 'workloads/s', budget: { least: 50 } },
  'mass-cpu': { stage: 'updates', title: () => 'the same: CPU of the operator for each', unit: 'ms', budget: 'none' },
  'mass-peak': { stage: 'updates', title: () => 'the same: peak RSS', unit: 'MiB', budget: { most: 160 } },
  'mass-rss': { stage: 'updates', title: () => 'the same: RSS after a rest', unit: 'MiB', budget: 'none' },
  'poll-requests': { stage: 'updates', title: () => 'registry requests per polling cycle, nothing new', unit: '', budget: 'none' },
  'poll-gets': { stage: 'updates', title: () => 'the same: GETs of manifests', unit: '', budget: { most: 0 } },
  'cold-start': { stage: 'size', title: ({ large }) => `cold start to ready, ${n(large)} workloads`, unit: 's', budget: { most: 5 } },
  'peak-sync': {
    stage: 'size',
    title: ({ large }) => `peak RSS during the initial sync of ${n(large)}`,
    unit: 'MiB',
    budget: { most: 160 },
  },
  'rss-large': { stage: 'size', title: ({ large }) => `RSS, synced and idle, ${n(large)} workloads`, unit: 'MiB', budget: { most: 128 } },
  'peak-burst': {
    stage: 'size',
    title: ({ burstEvents }) => `peak RSS during ${n(burstEvents)} watch events`,
    unit: 'MiB',
    budget: { most: 160 },
  },
  'rss-burst': { stage: 'size', title: () => 'the same: RSS after a rest', unit: 'MiB', budget: 'none' },
  'webhook-rate': {
    stage: 'size',
    title: ({ large }) => `webhooks answered, 16 connections, ${n(large)} workloads`,
    unit: 'events/s',
    budget: { least: webhookRate },
  },
  'webhook-cpu': {
    stage: 'size',
    title: () => 'the same: CPU of the operator for each, with its check at the registry',
    unit: 'µs',
    budget: 'none',
  },
  'webhook-p99': { stage: 'size', title: () => `webhooks at ${n(webhookRate)} a second: p99`, unit: 'ms', budget: { most: 10 } },
  'webhook-p99-full': { stage: 'size', title: () => 'webhooks as fast as they are answered: p99', unit: 'ms', budget: 'none' },
  'webhook-peak': { stage: 'size', title: () => 'the same: peak RSS', unit: 'MiB', budget: 'none' },
  'idle-requests': {
    stage: 'size',
    title: ({ idleMs }) => `API requests in ${idleMs / 1000} idle s, but for Lease and watches`,
    unit: '',
    budget: { most: 0 },
  },
  'idle-cpu': { stage: 'size', title: ({ large }) => `CPU when idle, ${n(large)} workloads`, unit: '% of a core', budget: { most: 0.5 } },
  'rss-huge': {
    stage: 'size',
    title: ({ huge }) => `RSS, synced and idle, ${n(huge)} workloads`,
    unit: 'MiB',
    budget: { most: 320 },
    onlyFull: true,
  },
  'growth-memory': {
    stage: 'size',
    title: ({ large, huge }) => `memory per workload, ${n(large)} → ${n(huge)} against up to ${n(large)}`,
    unit: '×',
    budget: { most: 1.1 },
    onlyFull: true,
  },
  'growth-time': {
    stage: 'size',
    title: ({ large, huge }) => `time to ready per workload, ${n(huge)} against ${n(large)}`,
    unit: '×',
    budget: { most: 1.1 },
    onlyFull: true,
  },
} as const satisfies Record<string, RowDefinition>;

export type RowId = keyof typeof rowTable;

export function isRowId(text: string): text is RowId {
  return Object.hasOwn(rowTable, text);
}

/** The rows of a run: those asked for, else all that the scale measures. */
export function wantedRows(only: readonly RowId[], scale: Scale): RowId[] {
  const all = Object.keys(rowTable).filter(isRowId);
  const asked = only.length > 0 ? all.filter((id) => only.includes(id)) : all;
  return asked.filter((id) => scale.huge !== undefined || !('onlyFull' in rowTable[id]));
}
