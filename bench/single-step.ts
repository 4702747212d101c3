import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { operatorUser } from '../test/e2e/install.ts';
import { pushEnvelope } from '../test/e2e/call.ts';
import { percentile } from './load.ts';
import { countRequests } from './requests.ts';
import type { UpdateScene } from './updates-stage.ts';
import { nameOf, namespaceOf, repositoryOf } from './workloads.ts';

const tag = '1.0.1';
const updateWithinMs = 10_000;
const pauseMs = 50;
/** Events are written behind the update. */
const eventsWithinMs = 5_000;
/** So long the operator keeps what it has read of pull secrets. */
const keptMs = 60_000;

/** Pushes of ever other repositories, each after the one before has had its effect: none waits for the merge window of another. */
export async function measureSingle(scene: UpdateScene): Promise<void> {
  const { registry, report, scale, cluster, say } = scene;
  const count = Math.min(scale.latencySamples, scale.small);
  say(`${count} updates one after the other`);
  await registry.push(Array.from({ length: count }, (_, index) => [repositoryOf(index), tag]));
  const since = new Date();
  const startedAt = performance.now();
  const latencies: number[] = [];
  for (let index = 0; index < count; index++) {
    latencies.push(await updateOne(scene, index));
    await delay(pauseMs);
  }
  const detail = { samples: count, p90: percentile(latencies, 90), max: Math.max(...latencies) };
  report.record('patch-p50', { value: percentile(latencies, 50), detail });
  report.record('patch-p99', { value: percentile(latencies, 99), detail });
  const minutes = Math.ceil((performance.now() - startedAt) / keptMs);
  await delay(eventsWithinMs);
  const { writes, events, reads, keptReads, byKind } = countRequests(cluster.auditEntries(), operatorUser, since);
  report.record('update-writes', { value: writes / count, detail: byKind });
  report.record('update-events', { value: events / count, detail: byKind });
  report.record('update-reads', { value: reads / count, detail: byKind });
  const namespaces = new Set(Array.from({ length: count }, (_, index) => namespaceOf(index))).size;
  report.record('kept-reads', { value: keptReads, budget: { most: (namespaces + 1) * minutes }, detail: { namespaces, minutes } });
}

/** From sending the webhook until a watch of our own shows the new image. */
async function updateOne({ registry, watch, operator }: UpdateScene, index: number): Promise<number> {
  const repository = repositoryOf(index);
  const seen = watch.until(nameOf(index), `${registry.host}/${repository}:${tag}`, updateWithinMs);
  const sentAt = performance.now();
  const { statusCode, body } = await request(`${operator.webhook}/webhook/registry`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.docker.distribution.events.v2+json' },
    body: JSON.stringify(pushEnvelope(registry.host, repository, tag, `sha256:${'0'.repeat(64)}`)),
  });
  const text = await body.text();
  const atMs = await seen;
  if (atMs === undefined)
    throw new Error(`${nameOf(index)} was not updated in ${updateWithinMs} ms; the webhook was answered ${statusCode} ${text}`);
  return atMs - sentAt;
}
