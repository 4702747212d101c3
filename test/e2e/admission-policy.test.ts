import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { annotationTable } from '../../src/core/annotation-table.ts';
import { readSettings } from '../../src/core/settings.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { KubeError, type Manifest } from '../cluster/kube-client.ts';
import { sharedCluster } from '../cluster/shared.ts';
import { type Kind, kinds, workload } from './manifests.ts';

const file = join(import.meta.dirname, '../../deploy/k8s/validating-admission-policy.yaml');

/** As shipped, but bound to one namespace: other tests write bad annotations on purpose. */
function shipped(namespace: string): Manifest[] {
  const documents: any[] = loadAll(readFileSync(file, 'utf8'));
  const name = `annotations-${namespace}`;
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  return documents.map((document) => ({
    ...document,
    metadata: { ...document.metadata, name },
    ...(document.kind.endsWith('Binding') && { spec: { ...document.spec, policyName: name, matchResources } }),
  }));
}

type Row = readonly [key: string, value: string];
const good: readonly Row[] = [
  ['policy', 'minor'],
  ['policy', ' Major '],
  ['policy', 'semver:>=1.0 <2.0'],
  ['policy', 'Regex:^1'],
  ['policy.app', 'none'],
  ['pattern', '1.*'],
  ['require-approval', 'false'],
  ['min-update-interval', '0'],
  ['min-update-interval.app', '6h'],
  ['polling-interval', '90s'],
  ['rollback-timeout', '5m'],
  ['event-source', 'Both'],
  ['health-check-retries', '3'],
  ['digest-mode', 'pin'],
  ['order', 'created'],
  ['dry-run', 'TRUE'],
  ['images', 'app, */nginx'],
  ['last-update', 'whatever the original wrote'],
];
const bad: readonly Row[] = [
  ['policy', 'sometimes'],
  ['policy', ''],
  ['policy.app', 'minro'],
  ['require-approval', 'False'],
  ['require-approval', 'no'],
  ['auto-rollback', 'TRUE'],
  ['min-update-interval', '-5'],
  ['min-update-interval', '5 minutes'],
  ['polling-interval', '0'],
  ['polling-interval', '00m'],
  ['rollback-timeout', '1w'],
  ['event-source', 'webhooks'],
  ['event-source.app', ''],
  ['health-check-retries', '0'],
  ['digest-mode', 'restart,pin'],
  ['order', 'natural'],
  ['adopt', 'yes'],
  ['dry-run', '1'],
  ['dry-run.app', 'true'],
  ['images.app', 'x'],
  ['require-aproval', 'true'],
];

