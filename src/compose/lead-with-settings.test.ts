import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Settings } from '../config/settings.ts';
import { settingsOf } from '../config/settings.ts';
import { leadWithSettings } from './lead-with-settings.ts';

async function someSettings(polling: Settings['polling'], controllersEnabled = true): Promise<Settings> {
  const base = { logLevel: 'info', controllersEnabled, polling, requests: { expiryMs: 1, retentionMs: 1 } } as const;
  const result = await settingsOf({ base, layers: [], read: () => ({ problem: '', missing: true }), systemRoots: [] });
  return 'settings' in result ? result.settings : assert.fail();
}

function withSchedule(settings: Settings): Settings {
  return { ...settings, autorollout: { ...settings.autorollout, schedule: { kind: 'interval', everyMs: 45_000 } } };
}

const off = { enabled: false, intervalMs: 60_000 };

const changes: readonly [title: string, next: () => Promise<Settings>, terms: number][] = [
  ['polling is switched on', () => someSettings({ ...off, enabled: true }), 2],
  ['the interval changes', () => someSettings({ ...off, intervalMs: 1000 }), 2],
  ['nothing is to be decided any more', () => someSettings(off, false), 2],
  ['the schedule changes', async () => withSchedule(await someSettings(off)), 2],
  ['something else changes', async () => ({ ...(await someSettings(off)), logLevel: 'debug' }), 1],
];

describe('compose/lead-with-settings', () => {
  for (const [title, next, terms] of changes) {
    it(`${title}: the work begins ${terms === 2 ? 'anew' : 'once'}, in one and the same term`, async () => {
      const before = await someSettings(off);
      const listeners = new Set<(next: Settings, before: Settings) => void>();
      const live = {
        onChange: (listener: (next: Settings, before: Settings) => void) => (listeners.add(listener), () => listeners.delete(listener)),
      };
      const stop = new AbortController();
      const term = { stopping: stop.signal, lost: new AbortController().signal, assertHeld: () => undefined };
      let begun = 0;
      let ended = 0;
      const leading = leadWithSettings(term, live, async ({ stopping }) => {
        begun++;
        await new Promise((resolve) => stopping.addEventListener('abort', resolve, { once: true }));
        ended++;
      });
      const after = await next();
      for (const listener of listeners) listener(after, before);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([begun, ended], [terms, terms - 1]);
      stop.abort();
      await leading;
      assert.deepEqual([begun, ended, listeners.size], [terms, terms, 0]);
    });
  }
});
