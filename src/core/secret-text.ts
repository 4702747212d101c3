/** Where `util.inspect` asks an object how it wants to be shown. */
const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

/** A secret on its way from the configuration to the one place that sends it. Prints as `[redacted]` everywhere. */
export class SecretText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspectCustom](): string {
    return '[redacted]';
  }
}
