import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator, type OperatorOptions } from '../../test/fakes/operator-deps.ts';
import { parseImageReference } from '../core/image-reference.ts';
import type { Workload } from '../core/workload.ts';
import { RegistryError } from '../errors.ts';
import { explainWorkload, summarizeWorkload } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { reconcileWorkload } from './reconcile-workload.ts';

const repository = 'docker.io/library/nginx';
const { signal } = new AbortController();
const nextPoll = Date.parse('2026-01-15T11:05:00Z');

/** Deployment `shop/web` of nginx 1.25 and an operator that knows what the test tells it. */
function aWorld(annotations: Record<string, string> = {}, options: OperatorOptions & { workload?: Partial<Workload> } = {}) {
  const own = Object.fromEntries(Object.entries({ policy: 'minor', ...annotations }).map(([key, value]) => [`headwind.sh/${key}`, value]));
  const workload = aWorkload({ annotations: own, ...options.workload });
  const operator = anOperator({ workloads: [workload], ...options });
  const deps = {
    ...operator.deps,
    controllersEnabled: true,
    work: { isLeading: true, nextPollAt: (name: string) => (name === repository ? nextPoll : undefined) },
  };
  const open = async () => {
    const reference = parseImageReference('nginx:1.25');
    assert.ok(!('invalid' in reference));
    return operator.deps.access.open(workload, reference, signal);
  };
  return {
    ...operator,
    deps,
    open,
    async push(tag: string) {
      const digest = operator.registry.push(repository, tag);
      operator.book.recordPush((await open()).key, { tag, digest, verified: true }, operator.time.ms);
      await reconcileWorkload('Deployment/shop/web', operator.deps, signal);
    },
    async poll(...tags: string[]) {
      const { key } = await open();
      for (const tag of tags) operator.registry.push(repository, tag);
      operator.book.recordListing(key, { tags, origin: 'polling', at: operator.time.ms });
      const listing = operator.book.listing(key);
      assert.ok(listing);
      operator.deps.notes.deliver('Deployment/shop/web', key, { listing, at: operator.time.ms });
    },
    explain: () => explainWorkload(operator.workloads.get(workload) ?? workload, deps),
  };
}

function only({ containers }: Explanation): Explanation['containers'][number] {
  assert.equal(containers.length, 1);
  const [container] = containers;
  assert.ok(container);
  return container;
}

function nextOf({ next }: Explanation): string[] {
  return next.map(({ at, reason, message }) => [at ?? '-', reason ?? '-', message].join(' '));
}

