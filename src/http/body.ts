import { isObject, parseJson } from '../core/json.ts';
import { HttpProblem } from './problem.ts';

/** The whole body, at most `limit` bytes; undefined when it is larger. Throws HttpProblem when the sender gives up. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  try {
    const announced = request.headers.get('content-length');
    if (announced === null) return await countedBody(request, limit);
    return Number(announced) > limit ? undefined : new Uint8Array(await request.arrayBuffer());
  } catch {
    throw new HttpProblem({ status: 400, reason: 'BodyIncomplete', sentence: 'The body ended before it was complete' });
  }
}

/** Without an announced length only counting helps. */
async function countedBody(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
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
