import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anUpdateRequest } from '../../test/builders.ts';
import { type CandidateIdentity, conditionOf, isApprovedByPerson, isOpen, phaseOf, requestName, withConditions } from './update-request.ts';
import { type Condition, phases, type UpdateRequestSpec, type UpdateRequestStatus } from './update-request-schema.ts';

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: '', lastTransitionTime: '2026-01-15T10:00:00Z' };
}

const createdAt = '2026-01-15T10:00:00Z';
const applied = condition('Applied', 'True', 'UpdateApplied');
const expired = condition('Applied', 'False', 'UpdateExpired');
const superseded = condition('Superseded', 'True', 'UpdateSuperseded');
const moved = condition('Superseded', 'True', 'DigestChanged');
const verified = condition('Verified', 'True', 'UpdateAvailable');
const unverified = condition('Verified', 'Unknown', 'RegistryUnavailable');
const failed = (reason: string) => condition('Applied', 'False', reason);

/** What a request looks like in each state that the operator itself reaches. */
const evidence: Readonly<Record<string, { phase: string; status: UpdateRequestStatus; spec?: Partial<UpdateRequestSpec> }>> = {
  'new, needs approval': { phase: 'Pending', status: {} },
  'new, approval waived': { phase: 'Approved', status: {}, spec: { requireApproval: false } },
  opened: { phase: 'Pending', status: { createdAt, conditions: [verified] } },
  'opened, by hand': { phase: 'Pending', status: { createdAt } },
  'waived, but not verified': { phase: 'Pending', status: { createdAt, conditions: [unverified] }, spec: { requireApproval: false } },
  'waived and verified since': { phase: 'Approved', status: { createdAt, conditions: [verified] }, spec: { requireApproval: false } },
  approved: { phase: 'Approved', status: { createdAt, approvedBy: 'alice', approvedAt: createdAt, conditions: [verified] } },
  'approved and waiting': { phase: 'Approved', status: { createdAt, approvedAt: createdAt, conditions: [failed('TooSoon')] } },
  'approved and the tag not found': {
    phase: 'Approved',
    status: { createdAt, approvedAt: createdAt, conditions: [failed('TagNotFound')] },
  },
  rejected: { phase: 'Rejected', status: { createdAt, rejectedAt: createdAt, conditions: [verified] } },
  'rejected while it waited': {
    phase: 'Rejected',
    status: { createdAt, approvedAt: createdAt, rejectedAt: createdAt, conditions: [failed('Paused')] },
  },
  completed: { phase: 'Completed', status: { createdAt, approvedAt: createdAt, conditions: [verified, applied] } },
  failed: { phase: 'Failed', status: { createdAt, conditions: [failed('UpdateFailed')] } },
  'refused by the API server': { phase: 'Failed', status: { createdAt, approvedAt: createdAt, conditions: [failed('PatchRefused')] } },
  'for another namespace': { phase: 'Failed', status: { createdAt, conditions: [failed('CrossNamespace')] } },
  'with an image that is none': { phase: 'Failed', status: { createdAt, conditions: [failed('InvalidReference')] } },
  expired: { phase: 'Expired', status: { createdAt, conditions: [verified, expired] } },
  superseded: { phase: 'Expired', status: { createdAt, conditions: [verified, superseded] } },
  'superseded after an approval': {
    phase: 'Expired',
    status: { createdAt, approvedAt: createdAt, conditions: [failed('TooSoon'), superseded] },
  },
  moved: { phase: 'Expired', status: { createdAt, approvedAt: createdAt, conditions: [moved] } },
};
// What a person may do by setting the phase; everything else is put back.
const legal: Readonly<Record<string, readonly string[]>> = { Pending: ['Approved', 'Rejected'], Approved: ['Rejected'] };

