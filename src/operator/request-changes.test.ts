import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequestBell } from './request-changes.ts';

describe('operator/request-changes', () => {
  it('wakes every waiter of the changed request and nobody else', async () => {
    const bell = createRequestBell();
    const woken: string[] = [];
    const never = new AbortController();
    const first = bell.next('shop', 'web', never.signal).then(() => woken.push('first'));
    const second = bell.next('shop', 'web', never.signal).then(() => woken.push('second'));
    const other = bell.next('shop', 'other', never.signal).then(() => woken.push('other'));
    bell.changed('shop', 'web');
    await Promise.all([first, second]);
    assert.deepEqual(woken, ['first', 'second']);
    never.abort();
    await other;
  });

  it('resolves when the signal aborts, before or while waiting', async () => {
    const bell = createRequestBell();
    await bell.next('shop', 'web', AbortSignal.abort());
    const stop = new AbortController();
    const waiting = bell.next('shop', 'web', stop.signal);
    stop.abort();
    await waiting;
    bell.changed('shop', 'web');
  });

  it('does not deliver a change that came before the wait', async () => {
    const bell = createRequestBell();
    bell.changed('shop', 'web');
    const stop = new AbortController();
    let woken = false;
    const waiting = bell.next('shop', 'web', stop.signal).then(() => (woken = true));
    await Promise.resolve();
    assert.equal(woken, false);
    stop.abort();
    await waiting;
  });
});
