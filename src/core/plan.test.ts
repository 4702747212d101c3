import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { type Action, type Plan, planUpdates, type Push } from './plan.ts';
import { readSettings } from './settings.ts';
import { requestName } from './update-request.ts';
import type { Condition, UpdateRequest, UpdateRequestSpec, UpdateRequestStatus } from './update-request-schema.ts';
import type { Slot } from './workload.ts';

const now = Date.parse('2026-01-15T12:00:00Z');
const at = '2026-01-15T10:00:00Z';

interface Situation {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Container → image. */
  readonly containers?: Readonly<Record<string, string>>;
  readonly init?: readonly string[];
  readonly requests?: readonly UpdateRequest[];
  readonly tags?: readonly string[];
  readonly pushes?: readonly (string | Push)[];
  /** Tag → digest letter that the registry said lately. */
  readonly fresh?: Readonly<Record<string, string>>;
}

function plan({
  annotations,
  containers = { web: 'nginx:1.25' },
  init = [],
  requests = [],
  tags,
  pushes = [],
  fresh = {},
}: Situation): Plan {
  const prefixed = Object.fromEntries(
    Object.entries({ policy: 'minor', ...annotations }).map(([key, value]) => [`headwind.sh/${key}`, value]),
  );
  const slots: Slot[] = Object.entries(containers).map(([container, image]) => ({ container, image, init: init.includes(container) }));
  const workload = aWorkload({ annotations: prefixed, slots });
  return planUpdates({
    workload,
    settings: readSettings(prefixed, Object.keys(containers)),
    requests,
    facts: () => ({
      tags,
      pushes: pushes.map((push) => (typeof push === 'string' ? aPush(push) : push)),
      digestOf: (tag) => (fresh[tag] === undefined ? undefined : digestOf(fresh[tag])),
    }),
    now,
    requestExpiryMs: 86_400_000,
  });
}

/** `1.26`, or `1.26@c` with another digest than b. */
function aPush(text: string): Push {
  const [tag = '', letter = 'b'] = text.split('@');
  return { tag, digest: digestOf(letter), verified: true };
}

function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: '', lastTransitionTime: at };
}

const pending: UpdateRequestStatus = { phase: 'Pending', createdAt: at, conditions: [condition('Verified', 'True', 'UpdateAvailable')] };
const ends = {
  Pending: pending,
  Waiting: {
    phase: 'Approved',
    createdAt: at,
    approvedBy: 'webhook',
    approvedAt: at,
    conditions: [condition('Applied', 'False', 'TooSoon')],
  },
  ByAlice: {
    phase: 'Approved',
    createdAt: at,
    approvedBy: 'alice',
    approvedAt: at,
    conditions: [condition('Applied', 'False', 'TooSoon')],
  },
  Unverified: { phase: 'Pending', createdAt: at, conditions: [condition('Verified', 'Unknown', 'RegistryUnavailable')] },
  Rejected: { phase: 'Rejected', createdAt: at, rejectedAt: at },
  Completed: { phase: 'Completed', createdAt: at, conditions: [condition('Applied', 'True', 'UpdateApplied')] },
  Expired: { phase: 'Expired', createdAt: at, conditions: [condition('Applied', 'False', 'UpdateExpired')] },
  Superseded: { phase: 'Expired', createdAt: at, conditions: [condition('Superseded', 'True', 'UpdateSuperseded')] },
  Moved: { phase: 'Expired', createdAt: at, conditions: [condition('Superseded', 'True', 'DigestChanged')] },
} satisfies Record<string, UpdateRequestStatus>;

/** `Pending 1.26`, with a digest `Pending 1.26@c`; the name is that of the candidate. */
function aRequest(text: string, spec: Partial<UpdateRequestSpec> = {}, hour = 10): UpdateRequest {
  const [end = '', image = ''] = text.split(' ');
  const [tag = '', letter = 'b'] = image.split('@');
  const target = { kind: 'Deployment', namespace: 'shop', name: 'web' };
  const container = spec.containerName ?? 'web';
  const newImage = spec.newImage ?? `nginx:${tag}`;
  const name = requestName({ target, container, tag, newImage, newDigest: digestOf(letter) });
  return anUpdateRequest({
    metadata: { name, creationTimestamp: `2026-01-15T${hour}:00:00Z` },
    spec: { newImage, newDigest: digestOf(letter), ...spec },
    status: ends[end as keyof typeof ends],
  });
}

