import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type FakeKubelet, type FakeKubeletOptions, startFakeKubelet } from '../cluster/fake-kubelet.ts';
import { startRegistry } from '../cluster/registry.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { type OperatorOptions, startOperator } from './operator.ts';
import { hasPassed, reportFailure } from './report.ts';
import { RestartScene, type Stage } from './restart-scene.ts';

export interface StageOptions extends Pick<OperatorOptions, 'env' | 'mayBeForbidden'> {
  /** Further registries that speak plain HTTP. */
  readonly insecure?: readonly { readonly host: string }[];
  /** Patches of workloads that all stories together may cause, where that is known beforehand. */
  readonly patches?: number;
}

export type Story = (scene: RestartScene, t: TestContext) => Promise<void>;

/** A registry and a node of the test's own; both end with it. */
export async function openStage(t: TestContext): Promise<Stage> {
  const { cluster } = await sharedCluster();
  const registry = await startRegistry();
  atEnd(t, () => registry.stop());
  return { cluster, registry, kubelet: await startNode(t, { cluster, registry }) };
}

/** A node that only pods with its placement run on. */
export async function startNode(
  t: TestContext,
  { cluster, registry }: Pick<Stage, 'cluster' | 'registry'>,
  options: Pick<FakeKubeletOptions, 'imageIds' | 'registries'> = {},
): Promise<FakeKubelet> {
  const node = `node-${randomBytes(4).toString('hex')}`;
  const kubelet = await startFakeKubelet({ controlPlane: cluster, registries: [registry], node, ...options });
  atEnd(t, () => kubelet.stop());
  return kubelet;
}

/** A namespace of its own and the operator (or replicas of it) that sees no other. */
export async function openRestartScene(t: TestContext, stage: Stage, prefix: string, options: StageOptions = {}): Promise<RestartScene> {
  const namespace = await stage.cluster.namespace(prefix);
  atEnd(t, () => namespace.delete());
  const operator = await startOperator(t, operatorOptions(stage, [namespace.name], options));
  return new RestartScene(stage, namespace.name, operator);
}

/** All stories at the same time, each as a test with a workload of its own, in one namespace with one operator. */
export async function playAll(
  t: TestContext,
  stage: Stage,
  stories: Readonly<Record<string, Story>>,
  options: StageOptions = {},
): Promise<void> {
  const { namespace, operator } = await openRestartScene(t, stage, 'restarts', options);
  let failed = 0;
  const tests = Object.entries(stories).map(([title, tell]) =>
    t.test(title, async (each) => {
      const scene = new RestartScene(stage, namespace, operator, slug(title));
      each.after(async () => {
        if (hasPassed(each)) return;
        failed += 1;
        await report(each, scene);
      });
      await tell(scene, each);
    }),
  );
  await Promise.all(tests);
  const byResource = await Promise.all(patched.map((resource) => operator.metric('kube_requests_total', { verb: 'patch', resource })));
  const patches = byResource.reduce((sum, each) => sum + each, 0);
  t.diagnostic(`${tests.length} stories, ${patches} patches of workloads`);
  if (failed === 0 && options.patches !== undefined) assert.equal(patches, options.patches, 'patches of workloads in all');
}

const patched = ['deployments', 'statefulsets', 'daemonsets', 'cronjobs'];

function operatorOptions(
  { cluster, registry }: Stage,
  namespaces: readonly string[],
  { insecure = [], ...options }: StageOptions,
): OperatorOptions {
  return { cluster, namespaces, registries: [registry, ...insecure], ...options };
}

/** Only what concerns this workload: the operator and the namespace have others. */
async function report(t: TestContext, { cluster, namespace, name, operator }: RestartScene): Promise<void> {
  const concerns = (text: string) => text.includes(name);
  const lines = operator.logs().split('\n').filter(concerns).slice(-80);
  await reportFailure(t, cluster, [namespace], lines.join('\n'), concerns);
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 30)
    .replaceAll(/^-|-$/g, '');
}
