/** A token bucket whose rate halves when the other side complains and recovers with every good answer. */
export interface Rate {
  /** Takes a token; gives how long to wait until it counts. */
  take(nowMs: number): number;
  slowDown(): void;
  speedUp(): void;
  /** Another full rate, from now on; what was used up stays used up. */
  configure(perSecond: number, burst: number): void;
  /** Which part of the full rate is used now. */
  readonly share: number;
}

const slowestShare = 1 / 64;
const recovery = 1.05;

export function createRate(initialPerSecond: number, initialBurst: number): Rate {
  let [perSecond, burst] = [initialPerSecond, initialBurst];
  let tokens = burst;
  let share = 1;
  let filledAtMs: number | undefined;

  function take(nowMs: number): number {
    // A clock that was set back must not empty the bucket.
    const elapsedMs = Math.max(0, nowMs - (filledAtMs ?? nowMs));
    filledAtMs = nowMs;
    const perMs = (perSecond * share) / 1000;
    tokens = Math.min(burst, tokens + elapsedMs * perMs) - 1;
    return tokens >= 0 ? 0 : Math.ceil(-tokens / perMs);
  }

  return {
    take,
    slowDown: () => {
      share = Math.max(slowestShare, share / 2);
      tokens = Math.min(tokens, 0);
    },
    speedUp: () => {
      share = Math.min(1, share * recovery);
    },
    configure(wantedPerSecond, wantedBurst) {
      [perSecond, burst] = [wantedPerSecond, wantedBurst];
      tokens = Math.min(tokens, burst);
    },
    get share() {
      return share;
    },
  };
}
