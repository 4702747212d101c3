/** How much of everything a run measures. */
export interface Scale {
  readonly name: 'default' | 'quick' | 'full';
  /** Workloads in the cluster with controllers, where updates are made. */
  readonly small: number;
  /** Workloads in the cluster for size, where nothing is updated. */
  readonly large: number;
  /** After that, for growth; undefined = not measured. */
  readonly huge: number | undefined;
  readonly coldStarts: number;
  /** Updates one after the other, each timed. */
  readonly latencySamples: number;
  readonly burstEvents: number;
  readonly webhookMs: number;
  /** Rest before memory is read: V8 gives back what it does not need only when it collects. */
  readonly settleMs: number;
  readonly idleMs: number;
  readonly pollingIntervalMs: number;
}

const usual: Scale = {
  name: 'default',
  small: 1_000,
  large: 10_000,
  huge: undefined,
  coldStarts: 3,
  latencySamples: 300,
  burstEvents: 20_000,
  webhookMs: 10_000,
  settleMs: 20_000,
  idleMs: 120_000,
  pollingIntervalMs: 10_000,
};

const quick: Scale = {
  ...usual,
  name: 'quick',
  small: 200,
  large: 2_000,
  coldStarts: 1,
  latencySamples: 60,
  burstEvents: 4_000,
  webhookMs: 5_000,
  settleMs: 10_000,
  idleMs: 30_000,
  pollingIntervalMs: 6_000,
};

export function scaleOf({ isQuick, isFull }: { isQuick: boolean; isFull: boolean }): Scale {
  if (isQuick) return quick;
  return isFull ? { ...usual, name: 'full', huge: 50_000 } : usual;
}
