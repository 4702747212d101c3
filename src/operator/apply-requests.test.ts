import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import { readDigests, readHistory } from '../core/history.ts';
import type { UpdateRequest, UpdateRequestSpec } from '../core/update-request-schema.ts';
import type { Workload } from '../core/workload.ts';
import { ApiError } from '../errors.ts';
import { applyRequests } from './apply-requests.ts';

const signal = new AbortController().signal;
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const approved = { phase: 'Approved', createdAt: '2026-01-15T10:00:00Z', approvedBy: 'alice', approvedAt: '2026-01-15T10:30:00Z' } as const;

function aRequest(name: string, spec: Partial<UpdateRequestSpec> = {}, hour = 10): UpdateRequest {
  return anUpdateRequest({ metadata: { name, uid: name, creationTimestamp: `2026-01-15T${hour}:00:00Z` }, spec, status: approved });
}

function start(workload: Workload, requests: readonly UpdateRequest[]) {
  const operator = anOperator({ workloads: [workload], requests });
  const stored = operator.workloads.get(workload);
  assert.ok(stored);
  const ready = [...operator.updateRequests.all()].map((request) => ({
    request,
    container: request.spec.containerName ?? 'web',
    digest: request.spec.newDigest,
  }));
  const phases = () => [...operator.updateRequests.all()].map(({ metadata, status }) => `${metadata.name} ${status.phase}`);
  return { ...operator, stored, ready, phases, apply: () => applyRequests(stored, ready, operator.deps, signal) };
}

