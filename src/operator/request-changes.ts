import type { UpdateRequest } from '../core/update-request-schema.ts';
import type { RequestChanges, UpdateRequests } from '../ports.ts';

export interface RequestRef {
  readonly namespace: string;
  readonly name: string;
}

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

/** The cached request as soon as `isDone`, or as it is after `waitMs` or when `signal` aborts; undefined once it is gone. */
export async function waitForRequest(
  deps: { readonly requests: Pick<UpdateRequests, 'get'>; readonly changes: RequestChanges },
  { namespace, name }: RequestRef,
  waitMs: number,
  signal: AbortSignal,
  isDone: (request: UpdateRequest) => boolean,
): Promise<UpdateRequest | undefined> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  const timer = setTimeout(abort, waitMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const request = deps.requests.get(namespace, name);
      if (!request || isDone(request) || waitMs <= 0 || stop.signal.aborted || signal.aborted) return request;
      await deps.changes.next(namespace, name, stop.signal);
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
