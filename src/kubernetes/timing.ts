/** Monotonic time and waiting, as a port: tests advance it by hand. */
export interface Timing {
  /** Monotonic milliseconds. */
  now(): number;
  /** Resolves after `ms`, or when the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realTiming: Timing = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
      function end() {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      }
    }),
};

/** Runs a call with a signal that aborts after `limitMs` or with `outer`, and gives up waiting for it then. */
export async function within<T>(timing: Timing, limitMs: number, outer: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const done = new AbortController();
  const stop = () => controller.abort(outer.reason);
  outer.addEventListener('abort', stop, { once: true });
  if (outer.aborted) stop();
  const expire = async () => {
    await timing.sleep(limitMs, done.signal);
    if (!done.signal.aborted) controller.abort(new Error(`no answer within ${Math.ceil(limitMs)} ms`));
  };
  const limit = expire();
  try {
    return await Promise.race([run(controller.signal), failWhenAborted(controller.signal)]);
  } finally {
    outer.removeEventListener('abort', stop);
    done.abort();
    await limit;
  }
}

async function failWhenAborted(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw new Error('given up', { cause: signal.reason });
}
