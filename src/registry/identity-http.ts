import { OutboundError } from '../errors.ts';
import type { Outbound, OutboundResponse } from '../outbound.ts';
import { parseJsonObject } from './json.ts';
import { NoIdentity } from './identity-world.ts';

export interface IdentityRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly form?: Readonly<Record<string, string>>;
  /** A metadata service: on this node or nowhere, so that no answer is an answer. */
  readonly isMetadata?: boolean;
  readonly signal: AbortSignal;
}

/** The HTTP client of cloud identities. Throws NoIdentity, or the signal's reason. */
export interface IdentityHttp {
  /** The answer if its status is 200. */
  text(request: IdentityRequest): Promise<string>;
  json(request: IdentityRequest): Promise<Readonly<Record<string, unknown>>>;
}

const answerBytes = 128 * 1024;
const metadataMs = 2_000;
const apiMs = 15_000;
/** Error codes worth quoting. Other text of an answer may repeat what was sent. */
const knownCodes = [
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredTokenException',
  'ExpiredToken',
  'IDPCommunicationError',
  'IDPRejectedClaim',
  'InvalidIdentityToken',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MalformedPolicyDocument',
  'RegionDisabledException',
  'ThrottlingException',
  'UnrecognizedClientException',
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_resource',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'PERMISSION_DENIED',
  'UNAUTHENTICATED',
  'UNAUTHORIZED',
];

export function createIdentityHttp(outbound: Outbound): IdentityHttp {
  async function text(request: IdentityRequest): Promise<string> {
    const answer = await send(outbound, request);
    if (answer.status === 200) return answer.body.toString('utf8');
    const code = knownCodes.find((known) => new RegExp(`\\b${known}\\b`).test(answer.body.toString('latin1')));
    const sentence = `${hostOf(request)} answered HTTP ${answer.status}${code === undefined ? '' : ` ${code}`}`;
    // Every metadata service has a path for an identity, and says 404 where the machine was given none.
    throw new NoIdentity(sentence, { isExpected: request.isMetadata === true && answer.status < 500 });
  }

  async function json(request: IdentityRequest): Promise<Readonly<Record<string, unknown>>> {
    const object = parseJsonObject(Buffer.from(await text(request), 'utf8'));
    if (!object) throw new NoIdentity(`${hostOf(request)} gave no JSON object`, { isExpected: request.isMetadata === true });
    return object;
  }

  return { text, json };
}

async function send(outbound: Outbound, { form, isMetadata = false, ...request }: IdentityRequest): Promise<OutboundResponse> {
  const body = form ? new URLSearchParams(form).toString() : request.body;
  try {
    return await outbound.request({
      method: request.method,
      url: request.url,
      headers: { accept: 'application/json', ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...request.headers },
      body,
      signal: request.signal,
      maxBytes: answerBytes,
      maxRedirects: 0,
      // Clouds offer their APIs at private addresses too. The names are ours, not an answer's.
      directlyNamed: true,
      ...(isMetadata ? { metadataService: true } : {}),
      timeouts: { callMs: isMetadata ? metadataMs : apiMs },
    });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new NoIdentity(`${hostOf(request)} cannot be reached (${error.code})`, { isExpected: isMetadata, cause: error });
  }
}

function hostOf({ url }: Pick<IdentityRequest, 'url'>): string {
  return URL.parse(url)?.host ?? 'an address that cannot be read';
}

/** A text that is a member of an answer; throws NoIdentity that names the member. */
export function memberOf(answer: Readonly<Record<string, unknown>>, name: string, from: string): string {
  const value = answer[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new NoIdentity(`${from} gave no "${name}"`);
}

/** When what was given ends: by seconds from now (a number, or digits). */
export function endOfLife(seconds: unknown, nowMs: number): number | undefined {
  const number = typeof seconds === 'string' && /^\d{1,9}$/.test(seconds) ? Number(seconds) : seconds;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? nowMs + number * 1000 : undefined;
}
