import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingLog } from '../../test/fakes/recording.ts';
import type { PushHint } from '../core/push-hint.ts';
import { logDelivery } from './log-delivery.ts';

const web: PushHint = { provider: 'registry', registry: 'registry.example.com', repository: 'shop/web', tag: '1.5.0' };
const image = 'registry.example.com/shop/web:1.5.0';

describe('operator/log-delivery', () => {
  const rows: readonly (readonly [string, PushHint[], taken: number, users: number[], string | undefined])[] = [
    ['somebody uses it', [web], 1, [2], `webhook: ${image}: taken in; managed workloads that use it: 2`],
    ['known already', [web], 0, [2], `webhook: ${image}: nothing new; managed workloads that use it: 2`],
    ['nobody uses it', [web], 0, [0], `webhook: ${image}: no managed workload uses it`],
    ['several', [web, web, web], 2, [2, 1], `webhook: ${image} and 2 more: 2 taken in; managed workloads that use it: 3`],
    ['a name without end is cut', [{ ...web, tag: '1'.repeat(5000) }], 0, [0], undefined],
  ];
  for (const [title, hints, taken, users, message] of rows) {
    it(title, () => {
      const log = new RecordingLog();
      logDelivery(log, hints, taken, users);
      assert.equal(log.lines.length, 1);
      if (message !== undefined) assert.equal(log.lines[0]?.message, message);
      assert.ok((log.lines[0]?.message.length ?? 0) < 500);
    });
  }

  it('says nothing of a delivery without hints', () => {
    const log = new RecordingLog();
    logDelivery(log, [], 0, []);
    assert.deepEqual(log.lines, []);
  });
});
