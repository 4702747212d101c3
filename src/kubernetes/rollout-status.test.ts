import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cronJobRollout, daemonSetRollout, deploymentRollout, type RolloutStatus, statefulSetRollout } from './rollout-status.ts';

interface Row {
  readonly when: string;
  readonly spec?: object;
  readonly status?: object;
  readonly managedFields?: unknown;
  readonly says: string;
}

function describeKind(kind: string, rollout: RolloutStatus, rows: readonly Row[]): void {
  for (const { when, spec, status, managedFields, says } of rows) {
    it(`${kind}, ${when}: ${says}`, () => {
      const object = { metadata: { generation: 3, managedFields }, spec, ...(status && { status: { observedGeneration: 3, ...status } }) };
      const { settled, healthy, message, unwatched, failed } = rollout(object);
      const word = settled ? (healthy ? 'healthy' : 'settled') : 'running';
      assert.equal(`${unwatched ?? word}${failed ? ', failed' : ''}: ${message}`, says);
    });
  }
}

const three = { replicas: 3 };
const unseen = 'running: the controller has not seen the latest change yet';
const all = 'healthy: all 3 pods are updated and available';
const onDelete = { updateStrategy: { type: 'OnDelete' } };
const stalled = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' };

const at = (second: number) => `2026-01-15T10:00:${String(second).padStart(2, '0')}Z`;
const stalledAt = (second: number) => ({ replicas: 4, updatedReplicas: 1, conditions: [{ ...stalled, lastTransitionTime: at(second) }] });
const changed = (second: number, fields: object = { 'f:spec': { 'f:template': {} } }) => ({ time: at(second), fieldsV1: fields });
const failed = 'running, failed: the rollout has exceeded its progress deadline';
const goesOn = 'running: 1 of 3 pods are updated';

