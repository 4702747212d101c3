import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aWorkload } from '../../test/builders.ts';
import type { Workload } from '../core/workload.ts';
import type { RestartMark, WorkloadChange } from '../ports.ts';
import { workloadPatch } from './workload-patch.ts';

const at = '2026-01-15T10:00:00Z';
const ours: RestartMark = { annotation: 'kubectl.kubernetes.io/restartedAt', at, fieldManager: 'headwind' };
const theirs: RestartMark = { annotation: 'kube-autorollout/restartedAt', at, fieldManager: 'kube-autorollout' };
const theirsByKubectl: RestartMark = { ...theirs, annotation: 'kubectl.kubernetes.io/restartedAt' };

const metadata = { resourceVersion: '1' };
const marked = (mark: RestartMark) => ({ metadata: { annotations: { [mark.annotation]: at } } });
const image = { spec: { containers: [{ name: 'web', image: 'nginx:1.26' }] } };
const notes = { 'headwind.sh/digests': '{}' };

function aChange({
  images = {},
  ...change
}: Partial<Omit<WorkloadChange, 'images'>> & { images?: Record<string, string> }): WorkloadChange {
  return { annotations: {}, ...change, images: new Map(Object.entries(images)) };
}

const strategic = 'headwind strategic-merge-patch';
const merge = 'kube-autorollout merge-patch';
const table: { title: string; change: WorkloadChange; how: string; body: object }[] = [
  { title: 'nothing', change: aChange({}), how: strategic, body: { metadata } },
  { title: 'an image', change: aChange({ images: { web: 'nginx:1.26' } }), how: strategic, body: { metadata, spec: { template: image } } },
  { title: 'a restart', change: aChange({ restart: ours }), how: strategic, body: { metadata, spec: { template: marked(ours) } } },
  { title: 'a restart by label', change: aChange({ restart: theirs }), how: merge, body: { metadata, spec: { template: marked(theirs) } } },
  {
    title: 'a restart by label with the annotation of kubectl and our notes',
    change: aChange({ restart: theirsByKubectl, annotations: notes }),
    how: merge,
    body: { metadata: { ...metadata, annotations: notes }, spec: { template: marked(theirsByKubectl) } },
  },
  {
    title: 'a restart by label with an image',
    change: aChange({ restart: theirs, images: { web: 'nginx:1.26' }, annotations: notes }),
    how: strategic,
    body: { metadata: { ...metadata, annotations: notes }, spec: { template: { ...marked(theirs), ...image } } },
  },
];

describe('kubernetes/workload-patch', () => {
  for (const { title, change, how, body } of table) {
    it(`${title}: ${how}`, () => {
      const patch = workloadPatch(aWorkload(), change);
      assert.equal(`${patch.fieldManager} ${patch.contentType.replace(/^application\/|\+json$/g, '')}`, how);
      assert.deepEqual(patch.body, body);
    });
  }

  const refused: { title: string; workload: Workload; change: WorkloadChange; says: RegExp }[] = [
    {
      title: 'a restart of a CronJob',
      workload: aWorkload({ kind: 'CronJob', name: 'report' }),
      change: aChange({ restart: ours }),
      says: /^CronJob shop\/report is never restarted: .*its next run pulls the image$/,
    },
    {
      title: 'an image of a container that is not there',
      workload: aWorkload(),
      change: aChange({ images: { api: 'nginx:1.26' }, restart: ours }),
      says: /^Deployment shop\/web has no container api$/,
    },
  ];
  for (const { title, workload, change, says } of refused) {
    it(`${title} is never sent`, () => {
      assert.throws(() => workloadPatch(workload, change), { message: says });
    });
  }
});
