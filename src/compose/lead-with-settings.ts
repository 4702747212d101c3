import type { Settings } from '../config/settings.ts';
import { formatSchedule } from '../core/schedule.ts';
import type { LeaderTerm } from '../operator/leader-work.ts';
import type { LiveSettings } from './live-settings.ts';

/** Leads for the whole term; where a setting changes with which the work begins, the work ends in order and begins anew. */
export async function leadWithSettings(
  term: LeaderTerm,
  live: Pick<LiveSettings, 'onChange'>,
  lead: (term: LeaderTerm) => Promise<void>,
): Promise<void> {
  while (!term.stopping.aborted && !term.lost.aborted) {
    const changed = new AbortController();
    const forget = live.onChange((next, before) => {
      if (startsAnew(next, before)) changed.abort();
    });
    const stopping = AbortSignal.any([term.stopping, changed.signal]);
    try {
      await lead({ stopping, lost: term.lost, assertHeld: () => term.assertHeld() });
    } finally {
      forget();
    }
    if (!changed.signal.aborted) return;
  }
}

function startsAnew(next: Settings, before: Settings): boolean {
  const { polling, controllersEnabled, autorollout } = next;
  return (
    polling.enabled !== before.polling.enabled ||
    polling.intervalMs !== before.polling.intervalMs ||
    controllersEnabled !== before.controllersEnabled ||
    // Whoever sleeps until next year would not hear of tomorrow.
    formatSchedule(autorollout.schedule) !== formatSchedule(before.autorollout.schedule)
  );
}
