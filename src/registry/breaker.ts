/** Stops calls to an origin that keeps failing: 5 failures in a row open it for 30 s, then one probe decides. */
export interface Breaker {
  /** How long it stays open for sure. */
  leftMs(nowMs: number): number;
  /** 0 = go ahead and report the outcome; otherwise how long to stay away. */
  enter(nowMs: number): number;
  /** True when it was open, and is closed now. */
  succeeded(): boolean;
  /** True when this failure opened it. */
  failed(nowMs: number): boolean;
  /** The call ended without saying anything about the origin. */
  abandoned(): void;
  /** `probing`: the time is over, and one call decides. */
  state(nowMs: number): 'closed' | 'open' | 'probing';
}

export function createBreaker({ failures = 5, openMs = 30_000 }: { failures?: number; openMs?: number } = {}): Breaker {
  let inARow = 0;
  let openUntilMs: number | undefined;
  let probing = false;

  function leftMs(nowMs: number): number {
    if (openUntilMs === undefined) return 0;
    // A clock that was set back must not keep it open for longer.
    openUntilMs = Math.min(openUntilMs, nowMs + openMs);
    return Math.max(0, openUntilMs - nowMs);
  }

  function enter(nowMs: number): number {
    if (openUntilMs === undefined) return 0;
    const left = leftMs(nowMs);
    if (left > 0) return left;
    if (probing) return 1_000;
    probing = true;
    return 0;
  }

  function succeeded(): boolean {
    const wasOpen = openUntilMs !== undefined;
    inARow = 0;
    openUntilMs = undefined;
    probing = false;
    return wasOpen;
  }

  function failed(nowMs: number): boolean {
    inARow++;
    const wasOpen = openUntilMs !== undefined;
    if (inARow >= failures) openUntilMs = nowMs + openMs;
    probing = false;
    return inARow >= failures && !wasOpen;
  }

  function state(nowMs: number): 'closed' | 'open' | 'probing' {
    if (openUntilMs === undefined) return 'closed';
    return leftMs(nowMs) > 0 ? 'open' : 'probing';
  }

  return { leftMs, enter, succeeded, failed, abandoned: () => void (probing = false), state };
}
