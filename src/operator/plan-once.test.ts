import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { aRunningPod } from '../../test/fakes/pods.ts';
import { aDigest } from '../../test/fakes/registry-port.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import { planOnce } from './plan-once.ts';

type Annotations = Readonly<Record<string, string>>;

function annotated(annotations: Annotations): Pick<Workload, 'annotations'> {
  const own = { policy: 'minor', ...annotations };
  return { annotations: Object.fromEntries(Object.entries(own).map(([key, value]) => [`headwind.sh/${key}`, value])) };
}

function aPlanner(workloads: readonly Workload[], requests: readonly UpdateRequest[] = []) {
  const { deps, registry, updateRequests, events, workloads: stored, pullSecrets } = anOperator({ workloads, requests });
  for (const tag of ['1.25', '1.26', '2.0']) registry.push('docker.io/library/nginx', tag);
  const plan = () =>
    planOnce(
      workloads,
      { ...deps, requestsOf: (workload) => updateRequests.of(workload), requestExpiryMs: 1000 },
      new AbortController().signal,
    );
  return { plan, registry, updateRequests, events, stored, pullSecrets };
}

const direct = { 'require-approval': 'false' };
const rejected = { phase: 'Rejected', rejectedBy: 'bob', rejectedAt: '2026-01-15T10:10:00Z', createdAt: '2026-01-15T10:00:00Z' } as const;

type Row = readonly [
  title: string,
  annotations: Annotations,
  overrides: Partial<Workload>,
  requests: readonly UpdateRequest[],
  action: string,
  reason: string,
  says: RegExp,
];
const table: readonly Row[] = [
  ['a candidate needs approval', {}, {}, [], 'ask', 'NewerTag', /1\.26 is the highest minor update/],
  ['a candidate is applied', direct, {}, [], 'apply', 'NewerTag', /1\.26 is the highest/],
  ['nothing is newer', { policy: 'patch' }, {}, [], 'hold', 'NoEligibleTag', /larger steps/],
  [
    'the interval is not over',
    { ...direct, 'last-update': '2026-01-15T10:59:00Z' },
    {},
    [],
    'wait',
    'TooSoon',
    /not before 2026-01-15T11:04:00Z/,
  ],
  ['it is paused', direct, { paused: true }, [], 'wait', 'Paused', /paused/],
  ['a rollout runs', direct, { rollout: { settled: false, healthy: false, message: '1 of 2' } }, [], 'wait', 'RolloutInProgress', /1 of 2/],
  ['a dry run', { ...direct, 'dry-run': 'true' }, {}, [], 'hold', 'DryRun', /headwind\.sh\/dry-run is set/],
  ['the policy is none', { policy: 'none' }, {}, [], 'hold', 'PolicyNone', /none/],
  ['the annotation is bad', { policy: 'sometimes' }, {}, [], 'hold', 'InvalidAnnotation', /unknown policy/],
  ['the container is not meant', { images: 'other' }, {}, [], 'hold', 'NoContainerMatches', /does not mean web/],
  [
    'a request is there',
    {},
    {},
    [anUpdateRequest({ spec: { requireApproval: true } })],
    'open',
    'NewerTag',
    /web-web-1-26-0a1b2c3d is Pending/,
  ],
  ['it was rejected', {}, {}, [anUpdateRequest({ status: rejected })], 'hold', 'Rejected', /rejected by bob/],
  ['the event source is none', { ...direct, 'event-source': 'none' }, {}, [], 'apply', 'NewerTag', /does not act on it/],
  ['the event source is webhook', { ...direct, 'event-source': 'webhook' }, {}, [], 'apply', 'NewerTag', /by a push only/],
  ['force follows pushes', { policy: 'force' }, {}, [], 'hold', 'UpToDate', /force follows pushes/],
];

