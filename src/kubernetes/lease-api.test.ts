import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import { ApiError } from '../errors.ts';
import { heldLease, releasedLease } from './lease.ts';
import { leaseApi } from './lease-api.ts';

const signal = new AbortController().signal;
const holding = {
  name: 'headwind',
  namespace: 'headwind-system',
  identity: 'pod_1',
  durationMs: 15_000,
  address: 'http://10.0.0.1:8080',
  now: Date.parse('2026-01-15T10:00:00.5Z'),
};

describe('kubernetes/lease-api', () => {
  it('creates, renews and releases the Lease as client-go would read it', async (t) => {
    const { api, client } = await startKubeApi(t);
    const leases = leaseApi(client, 'headwind-system');
    assert.equal(await leases.get(signal), undefined);
    const created = await leases.create(heldLease(undefined, holding), signal);
    assert.deepEqual(sentTo(api)[1]?.body, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'headwind', namespace: 'headwind-system', annotations: { 'headwind.sh/address': 'http://10.0.0.1:8080' } },
      spec: {
        holderIdentity: 'pod_1',
        leaseDurationSeconds: 15,
        acquireTime: '2026-01-15T10:00:00.500000Z',
        renewTime: '2026-01-15T10:00:00.500000Z',
        leaseTransitions: 0,
      },
    });
    const renewed = await leases.update(heldLease(created, { ...holding, now: holding.now + 2_000 }), signal);
    assert.equal(renewed.spec?.acquireTime, '2026-01-15T10:00:00.500000Z');
    assert.equal(renewed.spec?.renewTime, '2026-01-15T10:00:02.500000Z');
    await assert.rejects(leases.update(heldLease(created, holding), signal), (error) => error instanceof ApiError && error.isConflict);
    const released = await leases.update(releasedLease(renewed, holding.now), signal);
    assert.equal(released.spec?.holderIdentity, '');
    assert.deepEqual(released.metadata.annotations, {});
    assert.deepEqual(await leases.get(signal), released);
  });

  it('another holder counts a transition and keeps what others wrote into the metadata', () => {
    const theirs = heldLease(undefined, holding);
    const annotated = { ...theirs, metadata: { ...theirs.metadata, annotations: { ...theirs.metadata.annotations, 'a.io/b': 'c' } } };
    const ours = heldLease(annotated, { ...holding, identity: 'pod_2', address: undefined, now: holding.now + 60_000 });
    assert.equal(ours.spec?.leaseTransitions, 1);
    assert.equal(ours.spec?.acquireTime, '2026-01-15T10:01:00.500000Z');
    assert.deepEqual(ours.metadata.annotations, { 'a.io/b': 'c' });
  });
});
