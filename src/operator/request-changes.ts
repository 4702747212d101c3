import type { RequestChanges } from '../ports.ts';

export interface RequestBell extends RequestChanges {
  /** To be called by the watch cache for every added, changed or deleted request. */
  changed(namespace: string, name: string): void;
}

/** Joins the watch cache, which calls `changed`, with those who wait for one request. Holds nothing but the waiters. */
export function createRequestBell(): RequestBell {
  const waiters = new Map<string, Set<() => void>>();

  function next(namespace: string, name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const key = `${namespace}/${name}`;
    return new Promise((resolve) => {
      const mine = waiters.get(key) ?? new Set();
      waiters.set(key, mine.add(wake));
      signal.addEventListener('abort', wake, { once: true });
      function wake(): void {
        signal.removeEventListener('abort', wake);
        mine.delete(wake);
        if (mine.size === 0) waiters.delete(key);
        resolve();
      }
    });
  }

  function changed(namespace: string, name: string): void {
    for (const wake of waiters.get(`${namespace}/${name}`) ?? []) wake();
  }

  return { next, changed };
}
