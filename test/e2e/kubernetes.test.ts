import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import { KubeClient } from '../../src/kubernetes/client.ts';
import { checkPermissions } from '../../src/kubernetes/check-permissions.ts';
import { KubeEvents } from '../../src/kubernetes/events.ts';
import { loadClusterAccess } from '../../src/kubernetes/kubeconfig.ts';
import { LeaderElection, type Term } from '../../src/kubernetes/leader-election.ts';
import { leaseApi } from '../../src/kubernetes/lease-api.ts';
import { permissions } from '../../src/kubernetes/permissions.ts';
import { KubePullSecrets } from '../../src/kubernetes/pull-secrets.ts';
import type { CacheSource } from '../../src/kubernetes/reflector-set.ts';
import { KubeUpdateRequests } from '../../src/kubernetes/update-requests.ts';
import { KubeWorkloads } from '../../src/kubernetes/workloads.ts';
import type { Log, Metrics } from '../../src/ports.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { until } from '../cluster/until.ts';
import { describeUpdateRequests } from '../contracts/update-requests.ts';
import { describeWorkloads } from '../contracts/workloads.ts';
import { turnUntil } from '../fakes/turn-until.ts';
import { install, installHome, operatorKubeconfig } from './install.ts';
import { pullSecret, workload } from './manifests.ts';

const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const metrics: Metrics = { increment: nothing, set: nothing, observe: nothing, reset: nothing };
const clock = { now: () => Date.now() };
const signal = new AbortController().signal;

/** A client of the cluster with exactly the shipped rights, and a namespace to work in. */
async function start(t: TestContext) {
  const { cluster } = await sharedCluster();
  await install(cluster);
  const access = await loadClusterAccess({ kubeconfig: await operatorKubeconfig(cluster), environment: {} });
  const client = new KubeClient(access, { version: 'test' });
  const namespace = await cluster.namespace('adapters');
  t.after(async () => {
    await namespace.delete();
    await client.close();
  });
  return { cluster, client, namespace: namespace.name };
}

async function runCache(t: TestContext, cache: { readonly sources: readonly CacheSource[]; run(signal: AbortSignal): Promise<void> }) {
  const stop = new AbortController();
  const running = cache.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  await turnUntil(() => cache.sources.every(({ state }) => state === 'synced'));
}

