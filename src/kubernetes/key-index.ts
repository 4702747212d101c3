/** Which keys have a word: image repository → workloads, target → requests. */
export class KeyIndex {
  /** A single key stands for itself: most words have one, and a set is ten times its size. */
  readonly #keys = new Map<string, string | Set<string>>();

  /** A copy: a reader that waits in between would meet keys that moved again and again. */
  keysOf(word: string): readonly string[] {
    const keys = this.#keys.get(word) ?? [];
    return typeof keys === 'string' ? [keys] : [...keys];
  }

  /** The words of this key were `before` and are `after`. */
  move(key: string, before: Iterable<string>, after: Iterable<string>): void {
    for (const word of before) this.#remove(word, key);
    for (const word of after) this.#add(word, key);
  }

  #add(word: string, key: string): void {
    const keys = this.#keys.get(word);
    if (keys === undefined) this.#keys.set(word, key);
    else if (typeof keys !== 'string') keys.add(key);
    else if (keys !== key) this.#keys.set(word, new Set([keys, key]));
  }

  #remove(word: string, key: string): void {
    const keys = this.#keys.get(word);
    if (keys === key) this.#keys.delete(word);
    else if (typeof keys === 'object' && keys.delete(key) && keys.size === 0) this.#keys.delete(word);
  }
}
