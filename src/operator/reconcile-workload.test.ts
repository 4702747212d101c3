import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator, type OperatorOptions } from '../../test/fakes/operator-deps.ts';
import { workloadKey } from '../core/workload.ts';
import { ApiError, RegistryError } from '../errors.ts';
import { reconcileWorkload } from './reconcile-workload.ts';

const signal = new AbortController().signal;
const nginx = 'docker.io/library/nginx';
const key = workloadKey(aWorkload());
const direct = { 'headwind.sh/policy': 'minor', 'headwind.sh/require-approval': 'false' };

/** An operator that has learnt by a webhook of these tags. */
async function start(options: OperatorOptions, pushed: readonly string[] = []) {
  const operator = anOperator(options);
  const { deps, registry, book, clock } = { ...operator, clock: operator.deps.clock };
  registry.push(nginx, '1.25');
  for (const workload of deps.workloads.all()) {
    const { key: bookKey } = await deps.access.open(
      workload,
      { original: 'nginx', registry: 'docker.io', repository: 'library/nginx' },
      signal,
    );
    for (const tag of pushed) {
      const digest = registry.push(nginx, tag);
      book.recordHead(bookKey, tag, digest, clock.now());
      book.recordPush(bookKey, { tag, digest, verified: true }, clock.now());
    }
  }
  const run = () => reconcileWorkload(key, deps, signal);
  return { ...operator, run };
}

