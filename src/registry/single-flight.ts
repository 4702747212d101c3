/** Calls with the same key share one run. It ends early only when all of its callers have given up. */
export interface SingleFlight<Value> {
  run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Value>): Promise<Value>;
  /** Ends what is under way. */
  abort(reason: Error): void;
}

interface Flight<Value> {
  readonly result: Promise<Value>;
  readonly controller: AbortController;
  callers: number;
}

/** `joined` is told whenever a call found a run under way. */
export function createSingleFlight<Value>(joined: () => void): SingleFlight<Value> {
  const flights = new Map<string, Flight<Value>>();

  function launch(key: string, start: (signal: AbortSignal) => Promise<Value>): Flight<Value> {
    const controller = new AbortController();
    const flight: Flight<Value> = { controller, callers: 0, result: start(controller.signal).finally(() => land(key, flight)) };
    // Everybody may have left before it fails.
    flight.result.catch(() => undefined);
    flights.set(key, flight);
    return flight;
  }

  function land(key: string, flight: Flight<Value>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  async function run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    signal.throwIfAborted();
    const known = flights.get(key);
    if (known) joined();
    const flight = known ?? launch(key, start);
    flight.callers++;
    const { promise: given, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      reject(signal.reason);
      if (--flight.callers > 0) return;
      land(key, flight);
      flight.controller.abort(signal.reason);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([flight.result, given]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  function abort(reason: Error): void {
    for (const { controller } of flights.values()) controller.abort(reason);
  }

  return { run, abort };
}
