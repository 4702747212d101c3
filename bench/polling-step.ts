import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import { startOperator } from './operator.ts';
import type { BenchRegistry } from './registry.ts';
import type { StageContext } from './stage.ts';
import { createNamespace, createWorkload, firstTag } from './workloads.ts';

const cycles = 3;
const shared = { repositories: 20, workloadsEach: 5, namespaces: ['shared-open', 'shared-secret'] as const };
const secretName = 'registry-login';

/**
 * What the registry is asked when nothing is new. Besides the workloads that are there, with images of their own, some share images: in one
 * namespace without credentials, in another one with a pull secret. Each (repository, credential) is to be asked once in a cycle.
 */
export async function measurePolling(context: StageContext & { cluster: ControlPlane; registry: BenchRegistry }): Promise<void> {
  const { cluster, registry, report, scale, say } = context;
  const intervalMs = scale.pollingIntervalMs;
  say(`polling every ${intervalMs / 1000} s, ${cycles} cycles`);
  await addSharing(cluster, registry);
  const env = { ...context.env, HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: String(intervalMs / 1000) };
  const operator = await startOperator({ ...context, env, cluster, registry: registry.host });
  try {
    // The first looks are spread over an interval, and new lists wake what they concern.
    await delay(2.5 * intervalMs);
    await operator.untilDone();
    await registry.takeRequests();
    const [before, startedAt] = [await operator.metric('polls_total'), performance.now()];
    await delay(cycles * intervalMs);
    const { total, repositories, manifestGets } = await registry.takeRequests();
    const passed = (performance.now() - startedAt) / intervalMs;
    const polls = (await operator.metric('polls_total')) - before;
    // All images of their own, the sidecar, and the shared ones twice.
    const pairs = scale.small + 1 + 2 * shared.repositories;
    const detail = { pairs, repositories, requests: total, polls, cycles: passed };
    // Intervals are jittered by ±10 %: the mean of a few cycles may be a little more than one question each.
    report.record('poll-requests', { value: total / passed, budget: { most: Math.ceil(pairs * 1.02) }, detail });
    report.record('poll-gets', { value: manifestGets, detail });
    if (repositories !== scale.small + 1 + shared.repositories)
      throw new Error(`not every repository was asked: ${JSON.stringify(detail)}`);
  } finally {
    await operator.stop();
  }
}

async function addSharing({ admin }: ControlPlane, registry: BenchRegistry): Promise<void> {
  const names = Array.from({ length: shared.repositories }, (_, index) => `shared/image-${index}`);
  await registry.push(names.map((name) => [name, firstTag]));
  const [open, withSecret] = shared.namespaces;
  for (const namespace of shared.namespaces) await createNamespace(admin, namespace, false);
  const auths = { [registry.host]: { username: 'bench', password: 'not-a-secret' } };
  const data = { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') };
  const metadata = { name: secretName, namespace: withSecret };
  await admin.create({ apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/dockerconfigjson', metadata, data });
  for (const [index, repository] of names.entries()) {
    const image = `${registry.host}/${repository}:${firstTag}`;
    for (let copy = 0; copy < shared.workloadsEach; copy++) {
      const name = `sharing-${index}-${copy}`;
      await createWorkload(admin, { namespace: open, name, image });
      await createWorkload(admin, { namespace: withSecret, name, image, pullSecret: secretName });
    }
  }
}
