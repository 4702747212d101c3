import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest } from '../../test/builders.ts';
import { isMemory, recall } from './memory.ts';
import { readSettings } from './settings.ts';
import type { Condition, PolicyName, UpdateRequest, UpdateRequestStatus } from './update-request-schema.ts';

const at = '2026-01-15T10:00:00Z';

function condition(type: string, status: Condition['status'], reason: string): Condition {
  return { type, status, reason, message: '', lastTransitionTime: at };
}

const ends = {
  Pending: { phase: 'Pending', createdAt: at },
  Approved: { phase: 'Approved', createdAt: at, approvedAt: at },
  Completed: { phase: 'Completed', createdAt: at, conditions: [condition('Applied', 'True', 'UpdateApplied')] },
  Rejected: { phase: 'Rejected', createdAt: at, rejectedAt: at, rejectedBy: 'alice', message: 'no' },
  Failed: { phase: 'Failed', createdAt: at, message: 'denied', conditions: [condition('Applied', 'False', 'PatchRefused')] },
  RolledBack: {
    phase: 'Failed',
    createdAt: at,
    conditions: [condition('Applied', 'False', 'UpdateFailed'), condition('RolledBack', 'True', 'UpdateFailed')],
  },
  Expired: { phase: 'Expired', createdAt: at, conditions: [condition('Applied', 'False', 'UpdateExpired')] },
  Superseded: { phase: 'Expired', createdAt: at, conditions: [condition('Superseded', 'True', 'UpdateSuperseded')] },
} satisfies Record<string, UpdateRequestStatus>;
type End = keyof typeof ends;

/** `Rejected 1.26`, with `@c` for another digest than b. */
function aRequest(text: string, hour = 10, policy: PolicyName = 'minor'): UpdateRequest {
  const [end = '', image = ''] = text.split(' ');
  const [tag = '', digest = 'b'] = image.split('@');
  return anUpdateRequest({
    metadata: { name: text, creationTimestamp: `2026-01-15T${hour}:00:00Z` },
    spec: { newImage: `nginx:${tag}`, newDigest: digestOf(digest), policy },
    status: ends[end as End],
  });
}

function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

function held(policy: string, candidate: string, requests: readonly UpdateRequest[]): string | undefined {
  const [tag = '', digest = 'b'] = candidate.split('@');
  const settings = readSettings({ 'headwind.sh/policy': policy }, ['web']).container('web');
  if ('held' in settings) throw new Error(settings.held);
  return recall({ tag, digest: digest === '' ? undefined : digestOf(digest) }, requests, settings)?.reason;
}

