import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWorkloadKind } from './workload-kind.ts';

const table: readonly (readonly [text: string, kind: string | undefined])[] = [
  ['Deployment', 'Deployment'],
  ['deployments', 'Deployment'],
  ['DEPLOY', 'Deployment'],
  ['sts', 'StatefulSet'],
  ['StatefulSets', 'StatefulSet'],
  ['ds', 'DaemonSet'],
  ['daemonset', 'DaemonSet'],
  ['cj', 'CronJob'],
  [' cronjob ', 'CronJob'],
  ['pod', undefined],
  ['', undefined],
  ['constructor', undefined],
];

describe('core/workload-kind', () => {
  for (const [text, kind] of table) {
    it(`"${text}" is ${kind ?? 'no kind'}`, () => assert.equal(readWorkloadKind(text), kind));
  }
});
