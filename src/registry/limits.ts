import type { RegistryHostSettings } from '../core/registry-settings.ts';
import type { Quirks } from './quirks.ts';

/** How many requests one origin gets at once, and per second. */
export interface Limits {
  readonly concurrent: number;
  readonly rate: { readonly perSecond: number; readonly burst: number } | undefined;
}

const publicLimits = { concurrent: 4, perSecond: 10, burst: 20 };
const ownConcurrency = 16;

/** Public services are limited in number and rate; others slow us down only by asking for it. What the configuration says counts before. */
export function limitsOf(quirks: Quirks, configured: RegistryHostSettings['limits'] = {}): Limits {
  const usual = quirks.concurrency ?? (quirks.isPublic === true ? publicLimits.concurrent : ownConcurrency);
  const concurrent = Math.max(1, Math.floor(configured.concurrent ?? usual));
  const perSecond = configured.requestsPerSecond ?? (quirks.isPublic === true ? publicLimits.perSecond : undefined);
  if (perSecond === undefined || !(perSecond > 0)) return { concurrent, rate: undefined };
  const usualBurst = configured.requestsPerSecond === undefined ? publicLimits.burst : perSecond * 2;
  return { concurrent, rate: { perSecond, burst: Math.max(1, configured.burst ?? usualBurst) } };
}

/** Do they say the same? */
export function areSameLimits(left: Limits, right: Limits): boolean {
  return left.concurrent === right.concurrent && left.rate?.perSecond === right.rate?.perSecond && left.rate?.burst === right.rate?.burst;
}
