import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorkloadKind } from '../core/workload.ts';
import type { Log } from '../ports.ts';
import { SharedTexts } from './shared-texts.ts';
import { trimWorkload } from './trim-workload.ts';
import { workloadKinds } from './workload-kinds.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** As the API server sends it, with much that nobody reads. */
function aRawDeployment(overrides: { metadata?: object | null; podSpec?: object | null } = {}): any {
  const metadata = {
    name: 'web',
    namespace: 'shop',
    uid: 'uid-web',
    resourceVersion: '7',
    generation: 2,
    annotations: { 'headwind.sh/policy': 'minor', [lastApplied]: '{}', 'app.io/team': 'shop' },
    managedFields: [{ manager: 'kubectl' }],
  };
  const podSpec = { containers: [{ name: 'web', image: 'nginx:1.25', imagePullPolicy: 'IfNotPresent', env: [] }] };
  return {
    metadata: overrides.metadata === null ? null : { ...metadata, ...overrides.metadata },
    spec: { replicas: 1, template: { spec: overrides.podSpec === null ? null : { ...podSpec, ...overrides.podSpec } } },
    status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
}

const label = (value: unknown) => ({ 'kube-autorollout/enabled': value });
const partition = (value: unknown, type = 'RollingUpdate') => ({ updateStrategy: { type, rollingUpdate: { partition: value } } });
const manyContainers = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `c${index}`, image: 'nginx:1.25' }));

function trim(raw: unknown, kind: WorkloadKind = 'Deployment') {
  const skipped: object[] = [];
  const nothing = () => undefined;
  const log: Log = { debug: nothing, info: nothing, warn: (fields) => skipped.push(fields), error: nothing };
  return { workload: trimWorkload(workloadKinds[kind], raw, { texts: new SharedTexts(), log }), skipped };
}

