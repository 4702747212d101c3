import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aWorkload } from '../../test/builders.ts';
import { compareDigests } from './compare-digests.ts';
import { parseImageReference } from './image-reference.ts';
import { judgeRequest } from './judge-request.ts';
import { recallDigest } from './memory.ts';
import { planUpdates } from './plan.ts';
import { isFlapping, readDigestState } from './plan-digest.ts';
import { restsUntil } from './restart-pace.ts';
import { readSettings } from './settings.ts';
import type { UpdateRequest } from './update-request-schema.ts';
import type { Workload } from './workload.ts';

/** Annotations, requests and what registries say are written by strangers: whatever stands there, the answer is one, and never an exception. */

const now = Date.parse('2026-01-15T12:00:00Z');
const digest = fc.constantFrom('sha256:'.padEnd(71, 'a'), 'sha256:'.padEnd(71, 'b'), 'push 4', '');
const image = fc.oneof(
  fc.constantFrom('nginx', 'nginx:latest', 'nginx:1', `nginx:latest@${'sha256:'.padEnd(71, 'a')}`, 'nginx@', 'UPPER case', ''),
  fc.string({ maxLength: 20 }),
);
const container = fc.constantFrom('web', 'constructor', 'side');
const time = fc.oneof(fc.constantFrom('2026-01-15T11:59:00Z', '2036-01-01T00:00:00Z', 'soon', ''), fc.string({ maxLength: 10 }));
const word = fc.oneof(fc.constantFrom('polling', 'webhook', 'manual', 'rollback', 'alice'), fc.string({ maxLength: 8 }));
const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constant(undefined));
const entry = fc.record(
  {
    container,
    image: fc.oneof(image, junk),
    timestamp: fc.oneof(time, junk),
    approvedBy: fc.oneof(word, junk),
    digest: fc.oneof(digest, junk),
    fromImage: fc.oneof(image, junk),
    fromDigest: junk,
    updateRequestName: fc.oneof(fc.constant('by-hand'), junk),
  },
  { requiredKeys: [] },
);
const annotations = fc.record({
  'headwind.sh/policy': fc.constantFrom('digest', 'all', 'force', 'none', 'minor', 'glob', 'nonsense'),
  'headwind.sh/digest-mode': fc.constantFrom('pin', 'restart', 'x'),
  'headwind.sh/require-approval': fc.constantFrom('true', 'false', ''),
  'headwind.sh/update-history': fc.oneof(
    fc.array(entry, { maxLength: 5 }).map((all) => JSON.stringify(all)),
    fc.string(),
  ),
  'headwind.sh/digests': fc.oneof(
    fc.dictionary(container, fc.oneof(digest, junk)).map((all) => JSON.stringify(all)),
    fc.string(),
  ),
  'headwind.sh/last-update': time,
});
const workload: fc.Arbitrary<Workload> = fc
  .record({
    annotations,
    kind: fc.constantFrom('Deployment', 'CronJob', 'DaemonSet'),
    autorollout: fc.boolean(),
    wantsNoPods: fc.boolean(),
    slots: fc.array(fc.record({ container, init: fc.boolean(), image }), { maxLength: 3 }),
    rollout: fc.record({ settled: fc.boolean(), healthy: fc.boolean(), message: fc.string() }),
  })
  .map((parts) => aWorkload(parts));
const condition = fc.record({
  type: fc.constantFrom('Applied', 'RolloutHealthy', 'Verified', 'Superseded', 'RolledBack', 'x'),
  status: fc.constantFrom('True', 'False', 'Unknown', 'x'),
  reason: fc.constantFrom('UpdateApplied', 'Progressing', 'UpdateFailed', 'UpdateExpired', 'x'),
  message: fc.string(),
  lastTransitionTime: time,
});
const request = fc
  .record({
    metadata: fc.record({
      name: fc.constantFrom('by-hand', 'other'),
      namespace: fc.constant('shop'),
      uid: fc.constant('uid'),
      resourceVersion: fc.constant('1'),
      generation: fc.constant(1),
      creationTimestamp: time,
    }),
    spec: fc.record(
      {
        targetRef: fc.constant({ kind: 'Deployment', namespace: 'shop', name: 'web' }),
        updateType: fc.constant('image'),
        containerName: container,
        currentImage: image,
        newImage: image,
        newDigest: digest,
        trigger: word,
        requireApproval: fc.boolean(),
        expiresAt: time,
      },
      { requiredKeys: ['targetRef', 'updateType', 'currentImage', 'newImage'] },
    ),
    status: fc.record(
      {
        phase: fc.constantFrom('Pending', 'Approved', 'Completed', 'Failed', 'Expired', 'Rejected', 'x'),
        conditions: fc.array(condition, { maxLength: 4 }),
        approvedBy: word,
        approvedAt: time,
        createdAt: time,
        rejectedAt: time,
        lastUpdated: time,
      },
      { requiredKeys: [] },
    ),
  })
  .map((parts) => parts as unknown as UpdateRequest);