/** `create web 1.26@b webhook`, `supersede 1.26`, `confirm web 1.26`. */
function describeAction(action: Action): string {
  switch (action.kind) {
    case 'confirm':
      return `confirm ${action.slot.container} ${action.tag}`;
    case 'record':
      return `record ${action.container} ${action.digest}`;
    case 'inspect':
      return `inspect ${action.slot.container} ${action.tag}`;
    case 'supersede':
      return `supersede ${action.request.spec.newImage.replace('nginx:', '')}`;
    case 'create': {
      const { containerName, newImage, newDigest, trigger, requireApproval } = action.spec;
      const digest = newDigest === undefined ? '' : `@${newDigest.charAt(7)}`;
      const flags = `${requireApproval === false ? ' direct' : ''}${action.unverified === undefined ? '' : ' unverified'}`;
      return `create ${containerName} ${newImage.replace('nginx:', '').replace(/@sha256:(.).*/, '@pin-$1')}${digest} ${trigger}${flags}`;
    }
  }
}

const unverified: Push = { tag: '1.26', digest: digestOf('b'), verified: false, message: 'no answer' };
const unknown: Push = { tag: '1.26', digest: undefined, verified: false, message: 'no answer' };

const table: readonly (readonly [string, Situation, readonly string[], string])[] = [
  // title, situation, actions, reason of container web
  ['nothing is known', {}, [], 'UpToDate'],
  ['a push', { pushes: ['1.26'] }, ['create web 1.26@b webhook'], 'NewerTag'],
  [
    'a push, no approval needed',
    { pushes: ['1.26'], annotations: { 'require-approval': 'false' } },
    ['create web 1.26@b webhook direct'],
    'NewerTag',
  ],
  ['a push of something lower', { pushes: ['1.24'] }, [], 'NoEligibleTag'],
  ['two pushes: the higher one', { pushes: ['1.27', '1.26'] }, ['create web 1.27@b webhook'], 'NewerTag'],
  ['a push of one tag twice: the later digest', { pushes: ['1.26@b', '1.26@c'] }, ['create web 1.26@c webhook'], 'NewerTag'],
  ['a list', { tags: ['1.24', '1.26'] }, ['confirm web 1.26'], 'NewerTag'],
  ['a list, and the digest is known', { tags: ['1.24', '1.26'], fresh: { '1.26': 'c' } }, ['create web 1.26@c polling'], 'NewerTag'],
  ['push and list of the same tag', { tags: ['1.26'], pushes: ['1.26'] }, ['create web 1.26@b webhook'], 'NewerTag'],
  [
    'the list has something newer than the push',
    { tags: ['1.27'], pushes: ['1.26'], fresh: { '1.27': 'c' } },
    ['create web 1.27@c polling'],
    'NewerTag',
  ],
  [
    'what the registry said lately wins over the push',
    { pushes: ['1.26@b'], fresh: { '1.26': 'c' } },
    ['create web 1.26@c webhook'],
    'NewerTag',
  ],
  ['a push that is not verified', { pushes: [unverified] }, ['create web 1.26@b webhook unverified'], 'NewerTag'],
  ['a push that is not verified, without digest', { pushes: [unknown] }, ['create web 1.26 webhook unverified'], 'NewerTag'],
  [
    'a push that was not verified, and now the digest is known',
    { pushes: [unknown], fresh: { '1.26': 'c' } },
    ['create web 1.26@c webhook'],
    'NewerTag',
  ],
  // policies
  ['policy none', { annotations: { policy: 'none' }, pushes: ['1.26'], tags: ['1.26'] }, [], 'PolicyNone'],
  ['too large a step', { annotations: { policy: 'patch' }, pushes: ['1.26'] }, [], 'NoEligibleTag'],
  ['a bad policy', { annotations: { policy: 'mnior' }, pushes: ['1.26'] }, [], 'InvalidAnnotation'],
  ['event source none', { annotations: { 'event-source': 'none' }, pushes: ['1.26'], tags: ['1.26'] }, [], 'EventSourceNone'],
  ['an image that is none', { containers: { web: 'Nginx:1' }, pushes: ['1.26'] }, [], 'InvalidReference'],
  ['a digest without a tag', { containers: { web: `nginx@${digestOf('a')}` }, pushes: ['1.26'] }, [], 'NoTag'],
  [
    'force takes what was pushed last',
    { annotations: { policy: 'force' }, pushes: ['1.27', '1.20'] },
    ['create web 1.20@b webhook'],
    'ForcedTag',
  ],
  ['force takes nothing from a list', { annotations: { policy: 'force' }, tags: ['1.27'] }, [], 'UpToDate'],
  [
    'force: a signature does not hide the image',
    { annotations: { policy: 'force' }, pushes: ['test', `sha256-${'a'.repeat(64)}.sig`] },
    ['create web test@b webhook'],
    'ForcedTag',
  ],
  [
    'force: an ignored tag does not hide the image',
    { annotations: { policy: 'force', 'ignore-tags': 'dev*' }, pushes: ['test', 'dev-1'] },
    ['create web test@b webhook'],
    'ForcedTag',
  ],
  ['force: the running tag pushed last is where it ends', { annotations: { policy: 'force' }, pushes: ['test', '1.25'] }, [], 'UpToDate'],
  [
    'all takes a pushed tag without order',
    { annotations: { policy: 'all' }, pushes: ['stable'] },
    ['create web stable@b webhook'],
    'UnorderedTag',
  ],
  ['dry run', { annotations: { 'dry-run': 'true' }, pushes: ['1.26'] }, [], 'DryRun'],
  // spelling and pins
  [
    'a pin is renewed',
    { containers: { web: `nginx:1.25@${digestOf('a')}` }, pushes: ['1.26'] },
    ['create web 1.26@pin-b@b webhook'],
    'NewerTag',
  ],
  ['digest-mode pin', { annotations: { 'digest-mode': 'pin' }, pushes: ['1.26'] }, ['create web 1.26@pin-b@b webhook'], 'NewerTag'],
  [
    'a pin without a digest waits, and asks',
    { annotations: { 'digest-mode': 'pin' }, pushes: [unknown] },
    ['confirm web 1.26'],
    'RegistryUnavailable',
  ],
  // one open request
  ['the same candidate is on offer', { requests: [aRequest('Pending 1.26')], pushes: ['1.26'] }, [], 'NewerTag'],
  ['it is on offer, and nothing is known after a restart', { requests: [aRequest('Pending 1.26')] }, [], 'NewerTag'],
  ['it is on offer, and the list does not have it', { requests: [aRequest('Pending 1.26')], tags: ['1.24', '1.25'] }, [], 'NewerTag'],
  ['a newer one', { requests: [aRequest('Pending 1.26')], pushes: ['1.27'] }, ['create web 1.27@b webhook', 'supersede 1.26'], 'NewerTag'],
  [
    'a newer one while a direct one waits',
    { requests: [aRequest('Waiting 1.26', { requireApproval: false })], annotations: { 'require-approval': 'false' }, pushes: ['1.27'] },
    ['create web 1.27@b webhook direct', 'supersede 1.26'],
    'NewerTag',
  ],
  ['an older one', { requests: [aRequest('Pending 1.27')], pushes: ['1.26'] }, [], 'NewerTag'],
  ['a push that the policy refuses', { requests: [aRequest('Pending 1.26')], pushes: ['2.0'] }, [], 'NewerTag'],
  [
    'force: a push of the running tag takes nothing back',
    { annotations: { policy: 'force' }, requests: [aRequest('Pending 1.20', { policy: 'force' })], pushes: ['1.25'] },
    [],
    'ForcedTag',
  ],
  [
    'the tag has another digest',
    { requests: [aRequest('Pending 1.26@b')], pushes: ['1.26@c'] },
    ['create web 1.26@c webhook', 'supersede 1.26'],
    'NewerTag',
  ],
  [
    'a claim that is not verified does not take its place',
    { requests: [aRequest('Pending 1.26@c')], pushes: [unverified] },
    [],
    'NewerTag',
  ],
  [
    'the registry says another digest than the claim',
    { requests: [aRequest('Unverified 1.26@b')], fresh: { '1.26': 'c' } },
    ['create web 1.26@c webhook', 'supersede 1.26'],
    'NewerTag',
  ],
  [
    'a request for another image is another matter',
    { requests: [aRequest('Pending 1.26', { currentImage: 'nginx:1.20' })], pushes: ['1.26'] },
    ['create web 1.26@b webhook'],
    'NewerTag',
  ],
  [
    'of an earlier workload of this name',
    {
      requests: [aRequest('Pending 1.26', { targetRef: { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'another' } })],
      pushes: ['1.26'],
    },
    ['create web 1.26@b webhook'],
    'NewerTag',
  ],
  [
    'two are open: the one that is not on offer is closed',
    { requests: [aRequest('Pending 1.26'), aRequest('Pending 1.27', {}, 11)] },
    ['supersede 1.26'],
    'NewerTag',
  ],
  // require-approval changed
  [
    'approval is no longer needed',
    { requests: [aRequest('Pending 1.26')], annotations: { 'require-approval': 'false' } },
    ['create web 1.26@b webhook direct', 'supersede 1.26'],
    'NewerTag',
  ],
  [
    'approval is needed now',
    { requests: [aRequest('Waiting 1.26', { requireApproval: false })] },
    ['create web 1.26@b webhook', 'supersede 1.26'],
    'NewerTag',
  ],
  ['a person approved', { requests: [aRequest('ByAlice 1.26')], annotations: { 'require-approval': 'false' } }, [], 'NewerTag'],
  ['a person approved what was waived', { requests: [aRequest('ByAlice 1.26', { requireApproval: false })] }, [], 'NewerTag'],
  // by hand
  ['by hand, direct', { requests: [aRequest('Pending 1.26', { trigger: 'manual', requireApproval: false })] }, [], 'NewerTag'],
  [
    'by hand, with approval',
    { requests: [aRequest('Pending 1.26', { trigger: 'manual' })], annotations: { 'require-approval': 'false' } },
    [],
    'NewerTag',
  ],
  [
    'by hand, without a container',
    {
      requests: [aRequest('Pending 1.26', { trigger: 'manual', containerName: undefined } as unknown as UpdateRequestSpec)],
      pushes: ['1.26'],
    },
    [],
    'NewerTag',
  ],
  ['by hand, beside ours', { requests: [aRequest('Pending 1.27'), aRequest('Pending 1.26', { trigger: 'manual' }, 11)] }, [], 'NewerTag'],
  [
    'by hand, and something newer comes',
    { requests: [aRequest('Pending 1.26', { trigger: 'manual' })], pushes: ['1.27'] },
    ['create web 1.27@b webhook', 'supersede 1.26'],
    'NewerTag',
  ],
  // memory
  ['rejected', { requests: [aRequest('Rejected 1.26')], pushes: ['1.26'] }, [], 'Rejected'],
  [
    'something lower than the rejected',
    { annotations: { policy: 'major' }, requests: [aRequest('Rejected 2.0')], pushes: ['1.26'] },
    [],
    'Rejected',
  ],
  [
    'something newer than the rejected',
    { requests: [aRequest('Rejected 1.26')], pushes: ['1.27'] },
    ['create web 1.27@b webhook'],
    'NewerTag',
  ],
  ['expired', { requests: [aRequest('Expired 1.26')], pushes: ['1.26'] }, [], 'Expired'],
  ['expired, with another digest', { requests: [aRequest('Expired 1.26')], pushes: ['1.26@c'] }, ['create web 1.26@c webhook'], 'NewerTag'],
  ['superseded', { requests: [aRequest('Superseded 1.26')], pushes: ['1.26'] }, ['create web 1.26@b webhook'], 'NewerTag'],
  ['superseded is no evidence', { requests: [aRequest('Superseded 1.26')] }, [], 'UpToDate'],
  [
    'a dry run tells of a rejection as such',
    { annotations: { 'dry-run': 'true' }, requests: [aRequest('Rejected 1.26')], pushes: ['1.26'] },
    [],
    'Rejected',
  ],
  [
    'the memory of a neighbour does not count',
    { requests: [aRequest('Rejected 1.26', { containerName: 'api' })], pushes: ['1.26'] },
    ['create web 1.26@b webhook'],
    'NewerTag',
  ],
  // the tag moved
  ['closed because the tag moved: asked for again', { requests: [aRequest('Moved 1.26')] }, ['confirm web 1.26'], 'NewerTag'],
  [
    '… and made with the new digest',
    { requests: [aRequest('Moved 1.26@b')], fresh: { '1.26': 'c' } },
    ['create web 1.26@c webhook'],
    'NewerTag',
  ],
  ['… once', { requests: [aRequest('Moved 1.26@b'), aRequest('Pending 1.26@c', {}, 11)], fresh: { '1.26': 'c' } }, [], 'NewerTag'],
  ['… not after something else happened', { requests: [aRequest('Moved 1.26@b'), aRequest('Superseded 1.26@c', {}, 11)] }, [], 'UpToDate'],
  ['… not for an image that runs no longer', { containers: { web: 'nginx:1.26' }, requests: [aRequest('Moved 1.27')] }, [], 'UpToDate'],
  ['… not beyond the policy', { annotations: { policy: 'patch' }, requests: [aRequest('Moved 1.26')] }, [], 'NoEligibleTag'],
];

