export interface Sighting {
  readonly key: string;
  /** Undefined stands for "deleted by us". */
  readonly version: string | undefined;
  readonly uid: string;
}

interface Expected {
  readonly version: string | undefined;
  readonly uid: string;
  readonly timer: NodeJS.Timeout;
}

/** So many events are remembered, in case one overtakes the answer to the write that caused it. */
const remembered = 1024;

/**
 * Own writes that the watch has not confirmed yet. Versions are only compared for equality, so until the event with exactly the version of
 * the write arrives, other events of the key are taken for older ones. A deletion of the same object (uid) is always newer than a write to it;
 * a deletion of another uid is that of its predecessor and older. What is not confirmed in time is reported as lost: the caller lists again.
 */
export class OwnWrites {
  readonly #expected = new Map<string, Expected>();
  readonly #seen = new Set<string>();
  readonly #limitMs: number;
  readonly #onLost: (key: string) => void;

  constructor(limitMs: number, onLost: (key: string) => void) {
    this.#limitMs = limitMs;
    this.#onLost = onLost;
  }

  has(key: string): boolean {
    return this.#expected.has(key);
  }

  /** False when the event for this write came before its answer: the store is at it, or beyond. */
  expect({ key, version, uid }: Sighting): boolean {
    if (this.#seen.has(version === undefined ? `${key} deleted ${uid}` : `${key} ${version}`)) return false;
    this.#forget(key);
    const timer = setTimeout(() => {
      this.#forget(key);
      this.#onLost(key);
    }, this.#limitMs);
    timer.unref();
    this.#expected.set(key, { version, uid, timer });
    return true;
  }

  /** May this event change the store? */
  admits(type: 'put' | 'delete', { key, version, uid }: Sighting): boolean {
    this.#remember(type === 'delete' ? `${key} deleted ${uid}` : `${key} ${version ?? ''}`);
    const own = this.#expected.get(key);
    if (own === undefined) return true;
    const isSameObject = own.uid === uid;
    const wasDeletedByUs = own.version === undefined;
    const isNewer = type === 'delete' ? isSameObject : wasDeletedByUs ? !isSameObject : version === own.version;
    if (isNewer) this.#forget(key);
    return isNewer;
  }

  forgetAll(): void {
    for (const key of this.#expected.keys()) this.#forget(key);
  }

  #forget(key: string): void {
    clearTimeout(this.#expected.get(key)?.timer);
    this.#expected.delete(key);
  }

  #remember(sighting: string): void {
    this.#seen.add(sighting);
    if (this.#seen.size <= remembered) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
