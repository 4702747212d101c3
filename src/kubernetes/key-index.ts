/** Which keys have a word: image repository → workloads, target → requests. */
export class KeyIndex {
  readonly #keys = new Map<string, Set<string>>();

  /** A copy: a reader that waits in between would meet keys that moved again and again. */
  keysOf(word: string): readonly string[] {
    return [...(this.#keys.get(word) ?? [])];
  }

  /** The words of this key were `before` and are `after`. */
  move(key: string, before: Iterable<string>, after: Iterable<string>): void {
    for (const word of before) this.#remove(word, key);
    for (const word of after) {
      const keys = this.#keys.get(word);
      if (keys) keys.add(key);
      else this.#keys.set(word, new Set([key]));
    }
  }

  #remove(word: string, key: string): void {
    const keys = this.#keys.get(word);
    if (keys?.delete(key) === true && keys.size === 0) this.#keys.delete(word);
  }
}