describe('operator/explain', () => {
  it('says what is known of a container, and why nothing follows', async () => {
    const world = aWorld({ 'event-source': 'polling', 'policy.web': 'patch' });
    await world.poll('1.25', '1.26', '2.0', '1.26-alpine');
    const found = only(world.explain());
    assert.deepEqual(
      [found.image, found.repository, found.currentTag, found.policy, found.eventSource],
      ['nginx:1.25', repository, '1.25', 'patch', 'polling'],
    );
    assert.deepEqual([found.candidate, found.reason], [null, 'NoEligibleTag']);
    assert.deepEqual(
      found.considered.map(({ tag, reason }) => `${tag} ${reason}`),
      ['1.25 Current', '1.26 Level', '2.0 Level', '1.26-alpine OtherFamily'],
    );
    assert.equal(found.consideredTotal, 4);
  });

  it('names the annotation that applies, or the default', () => {
    const world = aWorld({ 'policy.web': 'patch', 'min-update-interval': '90s' });
    const explanation = world.explain();
    const sources = Object.fromEntries(only(explanation).settings.map(({ key, value, source }) => [key, `${value} (${source})`]));
    assert.equal(sources['policy'], 'patch (headwind.sh/policy.web)');
    assert.equal(sources['min-update-interval'], '90 s (headwind.sh/min-update-interval)');
    assert.equal(sources['event-source'], 'webhook (default)');
    assert.deepEqual(
      explanation.settings.find(({ key }) => key === 'dry-run'),
      { key: 'dry-run', value: 'false', source: 'default' },
    );
  });

  it('shows problems of annotations, and holds the container', () => {
    const explanation = aWorld({ policy: 'semver:not a range', colour: 'blue' }).explain();
    assert.deepEqual(
      explanation.problems.map(({ reason, key }) => `${reason} ${key}`),
      ['InvalidAnnotation headwind.sh/policy', 'UnknownAnnotation headwind.sh/colour'],
    );
    assert.deepEqual([only(explanation).reason, only(explanation).policy], ['InvalidAnnotation', null]);
  });

  it('keeps saying why a push was not taken, although the plan has used it up', async () => {
    const world = aWorld();
    await world.push('2.0');
    await reconcileWorkload('Deployment/shop/web', world.deps, signal);
    const found = only(world.explain());
    assert.equal(found.reason, 'NoEligibleTag');
    assert.deepEqual(
      found.considered.map(({ tag, reason }) => `${tag} ${reason}`),
      ['2.0 Level'],
    );
  });

  it('does not offer again a push whose request was deleted', async () => {
    const world = aWorld();
    await world.push('1.26');
    const [request] = world.updateRequests.of({ kind: 'Deployment', namespace: 'shop', name: 'web' });
    assert.ok(request);
    world.updateRequests.remove('shop', request.metadata.name);
    assert.deepEqual([only(world.explain()).candidate, only(world.explain()).reason], [null, 'UpToDate']);
  });

  it('shows an open request, until when it waits, and the next poll', async () => {
    const world = aWorld({ 'event-source': 'both' });
    await world.push('1.26');
    const explanation = world.explain();
    assert.equal(only(explanation).candidate, '1.26');
    const [request, ...others] = explanation.requests;
    assert.deepEqual([request?.phase, request?.state, request?.newImage, others.length], ['Pending', 'open', 'nginx:1.26', 0]);
    assert.deepEqual(nextOf(explanation), [
      `2026-01-15T11:05:00Z - ${repository} is polled`,
      `2026-01-16T11:00:00Z - ${request?.name} waits for a person, and then expires`,
      `- - a webhook about ${repository} is looked at when it comes`,
    ]);
  });

  it('says until when an approved request waits for the interval', () => {
    const approved = anUpdateRequest({ status: { phase: 'Approved', approvedBy: 'webhook', approvedAt: '2026-01-15T10:59:00Z' } });
    const world = aWorld(
      { 'min-update-interval': '10m', 'last-update': '2026-01-15T10:55:00Z' },
      { requests: [anUpdateRequest({ ...approved, spec: { requireApproval: false } })] },
    );
    const [first] = world.explain().next;
    assert.deepEqual([first?.at, first?.reason], ['2026-01-15T11:05:00Z', 'TooSoon']);
    assert.equal(world.explain().lastUpdate, '2026-01-15T10:55:00Z');
  });

  it('a change that was applied is watched, not applied again', () => {
    const since = { lastTransitionTime: '2026-01-15T10:59:00Z', message: '' };
    const conditions = [
      { type: 'Applied', status: 'True' as const, reason: 'UpdateApplied', ...since },
      { type: 'RolloutHealthy', status: 'Unknown' as const, reason: 'Progressing', ...since },
    ];
    const status = { phase: 'Approved' as const, approvedBy: 'polling', approvedAt: '2026-01-15T10:59:00Z', conditions };
    const spec = { newImage: 'nginx:1.25', newVersion: '1.25', newDigest: `sha256:${'a'.repeat(64)}`, requireApproval: false };
    const world = aWorld({ policy: 'digest' }, { requests: [anUpdateRequest({ spec, status })] });
    assert.match(nextOf(world.explain()).join('\n'), /is applied; its rollout is being watched/);
  });

  it('shows what is remembered', () => {
    const rejected = { phase: 'Rejected', rejectedBy: 'bob', rejectedAt: '2026-01-15T10:10:00Z', message: 'too risky' } as const;
    const world = aWorld({}, { requests: [anUpdateRequest({ status: { ...rejected, createdAt: '2026-01-15T10:00:00Z' } })] });
    assert.deepEqual(
      world.explain().requests.map(({ state, phase, message }) => [state, phase, message]),
      [['remembered', 'Rejected', 'too risky']],
    );
  });

  it('nothing newer, but nobody has asked yet', () => {
    const found = only(aWorld().explain());
    const message = 'nothing is known besides nginx:1.25: there was no news of its repository yet';
    assert.deepEqual([found.lastCheck, found.reason, found.message], [null, 'UpToDate', message]);
  });

  const checks = [
    ['answered', undefined, true, null, null],
    ['refused', 'Denied', false, 'NoCredentialAccepted', 'registry says no'],
    ['not reached', 'Timeout', false, 'RegistryUnavailable', 'registry says no'],
    ['no such repository', 'NotFound', false, 'TagNotFound', 'registry says no'],
  ] as const;
  for (const [title, code, ok, reason, message] of checks) {
    it(`the last look at the registry: ${title}`, async () => {
      const world = aWorld({}, { workload: { pullSecretNames: ['regcred'] } });
      world.pullSecrets.set('shop/regcred', 'not-for-anybody');
      const facts = { registry: 'docker.io', repository: 'library/nginx', operation: 'tags' };
      const access = await world.open();
      world.deps.access.checked(access, 'polling', code === undefined ? undefined : new RegistryError(code, 'registry says no', facts));
      const check = only(world.explain()).lastCheck;
      assert.deepEqual(
        [check?.at, check?.origin, check?.ok, check?.reason, check?.message],
        ['2026-01-15T11:00:00Z', 'polling', ok, reason, message],
      );
      assert.deepEqual(check?.credentials, ['Secret', 'anonymous']);
      const { reason: verdict, message: said } = only(world.explain());
      assert.deepEqual([verdict, said], ok ? ['UpToDate', 'there is no other tag than 1.25'] : [reason, message], 'the verdict follows');
      assert.ok(!JSON.stringify(world.explain()).includes('not-for-anybody'));
    });
  }

  it('a candidate that was confirmed is a look, too', async () => {
    const world = aWorld({ 'event-source': 'polling' });
    await world.poll('1.25', '1.26');
    await reconcileWorkload('Deployment/shop/web', world.deps, signal);
    const check = only(world.explain()).lastCheck;
    assert.deepEqual([check?.origin, check?.ok, check?.tags], ['confirmation', true, 2]);
  });

  const waiting: readonly (readonly [title: string, annotations: Record<string, string>, options: OperatorOptions, next: RegExp])[] = [
    ['polling is off', { 'event-source': 'polling' }, { pollingEnabled: false }, /PollingDisabled polling is off/],
    ['news does not count', { 'event-source': 'none' }, {}, /EventSourceNone news does not count/],
    ['the interval is not over', { 'last-update': '2026-01-15T10:59:00Z' }, {}, /2026-01-15T11:04:00Z TooSoon/],
  ];
  for (const [title, annotations, options, next] of waiting) {
    it(`says that ${title}`, () => {
      const found = nextOf(aWorld(annotations, options).explain());
      assert.ok(
        found.some((line) => next.test(line)),
        found.join('\n'),
      );
    });
  }

  it('a replica that does not lead says so', () => {
    const world = aWorld();
    const explanation = explainWorkload(world.workloads.get({ kind: 'Deployment', namespace: 'shop', name: 'web' }) ?? aWorkload(), {
      ...world.deps,
      controllersEnabled: false,
      work: { isLeading: false, nextPollAt: () => undefined },
    });
    assert.equal(explanation.leader, false);
    assert.match(nextOf(explanation).join('\n'), /HEADWIND_CONTROLLERS_ENABLED is false[^]*does not lead/);
  });

  it('a container that annotations do not mean, and one whose image cannot be read', () => {
    const slots = [
      { container: 'web', init: false, image: 'nginx:1.25' },
      { container: 'side', init: false, image: 'Not An Image' },
    ];
    const found = aWorld({ images: 'nothing' }, { workload: { slots } }).explain().containers;
    assert.deepEqual(
      found.map(({ reason }) => reason),
      ['NoContainerMatches', 'InvalidReference'],
    );
    const summary = summarizeWorkload(aWorkload({ slots }), aWorld().deps);
    assert.deepEqual(
      summary.containers.map(({ container, reason }) => `${container} ${reason}`),
      ['web UpToDate', 'side InvalidReference'],
    );
  });

  it('writes and asks nothing, and shows a part of many tags', async () => {
    const world = aWorld({ 'event-source': 'polling' });
    await world.poll(...Array.from({ length: 500 }, (_, index) => `1.${index}`));
    world.registry.calls.length = 0;
    const found = only(world.explain());
    assert.deepEqual([found.considered.length, found.consideredTotal, found.considered[0]?.verdict], [200, 500, 'eligible']);
    assert.deepEqual([world.registry.calls, world.updateRequests.writes, world.workloads.patches], [[], [], []]);
  });
});
