import type { RegistryError, RegistryErrorCode } from '../errors.ts';
import { type Call, callFailure } from './call.ts';
import { isJsonObject, parseJsonObject } from './json.ts';
import type { Quirks } from './quirks.ts';

/** A complete answer over HTTP, whatever its status. */
export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where it came from, after redirects. */
  readonly url: URL;
  /** Of an answer with an error status only the first 64 KiB. */
  readonly body: Buffer;
  /** How long the registry wants to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

const transientStatuses = new Set([408, 429, 499, 500, 502, 503, 504, 522]);
/** Those of the distribution specification, and what services add to them. */
const knownCodes = new Set([
  'BLOB_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'PAGINATION_NUMBER_INVALID',
  'TAG_INVALID',
  'ThrottlingException',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNAVAILABLE',
  'UNKNOWN',
  'UNSUPPORTED',
]);
const throttleCodes = new Set(['TOOMANYREQUESTS', 'ThrottlingException']);
const codesOfRegistries: Readonly<Record<string, RegistryErrorCode>> = {
  DENIED: 'Denied',
  UNAUTHORIZED: 'Unauthorized',
  NAME_UNKNOWN: 'NotFound',
  MANIFEST_UNKNOWN: 'NotFound',
};

/** Does the answer mean "fewer requests, please"? */
export function isThrottled(answer: Answer, quirks: Quirks): boolean {
  if (answer.status === 429 || (answer.status >= 400 && throttleCodes.has(errorCodeOf(answer) ?? ''))) return true;
  if (answer.status !== 403 || quirks.limitsBy403 !== true) return false;
  const { headers, body } = answer;
  return (
    headers['retry-after'] !== undefined ||
    headers['x-ratelimit-remaining'] === '0' ||
    /secondary rate limit/i.test(body.toString('latin1'))
  );
}

/** May the same request succeed in a moment? */
export function isTransient(answer: Answer): boolean {
  return transientStatuses.has(answer.status);
}

/** The first error code of the registry's own error format, if it is a known one: other text of theirs may repeat what was sent. */
export function errorCodeOf(answer: Answer): string | undefined {
  const errors = parseJsonObject(answer.body)?.['errors'];
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code = isJsonObject(first) ? first['code'] : undefined;
  return typeof code === 'string' && knownCodes.has(code) ? code : undefined;
}

/** The error that an answer other than the wanted one stands for. */
export function answerFailure(call: Call, answer: Answer, source?: string): RegistryError {
  const code = codeOfAnswer(call, answer);
  const theirs = errorCodeOf(answer);
  const status = `HTTP ${answer.status}${theirs === undefined ? '' : ` ${theirs}`}`;
  return callFailure(call, code, sentences[code]?.(call, status) ?? unexpected(call, answer, status), {
    httpStatus: answer.status,
    source,
    retryAfterMs: answer.retryAfterMs,
  });
}

/** What most servers say to plain HTTP where they speak TLS is 400. */
function unexpected({ endpoint }: Call, answer: Answer, status: string): string {
  const isWrongScheme = answer.status === 400 && endpoint.origin.startsWith('http:');
  const hint = isWrongScheme ? '; it was asked by plain HTTP and may speak HTTPS' : '';
  return `${endpoint.registry} gave an unexpected answer (${status})${hint}`;
}

/** What an answer with an error status, or another one that nobody wanted, means. */
export function codeOfAnswer(call: Call, answer: Answer): RegistryErrorCode {
  if (isThrottled(answer, call.endpoint.quirks)) return 'RateLimited';
  if (answer.status === 401) return 'Unauthorized';
  if (answer.status === 403) return 'Denied';
  if (answer.status === 404) return 'NotFound';
  if (isTransient(answer) || answer.status >= 500) return 'Unavailable';
  return (answer.status >= 400 ? codesOfRegistries[errorCodeOf(answer) ?? ''] : undefined) ?? 'Protocol';
}

const sentences: Readonly<Partial<Record<RegistryErrorCode, (call: Call, status: string) => string>>> = {
  NotFound: ({ endpoint }, status) => `${endpoint.registry} does not have it, or does not show it to this credential (${status})`,
  RateLimited: ({ endpoint }, status) => `${endpoint.registry} asks for fewer requests (${status}); it is left alone for a while`,
  Unavailable: ({ endpoint }, status) => `${endpoint.registry} has a problem of its own (${status}); it is asked again later`,
  Unauthorized: ({ endpoint }, status) => `${endpoint.registry} wants other credentials (${status})`,
  Denied: ({ endpoint }, status) => `${endpoint.registry} refuses access (${status})`,
};
