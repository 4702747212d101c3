/** A limited number of places. Waiters come in turns by lane, so that one lane with many waiters does not hold up the others. */
export interface Slots {
  /** Resolves with the function that gives the place back; rejects with the signal's reason. */
  acquire(lane: string, signal: AbortSignal): Promise<() => void>;
  /** Another number of places; whoever holds one keeps it. */
  resize(size: number): void;
  readonly inUse: number;
  readonly waiting: number;
}

type Waiter = () => void;

export function createSlots(initialSize: number): Slots {
  /** In insertion order: whose turn it is stands first. */
  const lanes = new Map<string, Set<Waiter>>();
  let size = initialSize;
  let inUse = 0;

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

  function letIn(): void {
    while (inUse < size) {
      const waiter = next();
      if (!waiter) return;
      inUse++;
      waiter();
    }
  }

  function giveBack(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      inUse--;
      letIn();
    };
  }

  async function acquire(lane: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (inUse < size) {
      inUse++;
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

  return {
    acquire,
    resize(wanted) {
      size = wanted;
      letIn();
    },
    get inUse() {
      return inUse;
    },
    get waiting() {
      let waiting = 0;
      for (const waiters of lanes.values()) waiting += waiters.size;
      return waiting;
    },
  };
}
