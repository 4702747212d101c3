import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import type { Action } from '../core/plan.ts';
import type { UpdateRequestSpec } from '../core/update-request-schema.ts';
import { perform } from './perform.ts';

const signal = new AbortController().signal;
const workload = aWorkload();
const digest = `sha256:${'b'.repeat(64)}`;

function create(spec: Partial<UpdateRequestSpec> = {}, unverified?: string): Action {
  return { kind: 'create', name: 'new', spec: { ...anUpdateRequest().spec, ...spec }, unverified };
}

describe('operator/perform', () => {
  const rows: readonly (readonly [string, Action, readonly string[], string | undefined, readonly string[]])[] = [
    // title, action, writes, phase, conditions
    ['with approval: Pending at once', create(), ['create shop/new', 'status shop/new Pending'], 'Pending', ['Verified True']],
    ['direct: one write, the status comes with the result', create({ requireApproval: false }), ['create shop/new'], undefined, []],
    [
      'not verified: Pending, even where approval is waived',
      create({ requireApproval: false }, 'no answer'),
      ['create shop/new', 'status shop/new Pending'],
      'Pending',
      ['Verified Unknown'],
    ],
    [
      'not verified, with approval',
      create({}, 'no answer'),
      ['create shop/new', 'status shop/new Pending'],
      'Pending',
      ['Verified Unknown'],
    ],
  ];
  for (const [title, action, writes, phase, conditions] of rows) {
    it(title, async () => {
      const { deps, updateRequests, events, log } = anOperator({ workloads: [workload] });
      await perform([action], workload, deps, signal);
      const { status } = updateRequests.get('shop', 'new') ?? {};
      assert.deepEqual(updateRequests.writes, writes);
      assert.equal(status?.phase, phase);
      assert.deepEqual(
        (status?.conditions ?? []).map(({ type, status: word }) => `${type} ${word}`),
        conditions,
      );
      assert.deepEqual(
        events.emitted.filter((event) => event.startsWith('Deployment')).map((event) => event.split(' ')[2]),
        phase === undefined ? [] : ['UpdateAvailable'],
      );
      assert.equal(/not verified.*no answer/.test(events.messages[0] ?? ''), conditions.includes('Verified Unknown'));
      assert.equal(log.lines.filter(({ fields }) => 'reason' in fields && fields.reason === 'UpdateAvailable').length, 1);
    });
  }

  it('a request that is to be closed is closed', async () => {
    const { deps, updateRequests } = anOperator({ workloads: [workload], requests: [anUpdateRequest()] });
    const [request] = updateRequests.all();
    assert.ok(request);
    await perform([{ kind: 'supersede', request, message: '1.27 takes its place' }], workload, deps, signal);
    assert.deepEqual(
      [...updateRequests.all()].map(({ status }) => [status.phase, status.message]),
      [['Expired', '1.27 takes its place']],
    );
  });

  it('a digest that is asked for is known afterwards', async () => {
    const { deps, registry, book } = anOperator({ workloads: [workload] });
    registry.push('docker.io/library/nginx', '1.26', digest);
    const reference = { original: 'nginx:1.25', registry: 'docker.io', repository: 'library/nginx', tag: '1.25' };
    const [slot] = workload.slots;
    assert.ok(slot);
    await perform([{ kind: 'confirm', slot, reference, tag: '1.26' }], workload, deps, signal);
    assert.equal(book.freshDigest('docker.io/library/nginx|anonymous', '1.26', deps.clock.now()), digest);
  });

  it('in the order of the plan; the first failure ends it', async () => {
    const { deps, updateRequests } = anOperator({ workloads: [workload], requests: [anUpdateRequest({ metadata: { name: 'new' } })] });
    const [request] = updateRequests.all();
    assert.ok(request);
    await assert.rejects(perform([create(), { kind: 'supersede', request, message: '' }], workload, deps, signal), { status: 409 });
    assert.equal(updateRequests.get('shop', 'new')?.status.phase, 'Pending');
  });
});
