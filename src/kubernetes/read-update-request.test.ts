import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest } from '../../test/builders.ts';
import type { Log } from '../ports.ts';
import { readUpdateRequest } from './read-update-request.ts';

function read(raw: any) {
  const skipped: object[] = [];
  const nothing = () => undefined;
  const log: Log = { debug: nothing, info: nothing, warn: (fields) => skipped.push(fields), error: nothing };
  return { request: readUpdateRequest(raw, log), skipped };
}

const metadata = {
  namespace: 'default',
  name: 'nginx-update-1-26-0',
  uid: 'u',
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: 't',
};
const targetRef = { kind: 'Deployment', name: 'nginx-example', namespace: 'default' };
const spec = { targetRef, containerName: 'nginx', currentImage: 'nginx:1.25.0', newImage: 'nginx:1.26.0', policy: 'minor' };

describe('kubernetes/read-update-request', () => {
  it('what the operator writes is read as it is', () => {
    const conditions = [
      {
        type: 'Applied',
        status: 'True' as const,
        reason: 'UpdateApplied',
        message: 'done',
        lastTransitionTime: '2026-01-15T10:00:00Z',
        observedGeneration: 1,
      },
    ];
    const whole = anUpdateRequest({
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'headwind' } },
      spec: { currentDigest: 'sha256:a' },
      status: { phase: 'Completed', approvedBy: 'alice', approvedAt: 't', force: true, observedGeneration: 1, conditions },
    });
    assert.deepEqual(read(structuredClone(whole)), { request: whole, skipped: [] });
  });

  it('the documented example, without apiVersion, updateType and status', () => {
    const { request } = read({ apiVersion: 'headwind.sh/v1alpha1', kind: 'UpdateRequest', metadata, spec });
    assert.deepEqual(request?.spec, spec);
    assert.deepEqual(request?.status, {});
  });

  it('members of the wrong type count as missing', () => {
    const { request } = read({
      metadata: { ...metadata, labels: { a: 1, b: 'c' }, generation: 'x' },
      spec: { ...spec, trigger: 'somebody', updateType: 3, requireApproval: 'false', expiresAt: null },
      status: {
        phase: 'Sleeping',
        approvedBy: {},
        force: 'yes',
        conditions: [null, { type: 'Applied' }, { type: 'Applied', status: 'True' }],
      },
    });
    assert.deepEqual(request?.spec, spec);
    assert.deepEqual(request?.metadata.labels, { b: 'c' });
    assert.equal(request?.metadata.generation, 0);
    assert.deepEqual(request?.status, {
      conditions: [{ type: 'Applied', status: 'True', reason: '', message: '', lastTransitionTime: '' }],
    });
  });

  const odd: readonly [string, unknown][] = [
    ['null', null],
    ['a text', 'x'],
    ['nothing', {}],
    ['no metadata', { spec }],
    ['no uid', { metadata: { ...metadata, uid: undefined }, spec }],
    ['no spec', { metadata }],
    ['spec null', { metadata, spec: null }],
    ['no target', { metadata, spec: { ...spec, targetRef: undefined } }],
    ['a target without name', { metadata, spec: { ...spec, targetRef: { kind: 'Deployment', namespace: 'default' } } }],
    ['no new image', { metadata, spec: { ...spec, newImage: '' } }],
    [
      'a kind that would read as another workload',
      { metadata, spec: { ...spec, targetRef: { ...targetRef, kind: 'Deployment/shop/web' } } },
    ],
    ['an endless name', { metadata, spec: { ...spec, targetRef: { ...targetRef, name: 'x'.repeat(254) } } }],
    ['an endless image', { metadata, spec: { ...spec, newImage: 'x'.repeat(2049) } }],
    ['an unknown policy', { metadata, spec: { ...spec, policy: 'sometimes' } }],
  ];
  for (const [title, raw] of odd) {
    it(`an odd object (${title}) is skipped with a log line`, () => {
      const { request, skipped } = read(raw);
      assert.equal(request, undefined);
      assert.equal(skipped.length, 1);
    });
  }
});
