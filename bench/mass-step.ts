import { setTimeout as delay } from 'node:timers/promises';
import { type PushClaim, sendLoad } from './load.ts';
import { memoryOf, resetPeak } from './process-facts.ts';
import type { UpdateScene } from './updates-stage.ts';
import { nameOf, repositoryOf } from './workloads.ts';

const [first, last] = ['1.0.2', '1.0.3'] as const;
const withinMs = 180_000;

/** Two pushes for every workload, all first ones and then all second ones, as fast as they are answered. */
export async function measureMass({ registry, watch, operator, report, scale, say }: UpdateScene): Promise<void> {
  const indexes = Array.from({ length: scale.small }, (_, index) => index);
  say(`${2 * indexes.length} pushes at once`);
  const pushes = [first, last].flatMap((tag) => indexes.map((index) => [repositoryOf(index), tag] as const));
  await registry.push(pushes);
  resetPeak(operator.pid);
  const startedAt = performance.now();
  const updated = indexes.map((index) => watch.until(nameOf(index), `${registry.host}/${repositoryOf(index)}:${last}`, withinMs));
  const claims = pushes.map(
    ([repository, tag]): PushClaim => ({ host: registry.host, repository, tag, digest: `sha256:${'0'.repeat(64)}` }),
  );
  const sent = await sendLoad({ url: `${operator.webhook}/webhook/registry`, connections: 16, pushes: claims });
  const seenAt = await Promise.all(updated);
  const times = seenAt.filter((atMs) => atMs !== undefined);
  const seconds = (Math.max(...times) - startedAt) / 1000;
  const detail = { seconds, sentInSeconds: sent.seconds, statuses: sent.statuses };
  report.record('mass-lost', { value: indexes.length - times.length, detail });
  report.record('mass-rate', { value: times.length / seconds, detail });
  report.record('mass-peak', { value: memoryOf(operator.pid).peakMiB });
  if (!report.wants('mass-rss')) return;
  await delay(scale.settleMs);
  report.record('mass-rss', { value: memoryOf(operator.pid).rssMiB, detail: memoryOf(operator.pid) });
}
