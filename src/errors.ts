/** What the caller should do after a failure: try again with growing delays, not at all, or after exactly so long. */
export type Retry = 'backoff' | 'never' | { afterMs: number };

/** An expected failure of the outside world. Anything else that throws is a bug. */
export abstract class OperatorError extends Error {
  abstract readonly code: string;
  abstract readonly retry: Retry;
}

/** The Kubernetes API server answered with an error, or (status 0) did not answer at all. */
export class ApiError extends OperatorError {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** `Status.reason` of the answer, for example `Conflict`, `Forbidden`, `NotFound`; empty when there was none. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, reason: string, message: string, options: { retryAfterMs?: number | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = options.retryAfterMs;
  }

  get code(): string {
    return this.reason || (this.status === 0 ? 'Unreachable' : `Http${this.status}`);
  }

  get retry(): Retry {
    return this.retryAfterMs === undefined ? 'backoff' : { afterMs: this.retryAfterMs };
  }

  /** The object changed since it was read, or exists already: read again and decide again. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  /** The server understood and refuses (validation, admission, rights); trying again changes nothing. */
  get isRefusal(): boolean {
    return this.status === 400 || this.status === 403 || this.status === 405 || this.status === 413 || this.status === 422;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
}

/** The closed set of ways in which a registry call can fail. */
export type RegistryErrorCode =
  | 'Unauthorized'
  | 'Denied'
  | 'NotFound'
  | 'RateLimited'
  | 'Unavailable'
  | 'Timeout'
  | 'TooLarge'
  | 'DigestMismatch'
  | 'Unsupported'
  | 'Blocked'
  | 'PaginationOffHost'
  | 'Protocol';

/** A registry call failed. Says where and with which credential source, never with which secret. */
export class RegistryError extends OperatorError {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly registry: string;
  readonly repository: string;
  readonly operation: string;
  readonly httpStatus: number | undefined;
  /** Where the credential came from (`Secret team/regcred`, `anonymous`), never its value. */
  readonly credentialSource: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: RegistryErrorCode,
    message: string,
    facts: {
      registry: string;
      repository: string;
      operation: string;
      httpStatus?: number | undefined;
      credentialSource?: string | undefined;
      retryAfterMs?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.registry = facts.registry;
    this.repository = facts.repository;
    this.operation = facts.operation;
    this.httpStatus = facts.httpStatus;
    this.credentialSource = facts.credentialSource;
    this.retryAfterMs = facts.retryAfterMs;
  }

  get retry(): Retry {
    return this.retryAfterMs === undefined ? 'backoff' : { afterMs: this.retryAfterMs };
  }

  /** The registry gave a definite answer: there is no such repository, tag or digest (or no right to see it). */
  get isNotFound(): boolean {
    return this.code === 'NotFound';
  }
}

/** The closed set of ways in which a call over HTTP can fail before its answer is complete. */
export type OutboundErrorCode = 'Timeout' | 'Unreachable' | 'TooLarge' | 'Blocked' | 'Protocol' | 'Tls';

/** An HTTP call to the outside got no complete answer. An answer with an error status is not an error here. */
export class OutboundError extends OperatorError {
  override readonly name = 'OutboundError';
  readonly code: OutboundErrorCode;
  /** Where to, without anything secret. */
  readonly url: string;
  readonly retry: Retry = 'backoff';

  constructor(code: OutboundErrorCode, url: string, message: string, options?: { cause?: unknown }) {
    super(`${url}: ${message}`, options);
    this.code = code;
    this.url = url;
  }
}