describe('operator/reconcile-workload', () => {
  it('a direct update is made in one run', async () => {
    const { run, workloads, updateRequests, registry } = await start({ workloads: [aWorkload({ annotations: direct })] }, ['1.26']);
    await run();
    assert.equal(workloads.get(aWorkload())?.slots[0]?.image, 'nginx:1.26');
    assert.deepEqual(
      updateRequests.writes.map((write) => write.split(' ')[0]),
      ['create', 'status'],
    );
    // What the digest stands for is read once, for the platforms in use; the digest itself is known.
    assert.deepEqual(
      registry.calls.map((call) => call.split(' ')[0]),
      ['contents'],
    );
  });

  const told: readonly (readonly [string, { policy: string; image: string }, readonly string[], events: string[], lines: string[]])[] = [
    ['what only a person can change', { policy: 'minor', image: 'nginx:latest' }, [], ['CurrentTagNotVersion'], ['CurrentTagNotVersion']],
    ['a date has no levels', { policy: 'minor', image: 'nginx:20240115' }, [], ['DateTag'], ['DateTag']],
    ['all takes a push, so there is nothing to change', { policy: 'all', image: 'nginx:latest' }, [], [], []],
    ['a push that changes nothing is in the log alone', { policy: 'patch', image: 'nginx:1.25.0' }, ['1.26.0'], [], ['NoEligibleTag']],
    ['nothing is known: no word', { policy: 'patch', image: 'nginx:1.25.0' }, [], [], []],
  ];
  for (const [title, { policy, image }, pushed, expected, lines] of told) {
    it(`tells once: ${title}`, async () => {
      const workload = aWorkload({ annotations: { 'headwind.sh/policy': policy }, slots: [{ container: 'web', init: false, image }] });
      const { run, events, log } = await start({ workloads: [workload] }, pushed);
      await run();
      await run();
      assert.deepEqual(
        events.emitted,
        expected.map((reason) => `Deployment shop/web ${reason}`),
      );
      assert.deepEqual(
        log.lines.map(({ fields }) => 'reason' in fields && fields.reason),
        lines,
      );
    });
  }

  it('a further run finds nothing to do', async () => {
    const { run, workloads, updateRequests } = await start({ workloads: [aWorkload({ annotations: direct })] }, ['1.26']);
    await run();
    const before = [workloads.patches.length, updateRequests.writes.length];
    await run();
    assert.deepEqual([workloads.patches.length, updateRequests.writes.length], before);
  });

  describe('when it wants to look again', () => {
    const day = 86_400_000;
    const cases: readonly (readonly [string, OperatorOptions, readonly string[], number | undefined])[] = [
      ['nothing is open: not at all', { workloads: [aWorkload()] }, [], undefined],
      ['Pending: when it expires', { workloads: [aWorkload()] }, ['1.26'], day],
      ['applied: when the request is to be cleaned up', { workloads: [aWorkload({ annotations: direct })] }, ['1.26'], 7 * day],
      [
        'too soon: when the time is over',
        { workloads: [aWorkload({ annotations: { ...direct, 'headwind.sh/last-update': '2026-01-15T10:59:00Z' } })] },
        ['1.26'],
        240_000,
      ],
      ['paused: the edit wakes it', { workloads: [aWorkload({ annotations: direct, paused: true })] }, ['1.26'], undefined],
      ['the workload is gone: not at all', {}, [], undefined],
      [
        'the workload is gone, its request is not: when that is to be cleaned up',
        { requests: [anUpdateRequest({ status: { phase: 'Pending', createdAt: '2026-01-15T10:00:00Z' } })] },
        [],
        7 * day,
      ],
    ];
    for (const [title, options, pushed, expected] of cases) {
      it(title, async () => {
        const { run } = await start(options, pushed);
        assert.equal((await run()).requeueAfterMs, expected);
      });
    }

    it('a conflict of which the cache knows nothing yet: in half a second', async () => {
      const { run, workloads } = await start({ workloads: [aWorkload({ annotations: direct })] }, ['1.26']);
      workloads.failure = new ApiError(409, 'Conflict', 'modified');
      assert.equal((await run()).requeueAfterMs, 500);
    });

    it('a candidate that cannot be confirmed: in a minute, or when the registry says', async () => {
      for (const [retryAfterMs, expected] of [
        [undefined, 60_000],
        [5000, 5000],
      ] as const) {
        const annotations = { ...direct, 'headwind.sh/event-source': 'polling' };
        const { run, deps, book, registry, events } = await start({ workloads: [aWorkload({ annotations })] });
        registry.fail('RateLimited', '', retryAfterMs);
        const [workload] = deps.workloads.all();
        assert.ok(workload);
        book.recordListing(`${nginx}|anonymous`, { tags: ['1.26'], origin: 'manual', at: 0 });
        assert.equal((await run()).requeueAfterMs, expected);
        assert.deepEqual(events.emitted, ['Deployment shop/web RegistryUnavailable']);
      }
    });
  });

  it('a failure of the API server is the controller’s to deal with, and the push is not used up', async () => {
    const { run, updateRequests } = await start({ workloads: [aWorkload()] }, ['1.26']);
    updateRequests.failure = new ApiError(500, '', 'down');
    await assert.rejects(run(), ApiError);
    await run();
    assert.equal([...updateRequests.all()].length, 1);
  });

  it('what is no failure of the registry is never taken for one', async () => {
    const { run, registry, book } = await start({
      workloads: [aWorkload({ annotations: { ...direct, 'headwind.sh/event-source': 'polling' } })],
    });
    book.recordListing(`${nginx}|anonymous`, { tags: ['1.26'], origin: 'manual', at: 0 });
    registry.resolve = () => Promise.reject(new TypeError('a bug'));
    await assert.rejects(run(), TypeError);
    registry.resolve = () =>
      Promise.reject(
        new RegistryError('NotFound', 'no such tag', { registry: 'docker.io', repository: 'library/nginx', operation: 'resolve' }),
      );
    await run();
  });

  it('a list that a person asked for reaches every workload but a frozen one', async () => {
    for (const [source, offered] of [
      ['webhook', 1],
      ['polling', 1],
      ['both', 1],
      ['none', 0],
    ] as const) {
      const annotations = { 'headwind.sh/policy': 'minor', 'headwind.sh/event-source': source };
      const { run, book, registry, updateRequests } = await start({ workloads: [aWorkload({ annotations })] });
      registry.push(nginx, '1.26');
      book.recordListing(`${nginx}|anonymous`, { tags: ['1.26'], origin: 'manual', at: 0 });
      await run();
      assert.equal([...updateRequests.all()].length, offered, source);
    }
  });

  it('a request that somebody else has deleted already is no failure', async () => {
    const old = anUpdateRequest({ metadata: { creationTimestamp: '2025-01-01T00:00:00Z' }, status: { phase: 'Completed' } });
    for (const code of [404, 409]) {
      const { run, updateRequests } = await start({ workloads: [aWorkload()], requests: [old] });
      updateRequests.failure = new ApiError(code, '', 'gone');
      await run();
    }
  });

  it('forgets a workload that is gone', async () => {
    const { run, deps, workloads } = await start({ workloads: [aWorkload()] }, ['1.26']);
    await run();
    assert.ok(deps.notes.plan(key));
    workloads.remove(aWorkload());
    await run();
    assert.equal(deps.notes.plan(key), undefined);
  });

  it('stops when it is told to', async () => {
    const { deps } = await start({ workloads: [aWorkload()] }, ['1.26']);
    await assert.rejects(reconcileWorkload(key, deps, AbortSignal.abort()));
  });
});
