import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { RecordingLog } from '../../test/fakes/recording.ts';
import { collectorOf, giveBackWhenIdle } from './idle-memory.ts';

const mebibyte = 1024 * 1024;

/** A process whose memory and load the test sets; a collection brings it back to 80 MiB. */
function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  const process = { resident: 100 * mebibyte, busy: 0, collections: 0 };
  const collect = () => {
    process.collections++;
    process.resident = 80 * mebibyte;
  };
  const stop = new AbortController();
  const ended = giveBackWhenIdle(
    { collect, log: new RecordingLog(), busy: () => process.busy, residentBytes: () => process.resident, everyMs: 5_000 },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await ended;
  });
  // A quarter of a second behind each check, when what it decided is done.
  let isFirst = true;
  const after = (checks: number): number => {
    for (let check = 0; check < checks; check++) {
      t.mock.timers.tick(isFirst ? 5_000 : 4_750);
      t.mock.timers.tick(250);
      isFirst = false;
    }
    return process.collections;
  };
  return { process, after, stop, ended };
}

describe('telemetry/idle-memory', () => {
  it('collects when nothing happens, and not again while nothing has grown', (t) => {
    const { after } = start(t);
    assert.equal(after(1), 1);
    assert.equal(after(100), 1);
  });

  it('waits until the work is done', (t) => {
    const { process, after } = start(t);
    process.busy = 0.3;
    assert.equal(after(20), 0);
    process.busy = 0.01;
    assert.equal(after(1), 1);
  });

  it('does not collect when work has begun in the last moment', (t) => {
    const { process, after } = start(t);
    const calm = [0, 0.9];
    Object.defineProperty(process, 'busy', { get: () => calm.shift() ?? 0.9 });
    assert.equal(after(3), 0);
  });

  it('collects again after the next burst, but not for a little', (t) => {
    const { process, after } = start(t);
    assert.equal(after(20), 1);
    process.resident += mebibyte;
    assert.equal(after(20), 1);
    process.resident += 20 * mebibyte;
    assert.equal(after(1), 2);
  });

  it('a collection that gives nothing back is not repeated for a minute', (t) => {
    const { process, after } = start(t);
    process.resident = 80 * mebibyte;
    assert.equal(after(1), 1);
    process.resident = 90 * mebibyte;
    assert.equal(after(11), 1);
    assert.equal(after(1), 2);
  });

  it('ends with the signal', async (t) => {
    const { stop, ended, after } = start(t);
    stop.abort();
    await ended;
    assert.equal(after(10), 0);
  });

  it('does nothing where the collector is not exposed', async () => {
    const { signal } = new AbortController();
    await giveBackWhenIdle({ collect: collectorOf(undefined), log: new RecordingLog() }, signal);
  });

  it('asks for the collection that gives memory back', () => {
    const asked: unknown[] = [];
    collectorOf((options: unknown) => asked.push(options))?.();
    assert.deepEqual(asked, [{ type: 'major', execution: 'sync', flavor: 'last-resort' }]);
  });
});