describe('kubernetes/rollout-status', () => {
  describeKind('Deployment', deploymentRollout, [
    { when: 'just created', spec: three, says: unseen },
    { when: 'the controller is behind', spec: three, status: { observedGeneration: 2, replicas: 3, updatedReplicas: 3 }, says: unseen },
    { when: 'nothing updated', spec: three, status: { replicas: 3 }, says: 'running: 0 of 3 pods are updated' },
    { when: 'one updated', spec: three, status: { replicas: 4, updatedReplicas: 1 }, says: 'running: 1 of 3 pods are updated' },
    { when: 'an old pod left', spec: three, status: { replicas: 4, updatedReplicas: 3 }, says: 'running: 1 old pod is still there' },
    {
      when: 'out of time',
      spec: three,
      status: { replicas: 4, updatedReplicas: 1, conditions: [null, stalled] },
      says: 'running, failed: the rollout has exceeded its progress deadline',
    },
    {
      when: 'out of time with an old pod left',
      spec: three,
      status: { replicas: 4, updatedReplicas: 3, conditions: [stalled] },
      says: 'running, failed: the rollout has exceeded its progress deadline',
    },
    {
      when: 'out of time with the template before',
      spec: three,
      status: { observedGeneration: 2, replicas: 4, updatedReplicas: 1, conditions: [stalled] },
      says: unseen,
    },
    {
      when: 'all pods new, out of time before they were available',
      spec: three,
      status: { replicas: 3, updatedReplicas: 3, availableReplicas: 2, conditions: [stalled] },
      says: 'settled, failed: 2 of 3 pods are available',
    },
    {
      when: 'done after its time was over',
      spec: three,
      status: { replicas: 3, updatedReplicas: 3, availableReplicas: 3, conditions: [stalled] },
      says: all,
    },
    { when: 'out of time after the latest change', spec: three, status: stalledAt(9), managedFields: [changed(3)], says: failed },
    {
      when: 'out of time with the template before it',
      spec: three,
      status: stalledAt(9),
      managedFields: [changed(3), changed(10)],
      says: goesOn,
    },
    { when: 'changed in the second of the failure', spec: three, status: stalledAt(9), managedFields: [changed(9)], says: goesOn },
    {
      when: 'out of time, then scaled and annotated',
      spec: three,
      status: stalledAt(9),
      managedFields: [changed(3), changed(10, { 'f:spec': { 'f:replicas': {} } }), { ...changed(10), subresource: 'status' }],
      says: failed,
    },
    {
      when: 'out of time, odd times',
      spec: three,
      status: stalledAt(9),
      managedFields: [{ ...changed(3), time: 'soon' }, null],
      says: failed,
    },
    {
      when: 'out of time, nobody says when',
      spec: three,
      status: { ...stalledAt(9), conditions: [stalled] },
      managedFields: [changed(10)],
      says: failed,
    },
    { when: 'scaling down', spec: three, status: { replicas: 5, updatedReplicas: 5 }, says: 'running: 5 pods are there, 3 are wanted' },
    {
      when: 'not available',
      spec: three,
      status: { replicas: 3, updatedReplicas: 3, availableReplicas: 2 },
      says: 'settled: 2 of 3 pods are available',
    },
    { when: 'done', spec: three, status: { replicas: 3, updatedReplicas: 3, availableReplicas: 3 }, says: all },
    { when: 'scaled to 0', spec: { replicas: 0 }, status: {}, says: 'healthy: no pods are wanted' },
    { when: 'without replicas (one)', spec: {}, status: { replicas: 1 }, says: 'running: 0 of 1 pods are updated' },
    { when: 'odd', spec: { replicas: 'x' }, status: { replicas: null, conditions: 7 }, says: 'running: 0 of 1 pods are updated' },
  ]);

  describeKind('StatefulSet', statefulSetRollout, [
    { when: 'just created', spec: three, says: unseen },
    {
      when: 'two revisions',
      spec: three,
      status: { replicas: 3, updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      says: 'running: 1 of 3 pods are updated',
    },
    {
      when: 'one revision, not available',
      spec: three,
      status: { updatedReplicas: 3, currentRevision: 'b', updateRevision: 'b', availableReplicas: 1, readyReplicas: 3 },
      says: 'settled: 1 of 3 pods are available',
    },
    { when: 'availability not reported', spec: three, status: { currentRevision: 'b', updateRevision: 'b', readyReplicas: 3 }, says: all },
    {
      when: 'partition not reached',
      spec: { ...three, updateStrategy: { rollingUpdate: { partition: 1 } } },
      status: { updatedReplicas: 1, currentRevision: 'a', updateRevision: 'b' },
      says: 'running: 1 of 2 pods are updated',
    },
    {
      when: 'partition reached',
      spec: { ...three, updateStrategy: { rollingUpdate: { partition: 1 } } },
      status: { updatedReplicas: 2, currentRevision: 'a', updateRevision: 'b', availableReplicas: 3 },
      says: all,
    },
    {
      when: 'partition above all',
      spec: { ...three, updateStrategy: { rollingUpdate: { partition: 9 } } },
      status: { currentRevision: 'a', updateRevision: 'b', availableReplicas: 3 },
      says: all,
    },
    { when: 'scaled to 0', spec: { replicas: 0 }, status: {}, says: 'healthy: no pods are wanted' },
    {
      when: 'OnDelete',
      spec: { ...three, ...onDelete },
      status: { currentRevision: 'a', updateRevision: 'b' },
      says: 'OnDelete: the update strategy is OnDelete: a pod changes when somebody deletes it',
    },
    { when: 'OnDelete, not seen yet', spec: { ...three, ...onDelete }, says: unseen },
  ]);

  describeKind('DaemonSet', daemonSetRollout, [
    { when: 'just created', spec: {}, says: unseen },
    {
      when: 'one node left',
      status: { desiredNumberScheduled: 3, updatedNumberScheduled: 2, numberAvailable: 3 },
      says: 'running: 2 of 3 pods are updated',
    },
    {
      when: 'not available',
      status: { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 },
      says: 'settled: 2 of 3 pods are available',
    },
    { when: 'done', status: { desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 }, says: all },
    { when: 'no node', status: { desiredNumberScheduled: 0 }, says: 'healthy: no pods are wanted' },
    {
      when: 'OnDelete',
      spec: onDelete,
      status: { desiredNumberScheduled: 3 },
      says: 'OnDelete: the update strategy is OnDelete: a pod changes when somebody deletes it',
    },
  ]);

  describeKind('CronJob', cronJobRollout, [
    { when: 'always', says: 'NoRollout: a CronJob has no rollout: its next job uses the new template' },
  ]);
});
