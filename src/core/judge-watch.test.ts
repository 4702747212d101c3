import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import type { DigestComparison } from './compare-digests.ts';
import { judgeWatch, type PodsAnswer } from './judge-watch.ts';
import { readSettings } from './settings.ts';
import type { Rollout, Workload } from './workload.ts';

const appliedAt = '2026-01-15T10:00:00Z';
const request = anUpdateRequest({
  metadata: { name: 'web-latest' },
  spec: { currentImage: 'nginx', newImage: 'nginx', newDigest: 'sha256:new', containerName: 'web' },
});
const settled: Rollout = { settled: true, healthy: true, message: 'all is well' };
const running: Rollout = { settled: false, healthy: false, message: '1 of 2 pods are updated' };

function applied(overrides: Partial<Workload> = {}, entry: object = {}): Workload {
  const history = [{ container: 'web', image: 'nginx', timestamp: appliedAt, updateRequestName: 'web-latest', ...entry }];
  return aWorkload({
    annotations: { 'headwind.sh/policy': 'digest', 'headwind.sh/update-history': JSON.stringify(history) },
    slots: [{ container: 'web', init: false, image: 'nginx' }],
    rollout: settled,
    ...overrides,
  });
}

const pods = (outcome: DigestComparison['outcome']): PodsAnswer => ({ outcome, running: 'sha256:old', missing: [] });
const unseen: PodsAnswer = { unobservable: 'pods is forbidden' };

const rows: readonly (readonly [string, Workload | undefined, PodsAnswer | undefined, string, string])[] = [
  // title, workload, pods, minutes:seconds since the patch, step
  ['the rollout goes on', applied({ rollout: running }), undefined, '01:00', 'watch until 05:00'],
  ['it goes on for too long', applied({ rollout: running }), undefined, '05:00', 'unhealthy RolloutTimeout'],
  ['the controller gave up', applied({ rollout: { ...running, failed: true } }), undefined, '00:10', 'unhealthy RolloutTimeout'],
  ['it is over: the pods are asked', applied(), undefined, '01:00', 'observe'],
  ['the pods run it', applied(), pods('same'), '01:00', 'healthy'],
  [
    'the pods run it and are not available',
    applied({ rollout: { ...settled, healthy: false } }),
    pods('same'),
    '01:00',
    'watch until 05:00',
  ],
  ['they never become available', applied({ rollout: { ...settled, healthy: false } }), pods('same'), '05:00', 'unhealthy RolloutTimeout'],
  ['the pods run something else', applied(), pods('changed'), '01:00', 'unhealthy DigestMismatch'],
  ['a pod still starts', applied(), pods('starting'), '01:00', 'watch until 01:10'],
  ['a pod starts for ever', applied(), pods('starting'), '05:00', 'unhealthy RolloutTimeout'],
  ['nobody can tell what runs', applied(), pods('unknown'), '01:00', 'unwatched CannotObserve'],
  ['the pods may not be read', applied(), unseen, '01:00', 'unwatched CannotObserve'],
  ['nothing is wanted any more', applied({ wantsNoPods: true }), undefined, '01:00', 'healthy'],
  ['a CronJob', applied({ kind: 'CronJob', rollout: { ...settled, unwatched: 'NoRollout' } }), undefined, '00:00', 'unwatched NoRollout'],
  ['OnDelete', applied({ rollout: { ...settled, unwatched: 'OnDelete' } }), undefined, '00:00', 'unwatched OnDelete'],
  [
    'somebody set another image',
    applied({ slots: [{ container: 'web', init: false, image: 'nginx:2' }] }),
    undefined,
    '01:00',
    'unwatched ChangedByOthers',
  ],
  ['another change came after it', applied({}, { updateRequestName: 'other' }), undefined, '01:00', 'unwatched ChangedByOthers'],
  ['the workload is gone', undefined, undefined, '01:00', 'unwatched ChangedByOthers'],
  ['another object has its name', applied({ uid: 'another' }), undefined, '01:00', 'unwatched ChangedByOthers'],
];

describe('core/judge-watch', () => {
  for (const [title, workload, answer, after, step] of rows) {
    it(`${title} (${after}): ${step}`, () => {
      const now = Date.parse(appliedAt) + seconds(after) * 1000;
      const settings = workload && readSettings(workload.annotations, ['web']);
      const found = judgeWatch({ request, workload, settings, pods: answer, now });
      assert.equal(describeStep(found), step);
    });
  }
});

function seconds(text: string): number {
  const [minutes = '0', rest = '0'] = text.split(':');
  return Number(minutes) * 60 + Number(rest);
}

function describeStep(step: ReturnType<typeof judgeWatch>): string {
  if (step.kind === 'watch') return `watch until ${new Date(step.wakeAtMs).toISOString().slice(14, 19)}`;
  return 'reason' in step ? `${step.kind} ${step.reason}` : step.kind;
}