describe('operator/plan-once', () => {
  for (const [title, annotations, overrides, requests, action, reason, says] of table) {
    it(`${title}: ${action} ${reason}`, async () => {
      const [row, ...others] = await aPlanner([aWorkload({ ...overrides, ...annotated(annotations) })], requests).plan();
      assert.deepEqual([row?.action, row?.reason, others], [action, reason, []]);
      assert.match([row?.message, ...(row?.notes ?? [])].join('; '), says);
    });
  }

  it('names candidate and digest', async () => {
    const { plan, registry } = aPlanner([aWorkload()]);
    const digest = registry.push('docker.io/library/nginx', '1.26');
    const [row] = await plan();
    assert.deepEqual([row?.current, row?.candidate, row?.digest], ['1.25', '1.26', digest]);
  });

  it('asks each repository and credential once, and nobody where nothing could follow', async () => {
    const { plan, registry, pullSecrets } = aPlanner([
      aWorkload(),
      aWorkload({ name: 'two', uid: 'two' }),
      aWorkload({ name: 'own', uid: 'own', pullSecretNames: ['regcred'] }),
      aWorkload({ name: 'off', uid: 'off', slots: [{ container: 'a', init: false, image: 'redis:7' }], ...annotated({ policy: 'none' }) }),
    ]);
    pullSecrets.set('shop/regcred', 'secret');
    await plan();
    assert.deepEqual(
      registry.calls.filter((call) => call.startsWith('tags')),
      ['tags docker.io/library/nginx', 'tags docker.io/library/nginx'],
    );
    assert.deepEqual(
      registry.calls.filter((call) => call.includes('redis')),
      [],
    );
  });

  it('a registry that cannot be asked is told for its containers alone', async () => {
    const slots = [
      { container: 'web', init: false, image: 'nginx:1.25' },
      { container: 'db', init: false, image: 'postgres:16' },
    ];
    const { plan, registry } = aPlanner([aWorkload({ slots })]);
    registry.fail('Denied', 'docker.io/library/postgres');
    assert.deepEqual(
      (await plan()).map(({ container, action, reason }) => `${container} ${action} ${reason}`),
      ['web ask NewerTag', 'db unknown NoCredentialAccepted'],
    );
    registry.truncated = true;
    registry.fail(undefined, 'docker.io/library/postgres');
    assert.deepEqual(
      (await plan()).map(({ reason }) => reason),
      ['TagListTruncated', 'TagNotFound'],
    );
  });

  it('says which pull secret is missing, and writes nothing', async () => {
    const { plan, updateRequests, stored, events } = aPlanner([aWorkload({ ...annotated(direct), pullSecretNames: ['gone'] })]);
    const [row] = await plan();
    assert.match(row?.notes[0] ?? '', /PullSecretMissing: Secret shop\/gone does not exist/);
    assert.deepEqual([updateRequests.writes, stored.patches, events.emitted], [[], [], []]);
  });

  describe('digests of the running tag', () => {
    const rows = [
      ['the pods run what is there', 'now', 'hold', 'UpToDate'],
      ['the pods run what was there before', 'before', 'apply', 'DigestChanged'],
      ['no pod runs', undefined, 'hold', 'NoRunningPod'],
    ] as const;
    for (const [title, content, action, reason] of rows) {
      it(`${title}: ${action}, ${reason}`, async () => {
        const workload = aWorkload({ annotations: { 'headwind.sh/policy': 'digest', 'headwind.sh/require-approval': 'false' } });
        const always = { ...workload, slots: workload.slots.map((slot) => ({ ...slot, pullPolicy: 'Always' })) };
        const { deps, registry, pods, updateRequests } = anOperator({ workloads: [always] });
        registry.push('docker.io/library/nginx', '1.25', aDigest('now'));
        if (content) pods.set(always, [aRunningPod({ containers: [{ digest: aDigest(content) }] })]);
        const running = { pods: deps.pods, access: deps.access, log: deps.log, autorollout: deps.autorollout };
        const question = { ...deps, running, requestsOf: () => updateRequests.of(always), requestExpiryMs: 1000 };
        const [row] = await planOnce([always], question, new AbortController().signal);
        assert.deepEqual([row?.action, row?.reason], [action, reason]);
      });
    }
  });
});
