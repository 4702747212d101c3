/** A limited number of places. Waiters come in turns by lane, so that one lane with many waiters does not hold up the others. */
export interface Slots {
  /** Resolves with the function that gives the place back; rejects with the signal's reason. */
  acquire(lane: string, signal: AbortSignal): Promise<() => void>;
}

type Waiter = () => void;

export function createSlots(size: number): Slots {
  /** In insertion order: whose turn it is stands first. */
  const lanes = new Map<string, Set<Waiter>>();
  let free = size;

  function next(): Waiter | undefined {
    const [turn] = lanes;
    if (!turn) return undefined;
    const [lane, waiters] = turn;
    const [waiter] = waiters;
    lanes.delete(lane);
    if (!waiter) return next();
    waiters.delete(waiter);
    if (waiters.size > 0) lanes.set(lane, waiters);
    return waiter;
  }

  function giveBack(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const waiter = next();
      if (waiter) waiter();
      else free++;
    };
  }

  async function acquire(lane: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (free > 0) {
      free--;
      return giveBack();
    }
    await new Promise<void>((resolve, reject) => {
      const waiters = lanes.get(lane) ?? new Set<Waiter>();
      lanes.set(lane, waiters);
      const waiter = (): void => {
        signal.removeEventListener('abort', abandon);
        resolve();
      };
      function abandon(): void {
        waiters.delete(waiter);
        if (waiters.size === 0 && lanes.get(lane) === waiters) lanes.delete(lane);
        reject(signal.reason);
      }
      waiters.add(waiter);
      signal.addEventListener('abort', abandon, { once: true });
    });
    return giveBack();
  }

  return { acquire };
}
