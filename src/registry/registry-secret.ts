import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/** What a credential consists of. */
export type SecretContent =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token for the OAuth2 flow. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

const redacted = '[redacted]';

/** Holds a credential so that it cannot be printed by accident: JSON, `inspect` and text show `[redacted]`. */
export class RegistrySecret {
  readonly #content: SecretContent;
  /** A keyed hash: equal for equal credentials, useless outside this process. */
  readonly fingerprint: string;

  constructor(content: SecretContent, key: Buffer) {
    this.#content = content;
    this.fingerprint = fingerprintOf(content, key);
  }

  get kind(): SecretContent['kind'] {
    return this.#content.kind;
  }

  /** The credential itself: for the line that writes it into a request, and for nothing else. */
  reveal(): SecretContent {
    return this.#content;
  }

  toJSON(): string {
    return redacted;
  }

  toString(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

function fingerprintOf(content: SecretContent, key: Buffer): string {
  const [user, secret] =
    content.kind === 'anonymous' ? ['', ''] : content.kind === 'basic' ? [content.username, content.password] : ['', content.token];
  return createHmac('sha256', key).update(`${content.kind}\0${user}\0${secret}`).digest('base64url');
}
