import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import type { UpdateRequestSpec, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { toItem, versionOf } from './item.ts';

const now = Date.parse('2026-01-15T10:00:00Z');
const hash = `sha256:${'b'.repeat(64)}`;
const can = { approve: true, reject: true };

const versions: readonly [image: string, version: string][] = [
  ['nginx:1.26', '1.26'],
  ['nginx', 'latest'],
  ['reg:5000/team/app:v1', 'v1'],
  [`ghcr.io/acme/app@${hash}`, hash],
  [`ghcr.io/acme/app:1@${hash}`, '1'],
  ['podinfo:6.5.0', '6.5.0'],
  ['podinfo:6.5.0+build.1', '6.5.0+build.1'],
  ['not an image', 'not an image'],
];

type Next = readonly [
  title: string,
  annotations: Record<string, string>,
  spec: Partial<UpdateRequestSpec>,
  status: UpdateRequestStatus,
  expected: string | undefined,
];
const lastUpdate = { 'headwind.sh/policy': 'minor', 'headwind.sh/last-update': '2026-01-15T09:58:00Z' };
const nextAllowed: readonly Next[] = [
  ['the interval runs', lastUpdate, {}, { phase: 'Pending' }, '2026-01-15T10:03:00Z'],
  ['its own interval runs', { ...lastUpdate, 'headwind.sh/min-update-interval': '1h' }, {}, { phase: 'Pending' }, '2026-01-15T10:58:00Z'],
  ['the interval is over', { ...lastUpdate, 'headwind.sh/min-update-interval': '60' }, {}, { phase: 'Pending' }, undefined],
  ['never updated', { 'headwind.sh/policy': 'minor' }, {}, { phase: 'Pending' }, undefined],
  ['made by hand', lastUpdate, { trigger: 'manual' }, { phase: 'Pending' }, undefined],
  ['forced', lastUpdate, {}, { phase: 'Approved', approvedAt: '2026-01-15T10:00:00Z', force: true }, undefined],
  ['finished', lastUpdate, {}, { phase: 'Rejected', rejectedAt: '2026-01-15T10:00:00Z' }, undefined],
];

describe('http/item', () => {
  for (const [image, version] of versions) it(`the version of ${image} is ${version}`, () => assert.equal(versionOf(image), version));

  for (const [title, annotations, spec, status, expected] of nextAllowed) {
    it(`${title}: ${expected ?? 'nothing to wait for'}`, () => {
      assert.equal(toItem(anUpdateRequest({ spec, status }), aWorkload({ annotations }), now, can).nextAllowedAt, expected);
    });
  }

  it('is the stored object with computed members and flat copies', () => {
    const request = anUpdateRequest({ status: {} });
    const { spec, status, ...rest } = toItem(request, undefined, now, can);
    assert.deepEqual(spec, { ...request.spec, currentVersion: '1.25', newVersion: '1.26' });
    assert.deepEqual(status, { phase: 'Pending', createdAt: '2026-01-15T10:00:00Z' });
    assert.deepEqual(rest, {
      apiVersion: 'headwind.sh/v1alpha1',
      kind: 'UpdateRequest',
      metadata: request.metadata,
      namespace: 'shop',
      name: request.metadata.name,
      deployment: 'web',
      resourceKind: 'Deployment',
      container: 'web',
      currentImage: 'nginx:1.25',
      newImage: 'nginx:1.26',
      policy: 'minor',
      phase: 'Pending',
      digest: hash,
      conditions: [],
      can,
    });
  });

  it('tells the reason of a rejection only of what is rejected', () => {
    const rejected = anUpdateRequest({ status: { phase: 'Rejected', rejectedAt: '2026-01-15T10:00:00Z', message: 'too risky' } });
    assert.equal(toItem(rejected, undefined, now, can).status.rejectionReason, 'too risky');
    const failed = anUpdateRequest({ status: { phase: 'Pending', message: 'other', rejectionReason: 'stale' } });
    assert.equal('rejectionReason' in toItem(failed, undefined, now, can).status, false);
  });
});
