import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { KubeClient } from '../cluster/kube-client.ts';
import { startRegistry } from '../cluster/registry.ts';
import type { Registry } from '../cluster/registry.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { workload } from './manifests.ts';
import type { WorkloadOptions } from './manifests.ts';
import { startOperator } from './operator.ts';
import { imagesOf, openScene, Scene } from './scene.ts';

const operatorRequests = { userAgent: /^headwind\// };
const direct = { 'require-approval': 'false', 'min-update-interval': '0' };
const patient = { timeoutMs: 120_000 };

async function aRegistry(t: TestContext): Promise<Registry> {
  const registry = await startRegistry();
  atEnd(t, () => registry.stop());
  return registry;
}

/** Many objects over several connections. */
async function createAll(admin: KubeClient, namespace: string, all: readonly WorkloadOptions[]): Promise<void> {
  const left = all.values();
  const worker = async () => {
    for (const options of left) {
      const manifest = workload(options);
      await admin.create({ ...manifest, metadata: { ...manifest.metadata, namespace } });
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

/** Requests of the operator by path, without those that led to a login. */
function countByPath(registry: Registry, method: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { path } of registry.requests({ ...operatorRequests, method })) counts.set(path, (counts.get(path) ?? 0) + 1);
  return counts;
}

function rssMb(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const kib = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** More names of a tag that is there, in the registry's own storage: pushing so many would take minutes. */
function writeTags(storage: string, repository: string, existing: string, tags: Iterable<string>): void {
  const folder = join(storage, 'docker/registry/v2/repositories', repository, '_manifests/tags');
  for (const tag of tags) symlinkSync(existing, join(folder, tag));
}

describe('test/e2e/registries', () => {
  it('asks once for each of 20 images that 1,000 workloads run, by HEAD alone', async (t) => {
    const registry = await aRegistry(t);
    const env = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '3' };
    const { cluster, namespace, operator } = await openScene(t, 'thousand', { registry, env });
    const repositories = Array.from({ length: 20 }, (_, index) => `team-${index}/app`);
    const digests = await Promise.all(repositories.map((repository) => registry.push(repository, 'latest')));
    const all = Array.from({ length: 1_000 }, (_, index): WorkloadOptions => {
      const digest = digests[index % 20] ?? '';
      const settings = { policy: 'digest', 'event-source': 'polling', digests: JSON.stringify({ app: digest }) };
      // Paused from the beginning: without pods, and without a thousand rollouts beside the point.
      return { name: `app-${index}`, image: `${registry.host}/${repositories[index % 20]}:latest`, settings, spec: { paused: true } };
    });
    await createAll(cluster.admin, namespace, all);
    registry.forgetRequests();
    const paths = repositories.map((repository) => `/v2/${repository}/manifests/latest`).toSorted();
    await cluster.until(
      'every image was looked at twice',
      (see) => {
        const counts = countByPath(registry, 'HEAD');
        see(counts);
        return paths.every((path) => (counts.get(path) ?? 0) >= 2);
      },
      patient,
    );
    const lists = await operator.metric('kube_requests_total', { verb: 'list' });
    registry.forgetRequests();
    const [before, startedAt] = [await operator.metric('polls_total'), performance.now()];
    await cluster.until(
      'every image was looked at five more times',
      (see) => {
        const counts = countByPath(registry, 'HEAD');
        see(counts);
        return paths.every((path) => (counts.get(path) ?? 0) >= 5);
      },
      patient,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const heads = countByPath(registry, 'HEAD');
    const polls = (await operator.metric('polls_total')) - before;
    const requests = registry.requests(operatorRequests);
    const statuses = Map.groupBy(requests, ({ method, status }) => `${method} ${status}`);
    const figures = `${requests.length} requests in ${seconds.toFixed(1)} s for ${polls} looks: ${[...statuses].map(([what, each]) => `${each.length} × ${what}`).join(', ')}`;
    t.diagnostic(figures);
    assert.deepEqual([...heads.keys()].toSorted(), paths);
    assert.deepEqual([...statuses.keys()], ['HEAD 304'], figures);
    // Five rounds of at least 4.5 s each.
    assert.ok(
      [...heads.values()].every((count) => count <= Math.ceil(seconds / 4.4) + 1),
      figures,
    );
    assert.ok(Math.abs(polls - requests.length) <= 20, figures);
    assert.equal(await operator.metric('kube_requests_total', { verb: 'list' }), lists, 'nothing is listed while nothing is new');
  });

  for (const tenant of ['another tenant', 'the same tenant']) {
    it(`is not delayed by a registry of ${tenant} that hangs`, (t) => besideOneThatHangs(t, tenant === 'the same tenant'));
  }

  it('reads 100,000 tags in time and in little memory', async (t) => {
    const registry = await aRegistry(t);
    const env = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '2' };
    const scene = await openScene(t, 'many-tags', { registry, env });
    const { repository, operator } = scene;
    await registry.push(repository, '1.0.0');
    const more = Array.from({ length: 99_999 }, (_, index) => `1.${1 + Math.floor(index / 1_000)}.${index % 1_000}`);
    writeTags(registry.storageFolder, repository, '1.0.0', more);
    await operator.untilMetric('queue_depth', {}, (value) => value === 0);
    // What the start took does not count: the peak is counted anew from here.
    writeFileSync(`/proc/${operator.pid}/clear_refs`, '5');
    const before = rssMb(operator.pid, 'VmRSS');
    const startedAt = performance.now();
    await scene.run({ image: scene.image('1.0.0'), settings: { ...direct, 'event-source': 'polling' } });
    const newest = scene.image('1.100.998');
    await scene.cluster.until('the newest of all is chosen', async () => imagesOf(await scene.get()).includes(newest), patient);
    const seconds = (performance.now() - startedAt) / 1000;
    const grownMb = rssMb(operator.pid, 'VmHWM') - before;
    const pages = registry.requests({ ...operatorRequests, method: 'GET', path: /tags\/list/ }).length;
    const figures = `${seconds.toFixed(1)} s from the first look to the update, ${pages} pages, ${grownMb.toFixed(0)} MiB more than ${before.toFixed(0)} MiB`;
    t.diagnostic(figures);
    assert.ok(seconds < 120, figures);
    assert.ok(grownMb <= 64, figures);
  });
});

function pushOf(host: string, repository: string): object {
  const target = { mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${'1'.repeat(64)}`, repository, tag: '1.1.0' };
  return {
    events: [{ id: crypto.randomUUID(), timestamp: new Date().toISOString(), action: 'push', target, request: { host, method: 'PUT' } }],
  };
}

/** Updates from one registry, while sixty repositories of another one are asked for and never answered. */
async function besideOneThatHangs(t: TestContext, isSameTenant: boolean): Promise<void> {
  const [registry, hanging] = await Promise.all([aRegistry(t), aRegistry(t)]);
  const { cluster } = await sharedCluster();
  const own = await cluster.namespace('prompt');
  const other = isSameTenant ? own : await cluster.namespace('stuck');
  for (const each of new Set([own, other])) atEnd(t, () => each.delete());
  const env = { HEADWIND_POLLING_ENABLED: 'true', HEADWIND_POLLING_INTERVAL: '2' };
  const operator = await startOperator(t, {
    cluster,
    env,
    namespaces: [...new Set([own.name, other.name])],
    registries: [registry, hanging],
  });
  const scene = new Scene(cluster, registry, own.name, operator);
  await scene.deploy('1.0.0', { settings: direct });
  const timeOf = async (tag: string): Promise<number> => {
    await scene.cluster.untilRolledOut(scene.pathOf());
    const startedAt = performance.now();
    await scene.release(tag);
    await scene.untilImage(scene.image(tag));
    return performance.now() - startedAt;
  };
  const alone = [await timeOf('1.1.0'), await timeOf('1.2.0'), await timeOf('1.3.0')];
  const stuck = Array.from({ length: 60 }, (_, index) => `stuck-${index}`);
  const image = `${hanging.host}/stuck/app`;
  for (const name of stuck) await hanging.push(`stuck/app-${name}`, '1.0.0', { platforms: ['linux/amd64'], index: false });
  const options = { settings: { ...direct, 'event-source': 'both' }, spec: { paused: true } };
  await createAll(
    cluster.admin,
    other.name,
    stuck.map((name) => ({ ...options, name, image: `${image}-${name}:1.0.0` })),
  );
  await scene.cluster.until('the other registry is polled', () => countByPath(hanging, 'GET').size >= 60, patient);
  hanging.pause();
  atEnd(t, () => hanging.resume());
  for (const name of stuck) await scene.deliver(pushOf(hanging.host, `stuck/app-${name}`));
  // Now all of its places are taken by calls that wait, and others stand in line, until they give up after 15 s.
  const times = [await timeOf('1.4.0'), await timeOf('1.5.0'), await timeOf('1.6.0')];
  const shown = (all: number[]) => all.map((ms) => ms.toFixed(0)).join(', ');
  const figures = `${shown(alone)} ms alone; ${shown(times)} ms beside 60 repositories of a registry that hangs`;
  t.diagnostic(figures);
  // Who stands in line behind it waits for 15 s.
  assert.ok(Math.max(...times) < Math.max(...alone) + 8_000, figures);
}
