import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator, type OperatorOptions } from '../../test/fakes/operator-deps.ts';
import { parseImageReference } from '../core/image-reference.ts';
import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import { updateGauges } from './gauges.ts';
import { reconcileWorkload } from './reconcile-workload.ts';

const key = 'Deployment/shop/web';
const { signal } = new AbortController();
const direct = { 'headwind.sh/policy': 'minor', 'headwind.sh/require-approval': 'false', 'headwind.sh/min-update-interval': '0' };

/** A workload of nginx 1.25 that was just told of 1.26 by a push. */
async function aPush(options: OperatorOptions & { workload?: Workload } = {}) {
  const workload = options.workload ?? aWorkload({ annotations: direct });
  const operator = anOperator({ workloads: [workload], ...options });
  operator.registry.push('docker.io/library/nginx', '1.25');
  const digest = operator.registry.push('docker.io/library/nginx', '1.26');
  const reference = parseImageReference('nginx:1.25');
  assert.ok(!('invalid' in reference));
  const access = await operator.deps.access.open(workload, reference, signal);
  operator.book.recordPush(access.key, { tag: '1.26', digest, verified: true }, operator.time.ms);
  return { ...operator, reconcile: () => reconcileWorkload(key, operator.deps, signal) };
}

describe('operator/dry-run', () => {
  const asked: readonly (readonly [title: string, options: Parameters<typeof aPush>[0], message: RegExp])[] = [
    ['HEADWIND_DRY_RUN', { dryRun: true }, /1\.26 is the highest minor update of 1\.25; HEADWIND_DRY_RUN is set/],
    [
      'the annotation',
      { workload: aWorkload({ annotations: { ...direct, 'headwind.sh/dry-run': 'true' } }) },
      /1\.26 is the highest minor update of 1\.25; headwind\.sh\/dry-run is set/,
    ],
  ];
  for (const [title, options, message] of asked) {
    it(`${title}: decides, tells once, and writes nothing`, async () => {
      const { reconcile, workloads, updateRequests, events, deps, metrics } = await aPush(options);
      await reconcile();
      await reconcile();
      assert.deepEqual([workloads.patches, updateRequests.writes], [[], []]);
      assert.deepEqual(events.emitted, ['Deployment shop/web DryRun']);
      assert.match(events.messages[0] ?? '', message);
      assert.equal(deps.notes.plan(key)?.[0]?.candidate, '1.26');
      updateGauges(deps);
      assert.equal(metrics.value('holds', { kind: 'Deployment', reason: 'DryRun' }), 1);
      assert.equal(metrics.value('update_available', { kind: 'Deployment' }), 1);
    });
  }

  it('without one the very same push is applied', async () => {
    const { reconcile, workloads } = await aPush();
    await reconcile();
    assert.deepEqual(
      workloads.patches.map(({ change }) => change.images.get('web')),
      ['nginx:1.26'],
    );
  });

  it('a push during the dry run of a workload is offered when it ends', async () => {
    const workload = aWorkload({ annotations: { ...direct, 'headwind.sh/dry-run': 'true' } });
    const { reconcile, workloads } = await aPush({ workload });
    await reconcile();
    workloads.put({ ...workload, annotations: direct });
    await reconcile();
    assert.equal(workloads.patches.length, 1);
  });

  it('a dry run of the whole operator leaves the requests alone that are there', async () => {
    const old = { creationTimestamp: '2025-01-01T00:00:00Z' };
    const requests: UpdateRequest[] = [
      anUpdateRequest({ spec: { expiresAt: '2026-01-15T10:30:00Z' } }),
      anUpdateRequest({ metadata: { name: 'approved' }, status: { phase: 'Approved', approvedBy: 'alice' } }),
      anUpdateRequest({ metadata: { name: 'done', ...old }, spec: { newImage: 'nginx:1.20' }, status: { phase: 'Completed' } }),
    ];
    const { reconcile, updateRequests, workloads } = await aPush({ dryRun: true, requests });
    await reconcile();
    assert.deepEqual([updateRequests.writes, workloads.patches], [[], []]);
  });

  it('what was rejected is told as rejected, not as a change that a dry run holds back', async () => {
    const rejected = anUpdateRequest({
      status: { phase: 'Rejected', rejectedBy: 'bob', rejectedAt: '2026-01-15T10:10:00Z', createdAt: '2026-01-15T10:00:00Z' },
    });
    const { reconcile, deps } = await aPush({ dryRun: true, requests: [rejected] });
    await reconcile();
    assert.equal(deps.notes.plan(key)?.[0]?.reason, 'Rejected');
  });
});
