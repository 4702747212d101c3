/** A time limit joined with the caller's signal; `end` must be called. */
export interface Deadline {
  readonly signal: AbortSignal;
  isOver(): boolean;
  end(): void;
}

/** Starts the clock. */
export function startDeadline(ms: number, outer: AbortSignal): Deadline {
  const controller = new AbortController();
  let isOver = false;
  const abort = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort(new Error('this took too long'));
  }, ms);
  outer.addEventListener('abort', abort, { once: true });
  if (outer.aborted) abort();
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}
