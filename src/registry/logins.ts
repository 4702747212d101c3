import { LRUCache } from 'lru-cache';
import { atMost } from '../core/at-most.ts';
import type { Clock } from '../ports.ts';
import { createSlots, type Slots } from './slots.ts';

/**
 * Keeps accounts from being locked: some registries do that after a handful of refused logins.
 * A refused credential rests, and one that was never accepted is tried by one call at a time.
 */
export interface Logins {
  /** Undefined while the credential rests. Rejects with the signal's reason. */
  begin(origin: string, fingerprint: string, signal: AbortSignal): Promise<Login | undefined>;
}

export interface Login {
  end(outcome: 'accepted' | 'refused' | 'unknown'): void;
}

interface State {
  readonly slots: Slots;
  isAccepted: boolean;
  restMs: number;
  restsUntilMs: number;
}

const firstRestMs = 5 * 60_000;
const longestRestMs = 3_600_000;

export function createLogins(clock: Clock): Logins {
  const states = new LRUCache<string, State>(atMost(5_000));

  function stateOf(key: string): State {
    const state = states.get(key) ?? { slots: createSlots(1), isAccepted: false, restMs: 0, restsUntilMs: 0 };
    states.set(key, state);
    return state;
  }

  async function begin(origin: string, fingerprint: string, signal: AbortSignal): Promise<Login | undefined> {
    const state = stateOf(`${origin} ${fingerprint}`);
    const giveBack = state.isAccepted ? undefined : await state.slots.acquire('', signal);
    if (state.restsUntilMs > clock.now()) {
      giveBack?.();
      return undefined;
    }
    return {
      end(outcome) {
        if (outcome === 'accepted') Object.assign(state, { isAccepted: true, restMs: 0, restsUntilMs: 0 });
        if (outcome === 'refused') rest(state);
        giveBack?.();
      },
    };
  }

  function rest(state: State): void {
    state.isAccepted = false;
    if (state.restsUntilMs > clock.now()) return;
    state.restMs = state.restMs === 0 ? firstRestMs : Math.min(longestRestMs, state.restMs * 2);
    state.restsUntilMs = clock.now() + state.restMs;
  }

  return { begin };
}
