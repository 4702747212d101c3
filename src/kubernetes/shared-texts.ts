/**
 * One copy of each text that many objects have in common (images, namespaces, service accounts).
 * The answers of the API server are parsed one by one, and each parse makes its own copies.
 */
export class SharedTexts {
  readonly #texts = new Map<string, string>();
  readonly #most: number;

  constructor(most = 20_000) {
    this.#most = most;
  }

  /** The same text, as the copy that was seen first. */
  share(text: string): string {
    const shared = this.#texts.get(text);
    if (shared !== undefined) return shared;
    // Starting again costs some sharing; a table that only grows would cost more.
    if (this.#texts.size >= this.#most) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}
