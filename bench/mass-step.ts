import { setTimeout as delay } from 'node:timers/promises';
import { type PushClaim, sendLoad } from './load.ts';
import { cpuSecondsOf, memoryOf, nameOfProcess, resetPeak } from './process-facts.ts';
import type { UpdateScene } from './updates-stage.ts';
import { nameOf, repositoryOf } from './workloads.ts';

const [first, last] = ['1.0.2', '1.0.3'] as const;
const withinMs = 180_000;

/** Two pushes for every workload, all first ones and then all second ones, as fast as they are answered. */
export async function measureMass({ cluster, registry, watch, operator, report, scale, say }: UpdateScene): Promise<void> {
  const indexes = Array.from({ length: scale.small }, (_, index) => index);
  say(`${2 * indexes.length} pushes at once`);
  const pushes = [first, last].flatMap((tag) => indexes.map((index) => [repositoryOf(index), tag] as const));
  await registry.push(pushes);
  resetPeak(operator.pid);
  const cpuOf = cpuSince(new Map([[operator.pid, 'operator'], ...cluster.pids.map((pid) => [pid, nameOfProcess(pid)] as const)]));
  const startedAt = performance.now();
  const updated = indexes.map((index) => watch.until(nameOf(index), `${registry.host}/${repositoryOf(index)}:${last}`, withinMs));
  const claims = pushes.map(
    ([repository, tag]): PushClaim => ({ host: registry.host, repository, tag, digest: `sha256:${'0'.repeat(64)}` }),
  );
  const sent = await sendLoad({ url: `${operator.webhook}/webhook/registry`, connections: 16, pushes: claims });
  const seenAt = await Promise.all(updated);
  const times = seenAt.filter((atMs) => atMs !== undefined);
  const seconds = (Math.max(...times) - startedAt) / 1000;
  const cpuSeconds = cpuOf();
  const detail = { seconds, sentInSeconds: sent.seconds, statuses: sent.statuses, cpuSeconds };
  report.record('mass-lost', { value: indexes.length - times.length, detail });
  report.record('mass-rate', { value: times.length / seconds, detail });
  report.record('mass-cpu', { value: ((cpuSeconds['operator'] ?? 0) * 1000) / indexes.length, detail: cpuSeconds });
  report.record('mass-peak', { value: memoryOf(operator.pid).peakMiB });
  if (!report.wants('mass-rss')) return;
  await delay(scale.settleMs);
  report.record('mass-rss', { value: memoryOf(operator.pid).rssMiB, detail: memoryOf(operator.pid) });
}

/** CPU seconds of each process from now on: two cores are shared with the API server, etcd and the controllers. */
function cpuSince(names: ReadonlyMap<number, string>): () => Record<string, number> {
  const before = new Map([...names.keys()].map((pid) => [pid, cpuSecondsOf(pid)]));
  return () => Object.fromEntries([...names].map(([pid, name]) => [name, cpuSecondsOf(pid) - (before.get(pid) ?? 0)]));
}
