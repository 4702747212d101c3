import { RegistryError, type RegistryErrorCode } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { RegistryCredentialSet } from './keychain.ts';

/** What a call, or one of its requests, is for: a label of metrics and errors. */
export type Operation = 'resolve' | 'contents' | 'tags' | 'referrers' | 'created' | 'token';

/** One call of the port on its way through this adapter. */
export interface Call {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly operation: Operation;
  /** Begins every error: `cannot list the tags of ghcr.io/acme/web`. */
  readonly task: string;
  readonly credentials: RegistryCredentialSet;
  readonly signal: AbortSignal;
  /** Whose turn it takes where there is a queue, for example a namespace; without it the credentials count. */
  readonly lane?: string | undefined;
}

const longestMessage = 2_000;

/** The error of a call: a sentence with what was being done, what happened, and where there is one, what to do. */
export function callFailure(
  call: Pick<Call, 'endpoint' | 'repository' | 'operation' | 'task'>,
  code: RegistryErrorCode,
  happened: string,
  facts: { httpStatus?: number | undefined; source?: string | undefined; retryAfterMs?: number | undefined; cause?: unknown } = {},
): RegistryError {
  const sentence = `${call.task.charAt(0).toUpperCase()}${call.task.slice(1)}: ${happened}.`;
  // Names in certificates and references are other people's text.
  const message = sentence.replaceAll(/\p{Cc}+/gu, ' ').slice(0, longestMessage);
  return new RegistryError(code, message, {
    registry: call.endpoint.registry,
    repository: call.repository,
    operation: call.operation,
    httpStatus: facts.httpStatus,
    credentialSource: facts.source,
    retryAfterMs: facts.retryAfterMs,
    cause: facts.cause,
  });
}