describe('core/update-request', () => {
  describe('the phase is what the evidence says, or a legal step from there', () => {
    for (const [state, { phase, status, spec }] of Object.entries(evidence)) {
      it(`${state}, without a phase: ${phase}`, () => assert.equal(phaseOf(anUpdateRequest({ status, ...(spec && { spec }) })), phase));
      for (const written of phases) {
        const counts = written === phase || legal[phase]?.includes(written) === true;
        // Without any mark of ours a finished phase is from another time: it is believed.
        const foreign = status.createdAt === undefined && ['Completed', 'Failed', 'Expired'].includes(written);
        it(`${state}, phase set to ${written}: ${counts || foreign ? written : `stays ${phase}`}`, () => {
          const request = anUpdateRequest({ status: { ...status, phase: written }, ...(spec && { spec }) });
          assert.equal(phaseOf(request), counts || foreign ? written : phase);
        });
      }
    }
  });

  describe('what another operator finished stays finished', () => {
    for (const phase of ['Completed', 'Failed', 'Expired'] as const) {
      it(`${phase} with an approval and no mark of ours`, () => {
        const status = { phase, approvedBy: 'alice', approvedAt: createdAt, message: 'done', lastUpdated: createdAt };
        assert.equal(phaseOf(anUpdateRequest({ status })), phase);
      });
      it(`${phase} is put back once a mark of ours is there`, () => {
        assert.equal(phaseOf(anUpdateRequest({ status: { phase, createdAt } })), 'Pending');
        assert.equal(phaseOf(anUpdateRequest({ status: { phase, conditions: [verified] } })), 'Pending');
      });
    }
  });

  it('open is Pending or Approved', () => {
    const open = Object.values(evidence).filter(({ status, spec }) => isOpen(anUpdateRequest({ status, ...(spec && { spec }) })));
    assert.deepEqual([...new Set(open.map(({ phase }) => phase))].sort(), ['Approved', 'Pending']);
  });

  const approvals: readonly (readonly [string, Partial<UpdateRequestSpec>, UpdateRequestStatus, boolean])[] = [
    ['Pending', {}, { phase: 'Pending' }, false],
    ['approved by a name', {}, { phase: 'Approved', approvedBy: 'alice', approvedAt: createdAt }, true],
    ['approved by nobody known', {}, { phase: 'Approved' }, true],
    ['waived', { requireApproval: false }, {}, false],
    ['waived, waiting', { requireApproval: false }, { phase: 'Approved', approvedBy: 'webhook', approvedAt: createdAt }, false],
    [
      'waived, the name is another trigger',
      { requireApproval: false, trigger: 'polling' },
      { phase: 'Approved', approvedBy: 'webhook', approvedAt: createdAt },
      true,
    ],
    [
      'waived, unverified, then approved',
      { requireApproval: false },
      { phase: 'Approved', approvedBy: 'bob', approvedAt: createdAt, conditions: [unverified] },
      true,
    ],
    ['waived, no name yet', { requireApproval: false }, { phase: 'Approved', conditions: [unverified] }, false],
    [
      'by hand, waived',
      { requireApproval: false, trigger: 'manual' },
      { phase: 'Approved', approvedBy: 'manual', approvedAt: createdAt },
      false,
    ],
    ['rejected', {}, { phase: 'Rejected', rejectedAt: createdAt, approvedBy: 'alice', approvedAt: createdAt }, false],
    ['an approval that does not count', {}, { phase: 'Approved', createdAt, conditions: [superseded] }, false],
  ];
  for (const [title, spec, status, byPerson] of approvals) {
    it(`${title}: ${byPerson ? 'approved' : 'not approved'} by a person`, () => {
      assert.equal(isApprovedByPerson(anUpdateRequest({ spec, status })), byPerson);
    });
  }

  describe('conditions', () => {
    const now = Date.parse('2026-01-15T12:00:00Z');
    const request = anUpdateRequest({ metadata: { generation: 3 }, status: { conditions: [verified, failed('TooSoon')] } });

    it('a new one is added, one of the same type replaced, the others stay in their order', () => {
      const next = withConditions(
        request,
        [
          { type: 'Superseded', status: 'True', reason: 'UpdateSuperseded', message: 'm' },
          { type: 'Verified', status: 'Unknown', reason: 'RegistryUnavailable', message: 'n' },
        ],
        now,
      );
      assert.deepEqual(
        next.map(({ type, status, reason }) => `${type} ${status} ${reason}`),
        ['Verified Unknown RegistryUnavailable', 'Applied False TooSoon', 'Superseded True UpdateSuperseded'],
      );
    });

    it('the time moves only when the status does', () => {
      const [same] = withConditions(request, [{ type: 'Verified', status: 'True', reason: 'UpdateAvailable', message: 'again' }], now);
      const [other] = withConditions(request, [{ type: 'Verified', status: 'Unknown', reason: 'RegistryUnavailable', message: 'no' }], now);
      assert.equal(same?.lastTransitionTime, '2026-01-15T10:00:00Z');
      assert.equal(same.message, 'again');
      assert.equal(other?.lastTransitionTime, '2026-01-15T12:00:00Z');
    });

    it('says for which generation it was made, and leaves the request as it is', () => {
      const before = structuredClone(request);
      assert.equal(
        withConditions(request, [{ type: 'Applied', status: 'True', reason: 'UpdateApplied', message: '' }], now)[1]?.observedGeneration,
        3,
      );
      assert.deepEqual(request, before);
      assert.equal(conditionOf(request, 'Applied')?.reason, 'TooSoon');
      assert.equal(conditionOf(request, 'RolledBack'), undefined);
    });
  });

  describe('names', () => {
    const identity: CandidateIdentity = {
      target: { kind: 'Deployment', namespace: 'shop', name: 'web' },
      container: 'nginx',
      tag: '1.26',
      newImage: 'nginx:1.26',
      newDigest: `sha256:${'b'.repeat(64)}`,
    };

    const readable: readonly (readonly [string, Partial<CandidateIdentity>, RegExp])[] = [
      ['plain', {}, /^web-nginx-1-26-[0-9a-f]{8}$/],
      ['capitals', { tag: 'V1.26-RC1' }, /^web-nginx-v1-26-rc1-[0-9a-f]{8}$/],
      ['underscore and plus', { tag: '1.26_build+7' }, /^web-nginx-1-26-build-7-[0-9a-f]{8}$/],
      ['runs of other characters', { tag: '1..__--26' }, /^web-nginx-1-26-[0-9a-f]{8}$/],
      ['a dot in the name of the workload', { target: { ...identity.target, name: 'web.v2' } }, /^web-v2-nginx-1-26-[0-9a-f]{8}$/],
      ['253 characters', { target: { ...identity.target, name: 'w'.repeat(253) } }, /^w{54}-[0-9a-f]{8}$/],
      ['a cut at a separator', { target: { ...identity.target, name: 'w'.repeat(53) } }, /^w{53}-[0-9a-f]{8}$/],
      ['nothing readable', { target: { ...identity.target, name: '_' }, container: '_', tag: '_' }, /^update-[0-9a-f]{8}$/],
    ];
    for (const [title, change, name] of readable) it(title, () => assert.match(requestName({ ...identity, ...change }), name));

    it('the same name in two kinds, namespaces, images or digests is two requests (T-38)', () => {
      const changes: Partial<CandidateIdentity>[] = [
        {},
        { target: { ...identity.target, kind: 'StatefulSet' } },
        { target: { ...identity.target, namespace: 'blog' } },
        { newImage: 'docker.io/nginx:1.26' },
        { newDigest: undefined },
        { newDigest: `sha256:${'c'.repeat(64)}` },
        { tag: '1-26', newImage: 'nginx:1-26' },
      ];
      assert.equal(new Set(changes.map((change) => requestName({ ...identity, ...change }))).size, changes.length);
    });

    it('parts do not run into each other', () => {
      const first = requestName({ ...identity, target: { ...identity.target, name: 'a-b' }, container: 'c' });
      const second = requestName({ ...identity, target: { ...identity.target, name: 'a' }, container: 'b-c' });
      assert.notEqual(first, second);
    });

    it('a further attempt is another name that tells which', () => {
      assert.match(requestName(identity, 2), /^web-nginx-1-26-[0-9a-f]{8}-2$/);
      assert.equal(requestName(identity, 1), requestName(identity));
    });

    it('is a DNS label of at most 63 characters and always the same, whatever the parts are', () => {
      const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 300 }), fc.stringMatching(/^[A-Za-z0-9._+-]{1,253}$/));
      fc.assert(
        fc.property(
          fc.array(anyText, { minLength: 7, maxLength: 7 }),
          fc.integer({ min: 1, max: 999 }),
          ([kind = '', namespace = '', name = '', container = '', tag = '', newImage = '', newDigest], attempt) => {
            const parts = { target: { kind, namespace, name }, container, tag, newImage, newDigest };
            const text = requestName(parts, attempt);
            assert.match(text, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
            assert.equal(text, requestName(structuredClone(parts), attempt));
          },
        ),
      );
    });
  });
});