describe('core/plan', () => {
  for (const [title, situation, actions, reason] of table) {
    it(`${title}: ${actions.join(', ') || 'nothing'} (${reason})`, () => {
      const planned = plan(situation);
      assert.deepEqual(planned.actions.map(describeAction), actions);
      assert.equal(planned.slots[0]?.reason, reason);
    });
  }

  it('a request says everything that a person needs to decide', () => {
    const [action] = plan({ pushes: ['1.26'] }).actions;
    assert.equal(action?.kind, 'create');
    assert.deepEqual(action.spec, {
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop', uid: 'uid-web' },
      updateType: 'image',
      containerName: 'web',
      currentImage: 'nginx:1.25',
      newImage: 'nginx:1.26',
      newDigest: digestOf('b'),
      policy: 'minor',
      trigger: 'webhook',
      reason: action.spec.reason,
      requireApproval: true,
      expiresAt: '2026-01-16T12:00:00Z',
    });
    assert.match(action.spec.reason ?? '', /^1\.26 is the highest minor update of 1\.25$/);
    assert.equal(
      action.name,
      requestName({ target: aWorkload(), container: 'web', tag: '1.26', newImage: 'nginx:1.26', newDigest: digestOf('b') }),
    );
  });

  it('every policy stands in the object under its own name (T-40)', () => {
    const policies = {
      patch: '1.25.1',
      minor: '1.26.0',
      major: '2.0.0',
      all: '1.26.0',
      'glob:*': '1.26.0',
      force: '1.20.0',
      'regex:.': '1.26.0',
      'semver:>=1': '1.26.0',
    };
    for (const [policy, tag] of Object.entries(policies)) {
      const [action] = plan({ annotations: { policy }, containers: { web: 'nginx:1.25.0' }, pushes: [tag] }).actions;
      assert.equal(action?.kind === 'create' && action.spec.policy, policy.split(':')[0]);
    }
  });

  describe('names', () => {
    const namesAfter = (requests: readonly UpdateRequest[]) =>
      plan({ requests, pushes: ['1.26'] }).actions.flatMap((action) => (action.kind === 'create' ? action.name : []));
    const name = aRequest('Completed 1.26').metadata.name;

    it('a candidate that was there before gets the next number', () => {
      assert.deepEqual(namesAfter([]), [name]);
      assert.deepEqual(namesAfter([aRequest('Completed 1.26')]), [`${name}-2`]);
      const second = { ...aRequest('Superseded 1.26'), metadata: { ...aRequest('Superseded 1.26').metadata, name: `${name}-2` } };
      assert.deepEqual(namesAfter([aRequest('Completed 1.26'), second]), [`${name}-3`]);
    });

    it('also when the name belongs to a request of an earlier workload', () => {
      const targetRef = { kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'another' };
      assert.deepEqual(namesAfter([aRequest('Rejected 1.26', { targetRef })]), [`${name}-2`]);
    });
  });

  describe('slots', () => {
    const containers = { web: 'nginx:1.25', api: 'ghcr.io/acme/api:1.25', prepare: 'nginx:1.25' };

    it('every container and init container is planned, in the order of the template', () => {
      const planned = plan({ containers, init: ['prepare'], pushes: ['1.26'] });
      assert.deepEqual(planned.actions.map(describeAction), [
        'create web 1.26@b webhook',
        'create api ghcr.io/acme/api:1.26@b webhook',
        'create prepare 1.26@b webhook',
      ]);
      assert.deepEqual(
        planned.slots.map(({ container, image, candidate }) => `${container} ${image} ${candidate}`),
        ['web nginx:1.25 1.26', 'api ghcr.io/acme/api:1.25 1.26', 'prepare nginx:1.25 1.26'],
      );
    });

    for (const [images, meant] of [
      ['web', ['web']],
      ['nginx', ['web', 'prepare']],
      ['acme/*', ['api']],
      ['*', ['web', 'api', 'prepare']],
      ['redis', []],
    ] as const) {
      it(`images "${images}" means ${meant.join(', ') || 'none'}`, () => {
        assert.deepEqual(
          plan({ containers, annotations: { images }, pushes: ['1.26'] }).slots.map(({ container }) => container),
          meant,
        );
      });
    }

    it('a container that is held does not hold its neighbours', () => {
      const planned = plan({
        containers: { ...containers, odd: 'Nginx:1' },
        annotations: { 'policy.api': 'mnior', 'event-source.prepare': 'none' },
        pushes: ['1.26'],
      });
      assert.deepEqual(planned.actions.map(describeAction), ['create web 1.26@b webhook']);
      assert.deepEqual(
        planned.slots.map(({ container, reason }) => `${container} ${reason}`),
        ['web NewerTag', 'api InvalidAnnotation', 'prepare EventSourceNone', 'odd InvalidReference'],
      );
    });
  });

  describe('a push is used up', () => {
    const judged: readonly (readonly [string, Situation, boolean])[] = [
      ['when it was taken', { pushes: ['1.26'] }, true],
      ['when it was refused', { pushes: ['1.20'] }, true],
      ['when it is remembered', { pushes: ['1.26'], requests: [aRequest('Rejected 1.26')] }, true],
      ['not while a bad annotation holds the container', { pushes: ['1.26'], annotations: { policy: 'mnior' } }, false],
      ['not while the event source is none', { pushes: ['1.26'], annotations: { 'event-source': 'none' } }, false],
      ['not while the digest is asked for', { tags: ['1.26'] }, false],
      ['not while the digest to pin is not known', { pushes: [unknown], annotations: { 'digest-mode': 'pin' } }, false],
      ['not by a dry run', { pushes: ['1.26'], annotations: { 'dry-run': 'true' } }, false],
    ];
    for (const [title, situation, expected] of judged) {
      it(title, () => assert.equal(plan(situation).slots[0]?.judged, expected));
    }
  });

  it('the same input gives the same plan', () => {
    const situation: Situation = { requests: [aRequest('Pending 1.26')], pushes: ['1.27'], tags: ['1.28'], fresh: { '1.28': 'd' } };
    assert.deepEqual(plan(situation), plan(situation));
  });
});
