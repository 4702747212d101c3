import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RecordingLog } from '../../test/fakes/recording.ts';
import type { PushHint } from '../core/push-hint.ts';
import { DeliveryLog } from './log-delivery.ts';

const web: PushHint = { provider: 'registry', registry: 'registry.example.com', repository: 'shop/web', tag: '1.5.0' };
const image = 'registry.example.com/shop/web:1.5.0';

interface Told {
  readonly log: RecordingLog;
  readonly deliveries: DeliveryLog;
}

/** At a time that only the test moves, timers included. */
function start(t: TestContext): Told {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const log = new RecordingLog();
  const deliveries = new DeliveryLog({ log, clock: { now: () => Date.now() } });
  t.after(() => deliveries.flush());
  return { log, deliveries };
}

function tell({ deliveries }: Told, count: number, users = 1): void {
  for (let index = 0; index < count; index++) deliveries.told({ hints: [web], taken: users, users: [users] });
}

describe('operator/log-delivery', () => {
  const rows: readonly (readonly [string, PushHint[], taken: number, users: number[], string | undefined])[] = [
    ['somebody uses it', [web], 1, [2], `webhook: ${image}: taken in; managed workloads that use it: 2`],
    ['known already', [web], 0, [2], `webhook: ${image}: nothing new; managed workloads that use it: 2`],
    ['nobody uses it', [web], 0, [0], `webhook: ${image}: no managed workload uses it`],
    ['several', [web, web, web], 2, [2, 1], `webhook: ${image} and 2 more: 2 taken in; managed workloads that use it: 3`],
    ['a name without end is cut', [{ ...web, tag: '1'.repeat(5000) }], 0, [0], undefined],
  ];
  for (const [title, hints, taken, users, message] of rows) {
    it(title, (t) => {
      const { log, deliveries } = start(t);
      deliveries.told({ hints, taken, users });
      assert.equal(log.lines.length, 1);
      if (message !== undefined) assert.equal(log.lines[0]?.message, message);
      assert.ok((log.lines[0]?.message.length ?? 0) < 500);
    });
  }

  it('says nothing of a delivery without hints', (t) => {
    const { log, deliveries } = start(t);
    deliveries.told({ hints: [], taken: 0, users: [] });
    assert.deepEqual(log.lines, []);
  });

  it('after twenty in a second, one line for all others when it is over', (t) => {
    const told = start(t);
    tell(told, 1_000);
    tell(told, 30, 0);
    assert.equal(told.log.lines.length, 20);
    t.mock.timers.tick(1_000);
    assert.deepEqual(told.log.lines.slice(20), [
      {
        level: 'info',
        fields: { deliveries: 1_010, hints: 1_010, taken: 980, unused: 30 },
        message: 'webhooks: 1010 more in this second, with 1010 hints: 980 taken in; no managed workload uses the images of 30',
      },
    ]);
  });

  it('each second has its own twenty lines, and no line where there is nothing more to say', (t) => {
    const told = start(t);
    for (let second = 0; second < 3; second++) {
      tell(told, 20);
      t.mock.timers.tick(1_000);
    }
    assert.equal(told.log.lines.length, 60);
  });

  it('a new second writes what the one before has left, though no timer has come', (t) => {
    const log = new RecordingLog();
    const clock = { now: () => now };
    let now = 0;
    const deliveries = new DeliveryLog({ log, clock });
    t.after(() => deliveries.flush());
    tell({ log, deliveries }, 25);
    now = 1_500;
    tell({ log, deliveries }, 1);
    assert.deepEqual(
      log.lines.map(({ fields }) => ('deliveries' in fields ? fields.deliveries : 1)),
      [...Array.from({ length: 20 }, () => 1), 5, 1],
    );
  });
});