describe('test/e2e/admission-policy', () => {
  let cluster: ClusterAccess;
  let namespace: Awaited<ReturnType<ClusterAccess['namespace']>>;

  before(async () => {
    ({ cluster } = await sharedCluster());
    namespace = await cluster.namespace('admission');
    await cluster.apply(shipped(namespace.name));
    // A policy counts when the API server has compiled it and knows the namespace: a moment, but minutes on a machine with too much to do.
    await cluster.until(
      'the policy is in force',
      async (see) => {
        const error = await attempt(aManifest({ policy: 'sometimes' }));
        see(error === undefined ? 'the API server takes what the policy forbids' : error.message);
        return isRefused(error);
      },
      { timeoutMs: 180_000 },
    );
  });
  after(async () => {
    for (const { kind, metadata } of shipped(namespace.name)) {
      const plural = kind === 'ValidatingAdmissionPolicy' ? 'validatingadmissionpolicies' : 'validatingadmissionpolicybindings';
      await cluster.admin.delete(`/apis/admissionregistration.k8s.io/v1/${plural}/${metadata.name}`);
    }
    await namespace.delete();
  });

  function aManifest(settings: Readonly<Record<string, string>>, kind: Kind = 'Deployment'): Manifest {
    const object = workload({ kind, image: 'nginx:1', settings, ...(kind === 'Deployment' && { spec: { replicas: 0 } }) });
    return { ...object, metadata: { ...object.metadata, namespace: namespace.name } };
  }

  /** What the API server would say; nothing is stored. */
  async function attempt(manifest: Manifest): Promise<KubeError | undefined> {
    const { apiVersion, resource } = kinds[manifest.kind as Kind];
    const path = `/apis/${apiVersion}/namespaces/${namespace.name}/${resource}?dryRun=All`;
    const answer = await cluster.admin.request('POST', path, manifest);
    if (answer.status < 300) return undefined;
    return new KubeError(path, answer);
  }

  function isRefused(error: KubeError | undefined): boolean {
    return error !== undefined && error.message.includes('ValidatingAdmissionPolicy');
  }

  for (const [key, value] of good) {
    it(`headwind.sh/${key}: "${value}" is stored, and the operator reads it without a complaint`, async () => {
      const manifest = aManifest({ [key]: value });
      assert.equal(await attempt(manifest), undefined);
      assert.deepEqual(problemsOf(manifest), []);
    });
  }

  for (const [key, value] of bad) {
    it(`headwind.sh/${key}: "${value}" is refused, and the operator would complain`, async () => {
      const manifest = aManifest({ [key]: value });
      const error = await attempt(manifest);
      assert.ok(error && isRefused(error), String(error));
      assert.equal(error.status, 422);
      assert.ok(error.message.includes(`headwind.sh/${key} is "${value}": it `), error.message);
      assert.deepEqual(problemsOf(manifest), [`headwind.sh/${key}`]);
    });
  }

  for (const kind of Object.keys(kinds) as Kind[]) {
    it(`${kind}: bad annotations are refused, others are nobody's business`, async () => {
      assert.ok(isRefused(await attempt(aManifest({ policy: 'sometimes' }, kind))));
      const plain = aManifest({}, kind);
      assert.equal(
        await attempt({ ...plain, metadata: { ...plain.metadata, annotations: { 'example.com/policy': 'sometimes' } } }),
        undefined,
      );
      assert.equal(await attempt({ ...plain, metadata: { name: 'bare', namespace: namespace.name } }), undefined);
    });
  }

  it('what is stored already may stay; what changes must be right', async () => {
    const manifest = aManifest({});
    const annotations = { ...manifest.metadata['annotations'], 'headwind.sh/adopt': 'yes' };
    const policies = shipped(namespace.name);
    const binding = `/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/annotations-${namespace.name}`;
    await cluster.admin.delete(binding);
    await cluster.until(
      'the policy is no longer in force',
      async () => (await attempt({ ...manifest, metadata: { ...manifest.metadata, annotations } })) === undefined,
    );
    await cluster.admin.create({ ...manifest, metadata: { ...manifest.metadata, annotations } });
    await cluster.apply(policies);
    await cluster.until('the policy is in force again', async () => isRefused(await attempt(aManifest({ policy: 'sometimes' }))));
    const path = `/apis/apps/v1/namespaces/${namespace.name}/deployments/app`;
    await cluster.admin.patch(path, { metadata: { labels: { changed: 'yes' } } });
    await assert.rejects(
      cluster.admin.patch(path, { metadata: { annotations: { 'headwind.sh/adopt': 'no' } } }),
      /headwind\.sh\/adopt is "no"/,
    );
    await cluster.admin.patch(path, { metadata: { annotations: { 'headwind.sh/adopt': 'true' } } });
  });

  it('knows every annotation of the table', async () => {
    const settings = Object.fromEntries(Object.keys(annotationTable).map((key) => [key, '']));
    const error = await attempt(aManifest({ ...settings, policy: 'minor' }));
    assert.ok(error && !error.message.includes('it is not known'), String(error));
  });
});

function problemsOf({ metadata }: Manifest): string[] {
  return readSettings(metadata['annotations'], ['app']).problems.map(({ key }) => key);
}
