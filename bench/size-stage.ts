// Size, in a cluster without controllers where nothing changes by itself: memory, start, bursts, webhooks, idleness.
import { setTimeout as delay } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '../test/cluster/control-plane.ts';
import { operatorUser } from '../test/e2e/install.ts';
import { FilledCluster } from './fill.ts';
import { percentile } from './load.ts';
import { type BenchOperator, startOperator } from './operator.ts';
import { cpuSecondsOf, memoryOf, resetPeak } from './process-facts.ts';
import { type BenchRegistry, startBenchRegistry } from './registry.ts';
import { countRequests } from './requests.ts';
import { type StageContext, withCleanUp } from './stage.ts';
import { measureWebhooks } from './webhook-step.ts';
import { firstTag, repositoryOf, sidecarRepository } from './workloads.ts';

/** What each step works with. */
export interface SizeScene extends StageContext {
  readonly cluster: ControlPlane;
  readonly registry: BenchRegistry;
  readonly filled: FilledCluster;
}

/** One start of the operator, at rest. */
interface Start {
  readonly count: number;
  readonly readyMs: number;
  readonly rssMiB: number;
}

const baseline = 1_000;

export function sizeStage(context: StageContext): Promise<void> {
  const { report, scale, say } = context;
  return withCleanUp(async (keep) => {
    say(`a cluster without controllers and ${scale.large} workloads`);
    const registry = keep(await startBenchRegistry());
    const cluster = keep(await startControlPlane({ scale: true, audit: true, controllers: false, log: say }));
    const filled = await FilledCluster.start(cluster, registry.host);
    keep({ stop: () => filled.close() });
    const scene: SizeScene = { ...context, cluster, registry, filled };
    const starts: Start[] = [];
    if (scale.huge !== undefined && report.wants('growth-memory')) starts.push(await measureStart(scene, baseline));
    await fill(scene, scale.large);
    starts.push(await measureLarge(scene));
    if (scale.huge === undefined || !report.wants('rss-huge', 'growth-memory', 'growth-time')) return;
    starts.push(await measureStart(scene, scale.huge));
    reportGrowth(scene, starts);
  });
}

async function fill({ filled, registry }: SizeScene, count: number): Promise<void> {
  await filled.growTo(count);
  await registry.push([
    ...Array.from({ length: count }, (_, index) => [repositoryOf(index), firstTag] as const),
    [sidecarRepository, firstTag],
  ]);
}

async function measureStart(scene: SizeScene, count: number): Promise<Start> {
  await fill(scene, count);
  const operator = await start(scene);
  try {
    const { rssMiB } = await rest(operator, scene);
    return { count, readyMs: operator.readyMs, rssMiB };
  } finally {
    await operator.stop();
  }
}

async function measureLarge(scene: SizeScene): Promise<Start> {
  const { report, scale, filled } = scene;
  const readyMs: number[] = [];
  const coldStarts = report.wants('cold-start') ? scale.coldStarts : 1;
  for (let attempt = 1; attempt < coldStarts; attempt++) {
    const operator = await start(scene);
    readyMs.push(operator.readyMs);
    await operator.stop();
  }
  const operator = await start(scene);
  try {
    readyMs.push(operator.readyMs);
    report.record('cold-start', { value: percentile(readyMs, 50) / 1000, detail: { readyMs, leadingMs: operator.leadingMs } });
    await operator.untilDone();
    report.record('peak-sync', { value: memoryOf(operator.pid).peakMiB, detail: { bytesEach: filled.bytesEach } });
    const memory = await rest(operator, scene);
    report.record('rss-large', { value: memory.rssMiB, detail: memory });
    if (report.wants('idle-requests', 'idle-cpu')) await measureIdle(scene, operator);
    if (report.wants('peak-burst', 'rss-burst')) await measureBurst(scene, operator);
    if (report.wants('webhook-rate', 'webhook-cpu', 'webhook-p99', 'webhook-p99-full', 'webhook-peak'))
      await measureWebhooks(scene, operator);
    return { count: scale.large, readyMs: percentile(readyMs, 50), rssMiB: memory.rssMiB };
  } finally {
    await operator.stop();
  }
}

function start({ cluster, registry, executable, env }: SizeScene): Promise<BenchOperator> {
  return startOperator({ cluster, executable, env, registry: registry.host });
}

async function rest(operator: BenchOperator, { scale }: SizeScene): Promise<ReturnType<typeof memoryOf>> {
  await operator.untilDone();
  await delay(scale.settleMs);
  return memoryOf(operator.pid);
}

async function measureIdle({ cluster, report, scale, say }: SizeScene, { pid }: BenchOperator): Promise<void> {
  say(`${scale.idleMs / 1000} s of rest`);
  const [since, startedAt, cpuBefore] = [new Date(), performance.now(), cpuSecondsOf(pid)];
  await delay(scale.idleMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = cpuSecondsOf(pid) - cpuBefore;
  const { writes, events, reads, keptReads, byKind } = countRequests(cluster.auditEntries(), operatorUser, since);
  report.record('idle-requests', { value: writes + events + reads + keptReads, detail: byKind });
  report.record('idle-cpu', { value: (100 * cpuSeconds) / seconds, detail: { cpuSeconds, seconds } });
}

async function measureBurst({ filled, report, scale, say }: SizeScene, operator: BenchOperator): Promise<void> {
  say(`${scale.burstEvents} changes`);
  resetPeak(operator.pid);
  const [startedAt, cpuBefore] = [performance.now(), cpuSecondsOf(operator.pid)];
  await filled.churn(scale.burstEvents);
  const seconds = (performance.now() - startedAt) / 1000;
  await operator.untilDone();
  const cpuMicrosPerEvent = ((cpuSecondsOf(operator.pid) - cpuBefore) * 1e6) / scale.burstEvents;
  const detail = { eventsPerSecond: scale.burstEvents / seconds, cpuMicrosPerEvent };
  report.record('peak-burst', { value: memoryOf(operator.pid).peakMiB, detail });
  if (!report.wants('rss-burst')) return;
  await delay(scale.settleMs);
  report.record('rss-burst', { value: memoryOf(operator.pid).rssMiB, detail: memoryOf(operator.pid) });
}

/** Memory is compared between the two slopes, so that what every process costs does not count; time by workload. */
function reportGrowth({ report }: SizeScene, [small, large, huge]: readonly Start[]): void {
  if (!small || !large || !huge) return;
  const slope = (from: Start, to: Start): number => (to.rssMiB - from.rssMiB) / (to.count - from.count);
  report.record('rss-huge', { value: huge.rssMiB });
  report.record('growth-memory', { value: slope(large, huge) / slope(small, large), detail: { small, large, huge } });
  report.record('growth-time', { value: huge.readyMs / huge.count / (large.readyMs / large.count), detail: { small, large, huge } });
}