describe('core/memory', () => {
  const table: readonly (readonly [string, string, readonly string[], string | undefined])[] = [
    // policy, candidate, what stands there (oldest first), why it is held
    ['minor', '1.26', [], undefined],
    ['minor', '1.26', ['Rejected 1.26'], 'Rejected'],
    ['minor', '1.26@c', ['Rejected 1.26'], 'Rejected'],
    ['minor', '1.25', ['Rejected 1.26'], 'Rejected'],
    ['minor', '1.27', ['Rejected 1.26'], undefined],
    ['major', '1.26', ['Rejected 2.0'], 'Rejected'],
    ['major', '2.1', ['Rejected 2.0'], undefined],
    ['all', '1.26', ['Rejected 1.26'], 'Rejected'],
    ['semver:>=1', '1.26.0', ['Rejected 1.26.0'], 'Rejected'],
    ['glob:1.*', '1.25', ['Rejected 1.26'], 'Rejected'],
    ['glob:build-*', 'build-7', ['Rejected build-8'], 'Rejected'],
    ['glob:build-*', 'build-9', ['Rejected build-8'], undefined],
    // tags without order between them: only the very same
    ['minor', '1.26-alpine', ['Rejected 1.26'], undefined],
    ['all', 'nightly', ['Rejected nightly@c'], 'Rejected'],
    ['all', 'nightly', ['Rejected weekly'], undefined],
    // policies without order: tag and digest
    ['force', '1.26', ['Rejected 1.26'], 'Rejected'],
    ['force', '1.26@c', ['Rejected 1.26'], undefined],
    ['force', '1.25', ['Rejected 1.26'], undefined],
    ['force', '1.26@', ['Rejected 1.26'], 'Rejected'],
    ['digest', '1.26@c', ['Rejected 1.26'], undefined],
    // rolled back: as rejected
    ['minor', '1.26', ['RolledBack 1.26'], 'Quarantined'],
    ['minor', '1.25', ['RolledBack 1.26'], 'Quarantined'],
    ['minor', '1.27', ['RolledBack 1.26'], undefined],
    // failed and expired: the very same tag and digest
    ['minor', '1.26', ['Failed 1.26'], 'AlreadyFailed'],
    ['minor', '1.26@c', ['Failed 1.26'], undefined],
    ['minor', '1.25', ['Failed 1.26'], undefined],
    ['minor', '1.26', ['Expired 1.26'], 'Expired'],
    ['minor', '1.26@c', ['Expired 1.26'], undefined],
    ['minor', '1.26@', ['Expired 1.26'], 'Expired'],
    // no memory at all
    ['minor', '1.26', ['Superseded 1.26'], undefined],
    ['minor', '1.26', ['Completed 1.26'], undefined],
    ['minor', '1.26', ['Pending 1.26'], undefined],
    ['minor', '1.26', ['Approved 1.26'], undefined],
    // something newer was applied since, or something that is not newer
    ['minor', '1.26', ['Rejected 1.26', 'Completed 1.27'], undefined],
    ['major', '2.0', ['Rejected 2.0', 'Completed 1.26'], 'Rejected'],
    ['minor', '1.26', ['Completed 1.27', 'Rejected 1.26'], 'Rejected'],
    ['minor', '1.26', ['Failed 1.26', 'Completed 1.27'], undefined],
    ['force', '1.26', ['Rejected 1.26', 'Completed 1.20'], undefined],
    // several answers: one that holds is enough
    ['minor', '1.26', ['Rejected 1.24', 'Failed 1.26'], 'AlreadyFailed'],
    ['minor', '1.26', ['Failed 1.25', 'Rejected 1.27'], 'Rejected'],
  ];
  for (const [policy, candidate, requests, reason] of table) {
    it(`${policy}: ${candidate} after [${requests.join(', ')}] is ${reason ?? 'offered'}`, () => {
      assert.equal(
        held(
          policy,
          candidate,
          requests.map((text, index) => aRequest(text, 10 + index)),
        ),
        reason,
      );
    });
  }

  it('says who rejected it and why, and how to be asked again', () => {
    const settings = readSettings({ 'headwind.sh/policy': 'minor' }, ['web']).container('web');
    assert.ok(!('held' in settings));
    const say = (text: string) => recall({ tag: '1.26', digest: digestOf('b') }, [aRequest(text)], settings)?.message;
    assert.equal(say('Rejected 1.26'), '1.26 was rejected by alice: no');
    assert.equal(say('Failed 1.26'), '1.26 failed before: denied');
    assert.equal(say('Expired 1.26'), 'the request for 1.26 expired without a decision; delete Expired 1.26 to be asked again');
  });

  it('a request with an image that is none remembers nothing', () => {
    const request = anUpdateRequest({ spec: { newImage: 'nginx:1 26' }, status: ends.Rejected });
    assert.equal(held('minor', '1.26', [request]), undefined);
    assert.equal(isMemory(request, [request]), false);
  });

  describe('kept beyond the retention', () => {
    const kept: readonly (readonly [readonly string[], readonly string[], PolicyName])[] = [
      [['Rejected 1.26'], ['Rejected 1.26'], 'minor'],
      [['Failed 1.26'], ['Failed 1.26'], 'minor'],
      [['RolledBack 1.26'], ['RolledBack 1.26'], 'minor'],
      [['Expired 1.26', 'Superseded 1.26', 'Completed 1.26', 'Pending 1.26'], [], 'minor'],
      // the newest answer covers the older ones
      [['Rejected 1.26', 'Rejected 1.27'], ['Rejected 1.27'], 'minor'],
      [['Rejected 1.26', 'Rejected 1.26@c'], ['Rejected 1.26@c'], 'minor'],
      [['Failed 1.26', 'Rejected 1.27'], ['Rejected 1.27'], 'minor'],
      [['Rejected 1.26', 'Completed 1.27'], [], 'minor'],
      // but not one that says less, or of something older
      [['Rejected 1.26', 'Failed 1.27'], ['Rejected 1.26', 'Failed 1.27'], 'minor'],
      [['Rejected 2.0', 'Completed 1.26'], ['Rejected 2.0'], 'major'],
      [['Rejected 2.0', 'Rejected 1.26'], ['Rejected 2.0', 'Rejected 1.26'], 'major'],
      [['Completed 1.27', 'Rejected 1.26'], ['Rejected 1.26'], 'minor'],
      // without order the newest
      [['Rejected nightly', 'Rejected weekly'], ['Rejected weekly'], 'all'],
      [['Rejected 1.26', 'Rejected 1.20', 'Completed 1.10'], [], 'force'],
      [['Rejected 1.26', 'Rejected 1.20'], ['Rejected 1.20'], 'force'],
    ];
    for (const [all, memory, policy] of kept) {
      it(`${policy}: of [${all.join(', ')}] stay [${memory.join(', ')}]`, () => {
        const requests = all.map((text, index) => aRequest(text, 10 + index, policy));
        assert.deepEqual(
          requests.filter((request) => isMemory(request, requests)).map(({ metadata }) => metadata.name),
          memory,
        );
      });
    }
  });
});