describe('kubernetes/trim-workload', () => {
  it('keeps what decisions read and nothing else', () => {
    assert.deepEqual(trim(aRawDeployment()).workload, {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      namespace: 'shop',
      name: 'web',
      uid: 'uid-web',
      resourceVersion: '7',
      generation: 2,
      annotations: { 'headwind.sh/policy': 'minor' },
      slots: [{ container: 'web', init: false, image: 'nginx:1.25', pullPolicy: 'IfNotPresent' }],
      serviceAccountName: 'default',
      pullSecretNames: [],
      paused: false,
      autorollout: false,
      wantsNoPods: false,
      partitioned: false,
      rollout: { settled: true, healthy: true, message: 'all 1 pods are updated and available' },
    });
  });

  it('reads init containers, service account, pull secrets and paused', () => {
    const raw = aRawDeployment({
      podSpec: {
        initContainers: [{ name: 'migrate', image: 'acme/migrate:3' }],
        serviceAccountName: 'puller',
        imagePullSecrets: [{ name: 'regcred' }, {}, null],
      },
    });
    raw.spec.paused = true;
    const { workload } = trim(raw);
    assert.deepEqual(
      workload?.slots.map(({ container, init }) => [container, init]),
      [
        ['web', false],
        ['migrate', true],
      ],
    );
    assert.equal(workload?.serviceAccountName, 'puller');
    assert.deepEqual(workload?.pullSecretNames, ['regcred']);
    assert.equal(workload?.paused, true);
  });

  it('finds the pod template of a CronJob, whose suspend does not count', () => {
    const { metadata, spec } = aRawDeployment();
    const { workload } = trim({ metadata, spec: { suspend: true, jobTemplate: { spec: { template: spec.template } } } }, 'CronJob');
    assert.equal(workload?.slots[0]?.image, 'nginx:1.25');
    assert.equal(workload?.paused, false);
    assert.equal(workload?.rollout.settled, true);
  });

  const labels: { title: string; metadata: object; managed: boolean; autorollout?: boolean }[] = [
    { title: 'the label alone', metadata: { labels: label('true'), annotations: undefined }, managed: true, autorollout: true },
    { title: 'the label beside a policy', metadata: { labels: label('true') }, managed: true, autorollout: true },
    { title: 'the label with another value', metadata: { labels: label('True'), annotations: {} }, managed: false },
    { title: 'the label "false"', metadata: { labels: label('false'), annotations: {} }, managed: false },
    { title: 'the label as a boolean', metadata: { labels: label(true), annotations: {} }, managed: false },
    { title: 'the label as an annotation', metadata: { annotations: label('true') }, managed: false },
    { title: 'labels null', metadata: { labels: null }, managed: true, autorollout: false },
  ];
  for (const { title, metadata, managed, autorollout } of labels) {
    it(`${title}: ${managed ? `managed, ${autorollout ? 'restarted' : 'not restarted'} by label` : 'not managed'}`, () => {
      const { workload, skipped } = trim(aRawDeployment({ metadata }));
      assert.equal(workload?.autorollout, autorollout);
      assert.deepEqual(skipped, []);
    });
  }

  it('the label on the pod template does not count', () => {
    const raw = aRawDeployment({ metadata: { annotations: {} } });
    raw.spec.template.metadata = { labels: label('true') };
    assert.equal(trim(raw).workload, undefined);
  });

  const wanted: { title: string; kind: WorkloadKind; spec?: object; status?: object; facts: string[] }[] = [
    { title: 'Deployment of 0 replicas', kind: 'Deployment', spec: { replicas: 0 }, facts: ['wantsNoPods'] },
    { title: 'Deployment without a number', kind: 'Deployment', spec: { replicas: undefined }, facts: [] },
    { title: 'StatefulSet of 0 replicas', kind: 'StatefulSet', spec: { replicas: 0 }, facts: ['wantsNoPods'] },
    { title: 'StatefulSet with a partition', kind: 'StatefulSet', spec: partition(2), facts: ['partitioned'] },
    { title: 'StatefulSet with partition 0', kind: 'StatefulSet', spec: partition(0), facts: [] },
    { title: 'StatefulSet with an odd partition', kind: 'StatefulSet', spec: partition('2'), facts: [] },
    { title: 'OnDelete with a partition left over', kind: 'StatefulSet', spec: partition(2, 'OnDelete'), facts: [] },
    { title: 'Deployment with a partition', kind: 'Deployment', spec: partition(2), facts: [] },
    { title: 'DaemonSet for no node', kind: 'DaemonSet', status: { desiredNumberScheduled: 0 }, facts: ['wantsNoPods'] },
    { title: 'DaemonSet for a node', kind: 'DaemonSet', status: { desiredNumberScheduled: 1, numberReady: 0 }, facts: [] },
    { title: 'DaemonSet that nobody looked at yet', kind: 'DaemonSet', status: { observedGeneration: 0 }, facts: [] },
  ];
  for (const { title, kind, spec, status, facts } of wanted) {
    it(`${title}: ${facts.join(', ') || 'pods are wanted, all of the new revision'}`, () => {
      const raw = aRawDeployment();
      const { workload } = trim({ ...raw, spec: { ...raw.spec, ...spec }, status: { ...raw.status, ...status } }, kind);
      assert.ok(workload);
      assert.deepEqual(
        (['wantsNoPods', 'partitioned'] as const).filter((fact) => workload[fact]),
        facts,
      );
    });
  }

  it('a rollout that has failed keeps saying so', () => {
    const raw = aRawDeployment();
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }];
    raw.status = { observedGeneration: 2, replicas: 2, updatedReplicas: 1, conditions };
    assert.deepEqual(trim(raw).workload?.rollout, {
      settled: false,
      healthy: false,
      message: 'the rollout has exceeded its progress deadline',
      failed: true,
    });
  });

  const management: { title: string; annotations: unknown; managed: boolean }[] = [
    { title: 'a policy', annotations: { 'headwind.sh/policy': 'minor' }, managed: true },
    { title: 'policy none', annotations: { 'headwind.sh/policy': 'none' }, managed: true },
    { title: 'an unknown policy', annotations: { 'headwind.sh/policy': 'sometimes' }, managed: true },
    { title: 'an empty policy', annotations: { 'headwind.sh/policy': '' }, managed: true },
    { title: 'other annotations of ours only', annotations: { 'headwind.sh/images': 'web' }, managed: false },
    { title: 'a policy that is no text', annotations: { 'headwind.sh/policy': 1 }, managed: false },
    { title: 'no annotations', annotations: undefined, managed: false },
    { title: 'annotations null', annotations: null, managed: false },
  ];
  for (const { title, annotations, managed } of management) {
    it(`${title}: ${managed ? 'managed' : 'not managed'}`, () => {
      const { workload, skipped } = trim(aRawDeployment({ metadata: { annotations } }));
      assert.equal(workload !== undefined, managed);
      assert.deepEqual(skipped, []);
    });
  }

  const odd: { title: string; raw: unknown; logged: boolean }[] = [
    { title: 'null', raw: null, logged: false },
    { title: 'a text', raw: 'Deployment', logged: false },
    { title: 'metadata null', raw: aRawDeployment({ metadata: null }), logged: false },
    { title: 'no name', raw: aRawDeployment({ metadata: { name: undefined } }), logged: true },
    { title: 'no uid', raw: aRawDeployment({ metadata: { uid: null } }), logged: true },
    { title: 'no resourceVersion', raw: aRawDeployment({ metadata: { resourceVersion: 7 } }), logged: true },
    { title: 'pod spec null', raw: aRawDeployment({ podSpec: null }), logged: true },
    { title: 'containers null', raw: aRawDeployment({ podSpec: { containers: null } }), logged: true },
    { title: 'more containers than any pod has', raw: aRawDeployment({ podSpec: { containers: manyContainers(101) } }), logged: true },
    { title: 'containers that are none', raw: aRawDeployment({ podSpec: { containers: [null, 1, {}] } }), logged: true },
  ];
  for (const { title, raw, logged } of odd) {
    it(`an odd object (${title}) is skipped${logged ? ' with a log line' : ''}`, () => {
      const { workload, skipped } = trim(raw);
      assert.equal(workload, undefined);
      assert.equal(skipped.length, logged ? 1 : 0);
    });
  }

  it('a container without an image does not affect its neighbours', () => {
    const { workload } = trim(aRawDeployment({ podSpec: { containers: [{ name: 'a' }, { image: 'b' }, { name: 'c', image: 'c:1' }] } }));
    assert.deepEqual(
      workload?.slots.map(({ container, image }) => [container, image]),
      [
        ['a', ''],
        ['c', 'c:1'],
      ],
    );
  });
});
