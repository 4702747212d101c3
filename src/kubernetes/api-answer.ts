import type { Dispatcher } from 'undici';
import { ApiError } from '../errors.ts';
import { decodedBody, outboundFailure } from '../outbound.ts';

const errorBodyBytes = 64 * 1024;

/** The decoded body; cut off at `maxBytes`. */
export async function readText(answer: Dispatcher.ResponseData, where: string, maxBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const encoding = answer.headers['content-encoding'];
  if (encoding === undefined && maxBytes === Number.POSITIVE_INFINITY) return await answer.body.text();
  const limits = { where, encoding: String(encoding ?? ''), length: undefined, maxBytes: Number.POSITIVE_INFINITY };
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of decodedBody(answer.body, limits)) {
    parts.push(chunk);
    size += chunk.length;
    if (size >= maxBytes) break;
  }
  return Buffer.concat(parts).subarray(0, maxBytes).toString('utf8');
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly retryAfterSeconds?: number };
}

/** Reads the Status object of a refusal; other bodies are cut. */
export async function apiError(answer: Dispatcher.ResponseData, where: string): Promise<ApiError> {
  const text = await readText(answer, where, errorBodyBytes).catch(() => '');
  const status = parseStatus(text);
  const seconds = Number(answer.headers['retry-after'] ?? status.details?.retryAfterSeconds ?? Number.NaN);
  const sentence = status.message ?? (text.slice(0, 500).trim() || `HTTP status ${answer.statusCode}`);
  return new ApiError(answer.statusCode, status.reason ?? '', `${where}: ${sentence}`, {
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined,
  });
}

function parseStatus(text: string): Status {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** What failed before there was an answer, as an ApiError with status 0. */
export function unreachable(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, '', error instanceof Error ? error.message : String(error), { cause: error });
}

/** The bytes of an endless answer, with its failures as ApiError. */
export async function* streamBody(body: AsyncIterable<Buffer>, where: string, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  try {
    yield* body;
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : unreachable(outboundFailure(error, where));
  }
}