const compared = fc.record({
  tip: digest,
  at: fc.constantFrom(0, now - 1000, now, now + 1e9),
  image,
  offered: digest,
  result: fc.record({
    outcome: fc.constantFrom('same', 'changed', 'platform-missing', 'no-pods', 'starting', 'unknown'),
    running: fc.option(digest, { nil: undefined }),
    missing: fc.array(fc.string(), { maxLength: 2 }),
  }),
  rollout: fc.string(),
  againAtMs: fc.constantFrom(undefined, 0, now + 1000, Number.NaN),
  tries: fc.nat(100),
  looks: fc.constantFrom(undefined, 0, 100),
});
const facts = fc.record({
  tags: fc.option(fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }), { nil: undefined }),
  pushes: fc.array(
    fc.record({ tag: fc.constantFrom('latest', '1', ''), digest: fc.option(digest, { nil: undefined }), verified: fc.boolean() }),
    {
      maxLength: 3,
    },
  ),
  fresh: fc.option(digest, { nil: undefined }),
  tip: fc.option(fc.record({ id: digest, at: fc.constant(now), trigger: fc.constantFrom('webhook', 'polling') }), { nil: undefined }),
  compared: fc.option(compared, { nil: undefined }),
});

describe('core/digest-garbage', () => {
  it('planUpdates answers for whatever stands in annotations, requests and facts, and never proposes what is no digest', () => {
    fc.assert(
      fc.property(workload, fc.array(request, { maxLength: 5 }), facts, (given, requests, { tags, pushes, fresh, tip, compared: seen }) => {
        const settings = readSettings(
          given.annotations,
          given.slots.map(({ container: name }) => name),
          { autorollout: given.autorollout },
        );
        const plan = planUpdates({
          workload: given,
          settings,
          requests,
          facts: () => ({ tags, pushes, digestOf: () => fresh, digests: { tip, compared: seen } }),
          now,
          requestExpiryMs: 1000,
        });
        const isSane = (value: string | undefined) =>
          value !== 'push 4' || fresh === 'push 4' || pushes.some((push) => push.digest === 'push 4') || seen?.offered === 'push 4';
        for (const action of plan.actions) if (action.kind === 'create') assert.ok(isSane(action.spec.newDigest), action.spec.newDigest);
      }),
      { numRuns: 2000 },
    );
  });

  it('judgeRequest answers for whatever stands in a request, its siblings and its workload', () => {
    const pods = fc.option(
      fc.oneof(
        fc.record({ unobservable: fc.string() }),
        compared.map(({ result }) => result),
      ),
      { nil: undefined },
    );
    const registry = fc.option(
      fc.oneof(
        digest.map((found) => ({ kind: 'confirmed', digest: found }) as const),
        fc.constant({ kind: 'missing', message: '' } as const),
      ),
      { nil: undefined },
    );
    fc.assert(
      fc.property(workload, request, fc.array(request, { maxLength: 3 }), pods, registry, (given, one, others, seen, answer) => {
        const settings = readSettings(
          given.annotations,
          given.slots.map(({ container: name }) => name),
        );
        const step = judgeRequest({
          request: one,
          siblings: [one, ...others],
          workload: given,
          settings,
          registry: answer,
          pods: seen,
          now,
          unsettledSince: undefined,
        });
        assert.ok(step.kind);
        if ('wakeAtMs' in step && step.wakeAtMs !== undefined) assert.ok(!Number.isNaN(step.wakeAtMs), step.kind);
      }),
      { numRuns: 3000 },
    );
  });

  it('what is remembered, and how fast a tag is followed, can be told of any requests and history', () => {
    fc.assert(
      fc.property(workload, fc.array(request, { maxLength: 5 }), digest, container, (given, requests, offered, name) => {
        recallDigest({ tag: 'latest', digest: offered }, requests, undefined);
        isFlapping(given, name, offered);
        const until = restsUntil(given, name, requests, now);
        assert.ok(until === undefined || (until > now && until <= now + 300_000), String(until));
      }),
      { numRuns: 2000 },
    );
  });

  it('compareDigests answers for whatever runs and whatever the registry says', () => {
    const contents = fc.record({
      kind: fc.constantFrom('index', 'image', 'other'),
      images: fc.array(
        fc.record({ digest, os: fc.constantFrom('linux', undefined), architecture: fc.constantFrom('amd64', '', undefined) }),
        { maxLength: 4 },
      ),
      config: fc.option(digest, { nil: undefined }),
    });
    const running = fc.record({
      image,
      digest: fc.option(digest, { nil: undefined }),
      isConfig: fc.boolean(),
      platform: fc.option(fc.constant({ os: 'linux', architecture: 'amd64' }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        digest,
        fc.array(fc.tuple(digest, fc.oneof(contents, fc.constant('gone' as const)))),
        fc.array(running, { maxLength: 4 }),
        fc.boolean(),
        fc.constantFrom('platform', 'index'),
        (offered, known, pods, stalled, compare) => {
          const found = compareDigests({ offered, contents: new Map(known), running: pods, stalled, compare });
          if (pods.length > 0 && pods.every((pod) => pod.digest === offered)) assert.equal(found.outcome, 'same');
        },
      ),
    );
  });

  it('a container that is called like a member of every object has no digest recorded', () => {
    const reference = parseImageReference('nginx:latest');
    if ('invalid' in reference) throw new Error(reference.invalid);
    const slot = { container: 'constructor', init: false, image: 'nginx:latest' };
    const given = aWorkload({ slots: [slot], autorollout: true, wantsNoPods: true, annotations: { 'headwind.sh/policy': 'all' } });
    const settings = readSettings(given.annotations, ['constructor']).container('constructor');
    if ('held' in settings) throw new Error(settings.held);
    const tip = { id: 'sha256:'.padEnd(71, 'a'), at: now, trigger: 'polling' } as const;
    const state = readDigestState({
      workload: given,
      slot,
      reference,
      settings,
      now,
      facts: { tip, compared: undefined, fresh: undefined },
    });
    assert.equal(state.kind, 'none');
  });
});