describeWorkloads('KubeWorkloads on a real API server', async (t) => {
  const { cluster, client, namespace } = await start(t);
  const workloads = new KubeWorkloads({ client, log, watchNamespaces: [namespace] });
  await runCache(t, workloads);
  const path = (name: string) => `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const cronJobPath = (name: string) => `/apis/batch/v1/namespaces/${namespace}/cronjobs/${name}`;
  const found = (name: string) => workloads.get({ kind: 'Deployment', namespace, name });
  return {
    workloads,
    namespace,
    create: async (name, containers, initContainers = {}) => {
      await cluster.apply(workload({ name, containers, initContainers }), { namespace });
      // Afterwards nobody but the suite writes to it.
      await turnUntil(() => found(name)?.rollout.healthy === true);
      return found(name)!;
    },
    annotate: async ({ name }, key, value) => {
      await cluster.admin.patch(path(name), { metadata: { annotations: { [key]: value } } });
      await turnUntil(() => found(name)?.annotations[key] === value);
    },
    remove: async ({ name }) => {
      await cluster.admin.delete(path(name));
      await turnUntil(() => found(name) === undefined);
    },
    templateAnnotations: async ({ kind, name }) => {
      const stored = await cluster.admin.get(kind === 'CronJob' ? cronJobPath(name) : path(name));
      const spec = stored?.['spec'];
      return (spec?.jobTemplate?.spec ?? spec)?.template.metadata.annotations ?? {};
    },
    createCronJob: async (name, containers) => {
      await cluster.apply(workload({ kind: 'CronJob', name, containers }), { namespace });
      const cronJob = () => workloads.get({ kind: 'CronJob', namespace, name });
      await turnUntil(() => cronJob() !== undefined);
      return cronJob()!;
    },
  };
});

describeUpdateRequests('KubeUpdateRequests on a real API server', async (t) => {
  const { cluster, client, namespace } = await start(t);
  const requests = new KubeUpdateRequests({ client, log, watchNamespaces: [namespace], clock });
  const workloads = new KubeWorkloads({ client, log, watchNamespaces: [namespace] });
  await Promise.all([runCache(t, requests), runCache(t, workloads)]);
  await cluster.apply(workload({ image: 'nginx:1.25', spec: { replicas: 0 } }), { namespace });
  const owner = () => workloads.get({ kind: 'Deployment', namespace, name: 'app' });
  await turnUntil(() => owner() !== undefined);
  const path = (name: string) => `/apis/headwind.sh/v1alpha1/namespaces/${namespace}/updaterequests/${name}`;
  return {
    requests,
    owner: owner()!,
    setPhase: async ({ metadata }, phase) => {
      await cluster.admin.patch(`${path(metadata.name)}/status`, { status: { phase } });
      await turnUntil(() => requests.get(namespace, metadata.name)?.status.phase === phase);
    },
    remove: async ({ metadata }) => {
      await cluster.admin.delete(path(metadata.name));
      await turnUntil(() => requests.get(namespace, metadata.name) === undefined);
    },
  };
});

describe('kubernetes adapters on a real API server', () => {
  let cluster: ClusterAccess;
  before(async () => {
    ({ cluster } = await sharedCluster());
  });

  it('the shipped rights are all that the table asks for; without them each row is named', async (t) => {
    const { client, namespace } = await start(t);
    assert.deepEqual(await checkPermissions(client, { watchNamespaces: [], home: 'headwind-system' }, signal), []);
    const access = await loadClusterAccess({
      kubeconfig: cluster.kubeconfigFor('nobody', await cluster.serviceAccountToken(namespace, 'default')),
      environment: {},
    });
    const powerless = new KubeClient(access, { version: 'test' });
    t.after(() => powerless.close());
    const missing = await checkPermissions(powerless, { watchNamespaces: [], home: 'headwind-system' }, signal);
    assert.equal(missing.length, permissions.length);
  });

  it('an object that is removed takes its requests with it', async (t) => {
    const { client, namespace } = await start(t);
    const [owner] = await cluster.apply(workload({ image: 'nginx:1.25', spec: { replicas: 0 } }), { namespace });
    const requests = new KubeUpdateRequests({ client, log, watchNamespaces: [namespace], clock });
    await runCache(t, requests);
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment' as const, namespace, name: 'app', uid: String(owner?.metadata['uid']) };
    const workloads = new KubeWorkloads({ client, log, watchNamespaces: [namespace] });
    await runCache(t, workloads);
    await requests.create(
      {
        namespace,
        name: 'vanishes',
        owner: workloads.get(ref)!,
        spec: { targetRef: ref, currentImage: 'nginx:1.25', newImage: 'nginx:1.26', policy: 'minor', containerName: 'app' },
      },
      signal,
    );
    await cluster.admin.delete(`/apis/apps/v1/namespaces/${namespace}/deployments/app`);
    // The garbage collector looks for new kinds every 30 s.
    await until('the request is collected', () => requests.get(namespace, 'vanishes') === undefined, { timeoutMs: 90_000 });
  });

  it('Events are accepted, their series too, and kubectl shows them', async (t) => {
    const { client, namespace } = await start(t);
    const [object] = await cluster.apply(workload({ image: 'nginx:1.25', spec: { replicas: 0 } }), { namespace });
    const subject = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'app', uid: String(object?.metadata['uid']) };
    const warnings: object[] = [];
    const loud = { ...log, debug: (fields: object) => warnings.push(fields), warn: (fields: object) => warnings.push(fields) };
    const events = new KubeEvents({ client, clock, log: loud, instance: 'headwind-test_0' });
    const stop = new AbortController();
    const running = events.run(stop.signal);
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    const ours = async () =>
      (await cluster.admin.list(path)).filter(({ reportingController }) => reportingController === 'headwind.sh/operator');
    events.emit(subject, 'InvalidAnnotation', 'headwind.sh/policy: "sometimes" is no policy');
    await until('the Event is there', async () => (await ours()).length === 1);
    events.emit(subject, 'InvalidAnnotation', 'headwind.sh/policy: "sometimes" is no policy');
    stop.abort();
    await running;
    const [event] = await ours();
    assert.deepEqual(warnings, []);
    assert.equal(event?.['series'].count, 2);
    assert.equal(event?.['type'], 'Warning');
    assert.match(
      await cluster.kubectl('describe', 'deployment', 'app', '-n', namespace),
      /Warning\s+InvalidAnnotation.*"sometimes" is no policy/,
    );
  });

  it('a pull secret is read by its name', async (t) => {
    const { client, namespace } = await start(t);
    await cluster.apply(pullSecret('regcred', { host: 'registry.example.com' }, 'user', 'password'), { namespace });
    const secrets = new KubePullSecrets({ client });
    const context = { namespace, serviceAccountName: 'default', pullSecretNames: ['regcred', 'missing'] };
    const { secrets: found, problems } = await secrets.of(context, signal);
    assert.deepEqual(Object.keys(JSON.parse(found[0]?.data['.dockerconfigjson'] ?? '{}').auths), ['registry.example.com']);
    assert.deepEqual(
      problems.map(({ reason }) => reason),
      ['PullSecretMissing'],
    );
    assert.deepEqual(await secrets.of({ ...context, pullSecretNames: [] }, signal), { secrets: [], problems: [] });
  });

  it('leads by a Lease, says where, hands over at once, and needs its namespace', async (t) => {
    const { client, namespace } = await start(t);
    await installHome(cluster, namespace);
    await operatorKubeconfig(cluster, namespace);
    const candidate = (identity: string, home: string) => {
      const stop = new AbortController();
      const election = new LeaderElection({
        api: leaseApi(client, home),
        identity,
        namespace: home,
        clock,
        log,
        metrics,
        address: () => `http://${identity}:8080`,
        retryMs: 100,
      });
      const lead = ({ stopping }: Term) => new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve()));
      const running = election.run(stop.signal, lead);
      const end = async () => {
        stop.abort();
        await running;
      };
      t.after(end);
      return { election, end };
    };
    const first = candidate('one', namespace);
    await until('the first leads', () => first.election.isLeading);
    const second = candidate('two', namespace);
    await until('the second knows where', () => second.election.observed.address === 'http://one:8080');
    const stoppedAt = performance.now();
    await first.end();
    await until('the second leads', () => second.election.isLeading);
    assert.ok(performance.now() - stoppedAt < 1_000, `${performance.now() - stoppedAt} ms`);
    const homeless = candidate('three', 'nowhere');
    await until('the missing namespace is said', () => homeless.election.problem?.includes('namespace nowhere does not exist') === true);
  });
});
