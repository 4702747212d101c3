/**
 * Keys that wait, in lanes that take turns: who adds many keys holds up nobody in another lane. Within a lane the first comes first.
 * A lane that is passed over keeps its turn.
 */
export class Lanes<K> {
  /** In the order of their turns. A lane without keys is not there. */
  readonly #lanes = new Map<string, Set<K>>();
  readonly #laneOf = new Map<K, string>();

  get size(): number {
    return this.#laneOf.size;
  }

  has(key: K): boolean {
    return this.#laneOf.has(key);
  }

  /** Nothing happens when the key waits already. */
  add(key: K, lane: string): void {
    if (this.#laneOf.has(key)) return;
    this.#laneOf.set(key, lane);
    const keys = this.#lanes.get(lane);
    if (keys) keys.add(key);
    else this.#lanes.set(lane, new Set([key]));
  }

  delete(key: K): void {
    const lane = this.#laneOf.get(key);
    const keys = lane === undefined ? undefined : this.#lanes.get(lane);
    if (lane === undefined || !keys) return;
    this.#laneOf.delete(key);
    keys.delete(key);
    if (keys.size === 0) this.#lanes.delete(lane);
  }

  /** The next key of the lane whose turn it is, among those that may go on. */
  take(mayGoOn: (lane: string) => boolean): { readonly key: K; readonly lane: string } | undefined {
    for (const [lane, keys] of this.#lanes) {
      if (!mayGoOn(lane)) continue;
      for (const key of keys) {
        keys.delete(key);
        this.#laneOf.delete(key);
        this.#lanes.delete(lane);
        if (keys.size > 0) this.#lanes.set(lane, keys);
        return { key, lane };
      }
    }
    return undefined;
  }

  clear(): void {
    this.#lanes.clear();
    this.#laneOf.clear();
  }
}
