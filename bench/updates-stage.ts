// Updates, in a cluster with its controllers: one after the other, a thousand at once, and what they cost.
import { setTimeout as delay } from 'node:timers/promises';
import { type ControlPlane, startControlPlane } from '../test/cluster/control-plane.ts';
import { until } from '../test/cluster/until.ts';
import { FilledCluster } from './fill.ts';
import { ImageWatch } from './image-watch.ts';
import { measureMass } from './mass-step.ts';
import { type BenchOperator, startOperator } from './operator.ts';
import { measurePolling } from './polling-step.ts';
import { memoryOf } from './process-facts.ts';
import { type BenchRegistry, startBenchRegistry } from './registry.ts';
import { measureSingle } from './single-step.ts';
import { type StageContext, withCleanUp } from './stage.ts';
import { firstTag, repositoryOf, sidecarRepository } from './workloads.ts';

/** What each step works with. */
export interface UpdateScene extends StageContext {
  readonly cluster: ControlPlane;
  readonly registry: BenchRegistry;
  readonly operator: BenchOperator;
  readonly watch: ImageWatch;
}

export function updatesStage(context: StageContext): Promise<void> {
  const { report, scale, say } = context;
  return withCleanUp(async (keep) => {
    say(`a cluster with controllers and ${scale.small} workloads`);
    const registry = keep(await startBenchRegistry());
    const cluster = keep(await startControlPlane({ scale: true, audit: true, log: say }));
    const filled = await FilledCluster.start(cluster, registry.host);
    await filled.growTo(scale.small);
    await filled.close();
    const all = Array.from({ length: scale.small }, (_, index) => index);
    await registry.push([...all.map((index) => [repositoryOf(index), firstTag] as const), [sidecarRepository, firstTag]]);
    const watch = keep(new ImageWatch(cluster.admin));
    await until('the controllers have seen all workloads', () => watch.settled === scale.small, { timeoutMs: 120_000 });

    const operator = await startOperator({ ...context, cluster, registry: registry.host });
    try {
      const scene: UpdateScene = { ...context, cluster, registry, operator, watch };
      if (report.wants('rss-small')) await measureRest(scene);
      if (report.wants('patch-p50', 'patch-p99', 'update-writes', 'update-events', 'update-reads', 'kept-reads'))
        await measureSingle(scene);
      if (report.wants('mass-lost', 'mass-rate', 'mass-cpu', 'mass-peak', 'mass-rss')) await measureMass(scene);
    } finally {
      await operator.stop();
    }
    if (report.wants('poll-requests', 'poll-gets')) await measurePolling({ ...context, cluster, registry });
  });
}

async function measureRest({ operator, report, scale }: UpdateScene): Promise<void> {
  await operator.untilDone();
  await delay(scale.settleMs);
  const memory = memoryOf(operator.pid);
  report.record('rss-small', { value: memory.rssMiB, detail: { ...memory, readyMs: operator.readyMs } });
}
