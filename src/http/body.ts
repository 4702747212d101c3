import { isObject, parseJson } from '../core/json.ts';
import { HttpProblem } from './problem.ts';

/** Bytes of bodies that are being received or worked on at one time, on one server: many senders that stall must not fill the memory. */
export interface BodyBudget {
  /** Of one request; `release` gives back all that it took. */
  open(): { take(bytes: number): boolean; release(): void };
}

export function createBodyBudget(maximumBytes: number): BodyBudget {
  let taken = 0;
  return {
    open() {
      let own = 0;
      return {
        take(bytes) {
          if (taken + bytes > maximumBytes) return false;
          taken += bytes;
          own += bytes;
          return true;
        },
        release() {
          taken -= own;
          own = 0;
        },
      };
    },
  };
}

/** What nearly every body is shorter than: read at once, and not counted. */
const smallBytes = 64 * 1024;
const busy = {
  status: 503,
  reason: 'Busy',
  sentence: 'Too much is being received at this moment; send it again',
  headers: { 'Retry-After': '5' },
} as const;

/**
 * The whole body, at most `limit` bytes; undefined when it is larger. What is long is taken from the budget. Throws HttpProblem when that is
 * used up, or the sender gives up.
 */
export async function readBody(request: Request, limit: number, budget?: ReturnType<BodyBudget['open']>): Promise<Uint8Array | undefined> {
  try {
    const announced = request.headers.get('content-length');
    const length = announced === null ? Infinity : Number(announced);
    if (announced !== null && length > limit) return undefined;
    return length <= smallBytes ? new Uint8Array(await request.arrayBuffer()) : await countedBody(request, limit, budget);
  } catch (error) {
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem({ status: 400, reason: 'BodyIncomplete', sentence: 'The body ended before it was complete' });
  }
}

/** An announced length may never come: only what has come is counted. */
async function countedBody(request: Request, limit: number, budget?: ReturnType<BodyBudget['open']>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    if (budget?.take(chunk.byteLength) === false) throw new HttpProblem(busy);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `application/json; charset=utf-8` → `application/json`. */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function isJsonType(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType.endsWith('+json');
}

const apiLimit = 2 * 1024 * 1024;

/** The members of a JSON or form body below `/api`; an empty body is `{}`. Throws HttpProblem. */
export async function readMembers(request: Request): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(request, apiLimit);
  if (!body) throw new HttpProblem({ status: 413, reason: 'BodyTooLarge', sentence: 'The body is larger than 2 MiB' });
  const text = new TextDecoder().decode(body).trim();
  if (text === '') return {};
  const mediaType = mediaTypeOf(request);
  // curl -d says "form" whatever it sends: read as a form, a digest in such a JSON text would silently not be checked.
  if (mediaType === '' || isJsonType(mediaType) || (isForm(mediaType) && text.startsWith('{'))) return jsonMembers(text);
  if (mediaType === 'application/x-www-form-urlencoded') return Object.fromEntries(new URLSearchParams(text));
  if (isForm(mediaType)) return multipartMembers(body, request.headers.get('content-type') ?? '');
  throw new HttpProblem({ status: 415, reason: 'UnsupportedMediaType', sentence: `Send JSON or a form, not ${mediaType.slice(0, 100)}` });
}

function isForm(mediaType: string): boolean {
  return mediaType === 'application/x-www-form-urlencoded' || mediaType === 'multipart/form-data';
}

function jsonMembers(text: string): Readonly<Record<string, unknown>> {
  const result = parseJson(text);
  if ('invalid' in result) throw new HttpProblem({ status: 400, reason: 'BadRequest', sentence: `Unusable body: ${result.invalid}` });
  if (isObject(result.value)) return result.value;
  throw wrongShape([{ path: '', message: 'must be an object' }]);
}

async function multipartMembers(body: Uint8Array, contentType: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const form = await new Response(Buffer.from(body), { headers: { 'content-type': contentType } }).formData();
    return Object.fromEntries(form);
  } catch {
    throw new HttpProblem({ status: 400, reason: 'BadRequest', sentence: 'Unusable body: it is not the form it claims to be' });
  }
}

/** JSON (or a form) whose members are not what the route needs; all mistakes at once. */
export function wrongShape(errors: readonly { path: string; message: string }[]): HttpProblem {
  return new HttpProblem({ status: 422, reason: 'WrongShape', sentence: 'The body does not have the right shape', extra: { errors } });
}
