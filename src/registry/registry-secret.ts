import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';

/** A credential that can be written into a request. */
export type PlainContent =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token for the OAuth2 flow. */
  | { readonly kind: 'identity'; readonly token: string }
  /** Sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string };

/** A credential that somebody else gives (cloud, program) when it is tried. */
export interface FetchedContent {
  readonly kind: 'fetched';
  /** What it is the credential of: equal for equal rights, whatever the secret is just now. */
  readonly identity: string;
  /** Never for a registry that speaks plain HTTP. */
  readonly needsTls: boolean;
  readonly fetch: FetchSecrets;
}

/** What a credential consists of. */
export type SecretContent = PlainContent | FetchedContent;

/** Gives the secrets to try. `refused`: those given last were refused, so that kept ones are of no use. Rejects with the signal's reason only. */
export type FetchSecrets = (signal: AbortSignal, options: { readonly refused: boolean }) => Promise<Fetched>;

export type Fetched =
  /** `isFresh`: asking again at once would give nothing better. */
  | { readonly secrets: readonly RegistrySecret<PlainContent>[]; readonly isFresh: boolean }
  /** Why there is none, as the end of a sentence; quotes no secret. `isExpected`: nobody asked for this identity by name. */
  | { readonly unavailable: string; readonly isExpected: boolean };

const redacted = '[redacted]';

/** Holds a credential so that it cannot be printed by accident: JSON, `inspect` and text show `[redacted]`. */
export class RegistrySecret<Content extends SecretContent = SecretContent> {
  readonly #content: Content;
  /** A keyed hash: equal for equal credentials, useless outside this process. */
  readonly fingerprint: string;

  constructor(content: Content, key: Buffer) {
    this.#content = content;
    this.fingerprint = fingerprintOf(content, key);
  }

  get kind(): Content['kind'] {
    return this.#content.kind;
  }

  /** The credential itself: for the line that writes it into a request, and for nothing else. */
  reveal(): Content {
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

/** Content that is looked at again and again is the same object: of an anonymous look always, of a pull secret as long as it is kept. */
const fingerprints = new WeakMap<Buffer, WeakMap<SecretContent, string>>();

function fingerprintOf(content: SecretContent, key: Buffer): string {
  const known = fingerprints.get(key) ?? new WeakMap<SecretContent, string>();
  fingerprints.set(key, known);
  const before = known.get(content);
  if (before !== undefined) return before;
  const [user, secret] = partsOf(content);
  const fingerprint = createHmac('sha256', key).update(`${content.kind}\0${user}\0${secret}`).digest('base64url');
  known.set(content, fingerprint);
  return fingerprint;
}

function partsOf(content: SecretContent): readonly [user: string, secret: string] {
  switch (content.kind) {
    case 'anonymous':
      return ['', ''];
    case 'basic':
      return [content.username, content.password];
    case 'fetched':
      return ['', content.identity];
    default:
      return ['', content.token];
  }
}