describe('operator/apply-requests', () => {
  it('one patch: images, last-update, history and digests', async () => {
    const { apply, workloads, phases } = start(aWorkload(), [aRequest('a')]);
    assert.equal(await apply(), true);
    assert.deepEqual(
      workloads.patches.map(({ change }) => ({ ...change, images: Object.fromEntries(change.images) })),
      [
        {
          images: { web: 'nginx:1.26' },
          annotations: {
            'headwind.sh/last-update': '2026-01-15T11:00:00Z',
            'headwind.sh/update-history': JSON.stringify([
              {
                container: 'web',
                image: 'nginx:1.26',
                timestamp: '2026-01-15T11:00:00Z',
                updateRequestName: 'a',
                approvedBy: 'alice',
                digest: digest('b'),
                fromImage: 'nginx:1.25',
                trigger: 'webhook',
              },
            ]),
            'headwind.sh/digests': JSON.stringify({ web: digest('b') }),
          },
        },
      ],
    );
    assert.deepEqual(phases(), ['a Completed']);
  });

  it('two containers: one patch, two entries, two results', async () => {
    const slots = ['web', 'api'].map((container) => ({ container, init: false, image: 'nginx:1.25' }));
    const { apply, workloads, phases } = start(aWorkload({ slots }), [aRequest('a'), aRequest('b', { containerName: 'api' })]);
    await apply();
    assert.equal(workloads.patches.length, 1);
    assert.deepEqual(
      readHistory(workloads.get(aWorkload())?.annotations ?? {}).entries.map(({ container }) => container),
      ['web', 'api'],
    );
    assert.deepEqual(phases(), ['a Completed', 'b Completed']);
  });

  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    it(`two for one container, in the order ${order.join()}: the later one is applied, the other is left to be judged`, async () => {
      const both = { a: aRequest('a', {}, 10), b: aRequest('b', { newImage: 'nginx:1.27' }, 11) };
      const { apply, workloads, phases } = start(
        aWorkload(),
        order.map((name) => both[name]),
      );
      await apply();
      assert.equal(workloads.get(aWorkload())?.slots[0]?.image, 'nginx:1.27');
      assert.deepEqual(phases().sort(), ['a Approved', 'b Completed']);
      assert.equal(readHistory(workloads.get(aWorkload())?.annotations ?? {}).entries.length, 1);
    });
  }

  describe('the digest that ran before', () => {
    const entry = { container: 'web', image: 'nginx:1.25', timestamp: '2026-01-15T09:00:00Z' };
    const recorded = { 'headwind.sh/update-history': JSON.stringify([entry]), 'headwind.sh/digests': JSON.stringify({ web: digest('a') }) };
    const cases: readonly (readonly [string, Partial<Workload>, Partial<UpdateRequestSpec>, string | undefined])[] = [
      ['is not known at first', {}, {}, undefined],
      ['is what we applied', { annotations: recorded }, {}, digest('a')],
      [
        'is not what we applied when somebody else set the image since',
        { annotations: recorded, slots: [{ container: 'web', init: false, image: 'nginx:1.24' }] },
        { currentImage: 'nginx:1.24' },
        undefined,
      ],
      [
        'is the pin of the running image',
        { annotations: recorded, slots: [{ container: 'web', init: false, image: `nginx:1.25@${digest('c')}` }] },
        { currentImage: `nginx:1.25@${digest('c')}` },
        digest('c'),
      ],
      ['is never what a request claims', {}, { currentDigest: digest('d') }, undefined],
    ];
    for (const [title, workload, spec, from] of cases) {
      it(title, async () => {
        const { apply, workloads } = start(aWorkload(workload), [aRequest('a', spec)]);
        await apply();
        assert.equal(readHistory(workloads.get(aWorkload())?.annotations ?? {}).entries[0]?.fromDigest, from);
      });
    }
  });

  it('a digest that only the registry knew is recorded', async () => {
    const { stored, ready, deps, workloads } = start(aWorkload(), [
      aRequest('a', { newDigest: undefined } as unknown as UpdateRequestSpec),
    ]);
    await applyRequests(
      stored,
      ready.map((item) => ({ ...item, digest: digest('e') })),
      deps,
      signal,
    );
    assert.deepEqual(readDigests(workloads.get(stored)?.annotations ?? {}), { web: digest('e') });
  });

  it('a check that a person waived is not called confirmed', async () => {
    const { stored, ready, deps, updateRequests } = start(aWorkload(), [aRequest('a')]);
    await applyRequests(
      stored,
      ready.map((item) => ({ ...item, digest: undefined })),
      deps,
      signal,
    );
    assert.deepEqual(
      updateRequests.get('shop', 'a')?.status.conditions?.map(({ type, status }) => `${type} ${status}`),
      ['Applied True'],
    );
  });

  describe('when the patch does not go through', () => {
    it('the workload changed meanwhile: nothing is written', async () => {
      const { apply, workloads, phases } = start(aWorkload(), [aRequest('a')]);
      workloads.put(aWorkload({ paused: true }));
      assert.equal(await apply(), false);
      assert.deepEqual(phases(), ['a Approved']);
    });

    it('the workload is gone: the same', async () => {
      const { apply, workloads, phases } = start(aWorkload(), [aRequest('a')]);
      workloads.remove(aWorkload());
      assert.equal(await apply(), false);
      assert.deepEqual(phases(), ['a Approved']);
    });

    for (const code of [400, 403, 405, 413, 422]) {
      it(`${code} is a refusal: Failed, with its words`, async () => {
        const { apply, workloads, updateRequests } = start(aWorkload(), [aRequest('a')]);
        workloads.failure = new ApiError(code, 'Invalid', 'spec.replicas: too many');
        assert.equal(await apply(), true);
        const { phase, message } = updateRequests.get('shop', 'a')?.status ?? {};
        assert.deepEqual([phase, message], ['Failed', 'the API server refuses the change: spec.replicas: too many']);
      });
    }

    for (const code of [0, 401, 429, 500, 503]) {
      it(`${code || 'no answer'} is thrown on, for another attempt`, async () => {
        const { apply, workloads, phases } = start(aWorkload(), [aRequest('a')]);
        workloads.failure = new ApiError(code, '', 'later');
        await assert.rejects(apply(), ApiError);
        assert.deepEqual(phases(), ['a Approved']);
      });
    }
  });

  it('measures the time from the webhook to the patch, for direct updates only', async () => {
    for (const [requireApproval, trigger, measured] of [
      [false, 'webhook', 1],
      [true, 'webhook', 0],
      [false, 'polling', 0],
    ] as const) {
      const { apply, deps, book, metrics, registry, stored } = start(aWorkload(), [aRequest('a', { requireApproval, trigger })]);
      registry.push('docker.io/library/nginx', '1.26');
      const { key } = await deps.access.open(
        stored,
        { original: 'nginx:1.26', registry: 'docker.io', repository: 'library/nginx', tag: '1.26' },
        signal,
      );
      book.recordPush(key, { tag: '1.26', digest: digest('b'), verified: true }, deps.clock.now() - 250);
      await apply();
      assert.equal(metrics.value('webhook_to_patch_seconds'), measured);
    }
  });
});
