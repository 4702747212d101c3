/** Whose key it is, and, within that, what it waits for. */
export interface Lane {
  /** Takes turns with other owners. */
  readonly owner: string;
  /** Of one owner: what is slow here holds up nothing else. Takes turns with other parts. */
  readonly part: string;
}

/**
 * Keys that wait, in lanes that take turns: who adds many keys holds up nobody in another lane. Within a lane the first comes first.
 * A lane that is passed over keeps its turn.
 */
export class Lanes<K> {
  /** Owner → part → keys, in the order of their turns. What has no keys is not there. */
  readonly #lanes = new Map<string, Map<string, Set<K>>>();
  readonly #laneOf = new Map<K, Lane>();

  get size(): number {
    return this.#laneOf.size;
  }

  has(key: K): boolean {
    return this.#laneOf.has(key);
  }

  /** Nothing happens when the key waits already. */
  add(key: K, lane: Lane): void {
    if (this.#laneOf.has(key)) return;
    this.#laneOf.set(key, lane);
    const parts = this.#lanes.get(lane.owner) ?? new Map<string, Set<K>>();
    const keys = parts.get(lane.part) ?? new Set<K>();
    keys.add(key);
    parts.set(lane.part, keys);
    this.#lanes.set(lane.owner, parts);
  }

  delete(key: K): void {
    const lane = this.#laneOf.get(key);
    if (lane) this.#remove(key, lane);
  }

  /** The next key of the lane whose turn it is, among those that may go on. */
  take(mayGoOn: (lane: Lane) => boolean): { readonly key: K; readonly lane: Lane } | undefined {
    for (const [owner, parts] of this.#lanes) {
      for (const [part, keys] of parts) {
        const lane = { owner, part };
        const [key] = keys;
        if (key === undefined || !mayGoOn(lane)) continue;
        this.#remove(key, lane);
        moveToEnd(parts, part);
        moveToEnd(this.#lanes, owner);
        return { key, lane };
      }
    }
    return undefined;
  }

  clear(): void {
    this.#lanes.clear();
    this.#laneOf.clear();
  }

  #remove(key: K, { owner, part }: Lane): void {
    this.#laneOf.delete(key);
    const parts = this.#lanes.get(owner);
    const keys = parts?.get(part);
    keys?.delete(key);
    if (keys?.size === 0) parts?.delete(part);
    if (parts?.size === 0) this.#lanes.delete(owner);
  }
}

function moveToEnd<V>(map: Map<string, V>, key: string): void {
  const value = map.get(key);
  if (value === undefined) return;
  map.delete(key);
  map.set(key, value);
}
