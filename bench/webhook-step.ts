import { type LoadInput, type LoadResult, percentile, type PushClaim, sendLoad } from './load.ts';
import type { BenchOperator } from './operator.ts';
import { cpuSecondsOf, memoryOf, resetPeak } from './process-facts.ts';
import { webhookRate } from './rows.ts';
import type { SizeScene } from './size-stage.ts';
import { firstTag, repositoryOf } from './workloads.ts';

/** Pushes of the tags that run already, of every workload in turn: accepted, checked at the registry, and nothing follows. */
export async function measureWebhooks({ registry, report, scale, say }: SizeScene, operator: BenchOperator): Promise<void> {
  const pushes = Array.from({ length: scale.large }, (_, index): PushClaim => {
    return { host: registry.host, repository: repositoryOf(index), tag: firstTag, digest: `sha256:${'0'.repeat(64)}` };
  });
  const load = { url: `${operator.webhook}/webhook/registry`, connections: 16, durationMs: scale.webhookMs, pushes };
  resetPeak(operator.pid);
  if (report.wants('webhook-rate', 'webhook-cpu', 'webhook-p99-full')) {
    say(`webhooks for ${scale.webhookMs / 1000} s, as fast as they are answered`);
    const { sent, seconds, statuses, latencies, cpuMicrosPerEvent } = await measuredLoad(operator, load);
    const detail = { sent, statuses, cpuMicrosPerEvent, ...percentilesOf(latencies) };
    report.record('webhook-rate', { value: (statuses['200'] ?? 0) / seconds, detail });
    report.record('webhook-cpu', { value: cpuMicrosPerEvent });
    report.record('webhook-p99-full', { value: percentile(latencies, 99), detail });
  }
  if (report.wants('webhook-p99')) {
    say(`webhooks for ${scale.webhookMs / 1000} s, ${webhookRate} a second`);
    const { sent, statuses, latencies, cpuMicrosPerEvent } = await measuredLoad(operator, { ...load, perSecond: webhookRate });
    report.record('webhook-p99', {
      value: percentile(latencies, 99),
      detail: { sent, statuses, cpuMicrosPerEvent, ...percentilesOf(latencies) },
    });
  }
  report.record('webhook-peak', { value: memoryOf(operator.pid).peakMiB });
}

/** The load, until all that follows from it is done, and what it cost. */
async function measuredLoad(operator: BenchOperator, load: LoadInput): Promise<LoadResult & { cpuMicrosPerEvent: number }> {
  const cpuBefore = cpuSecondsOf(operator.pid);
  const result = await sendLoad(load);
  await operator.untilDone();
  return { ...result, cpuMicrosPerEvent: ((cpuSecondsOf(operator.pid) - cpuBefore) * 1e6) / result.sent };
}

function percentilesOf(latencies: readonly number[]): object {
  return {
    p50: percentile(latencies, 50),
    p90: percentile(latencies, 90),
    p99: percentile(latencies, 99),
    max: percentile(latencies, 100),
  };
}
