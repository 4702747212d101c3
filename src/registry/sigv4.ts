import { createHash, createHmac } from 'node:crypto';

/** Keys of an AWS identity. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface RequestToSign {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. All are signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const algorithm = 'AWS4-HMAC-SHA256';

/** The request's headers with date, session token and signature, by AWS Signature Version 4. `host` is signed, and left to the HTTP client. */
export function signRequest(
  request: RequestToSign,
  keys: AwsKeys,
  { region, service }: { region: string; service: string },
  nowMs: number,
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = time.slice(0, 8);
  const headers = {
    ...request.headers,
    'x-amz-date': time,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  };
  const { text, names } = canonicalRequest(request, { ...headers, host: request.url.host });
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = [algorithm, time, scope, sha256(text)].join('\n');
  const signature = hmac(signingKey(keys.secretAccessKey, date, region, service), toSign).toString('hex');
  return {
    ...headers,
    authorization: `${algorithm} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** The key of one day, region and service. */
export function signingKey(secret: string, date: string, region: string, service: string): Buffer {
  return [date, region, service, 'aws4_request'].reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`, 'utf8'));
}

function canonicalRequest(
  { method, url, body }: RequestToSign,
  headers: Readonly<Record<string, string>>,
): { text: string; names: string } {
  const sorted = Object.entries(headers).toSorted(byName);
  const names = sorted.map(([name]) => name).join(';');
  const lines = sorted.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, ' ')}\n`).join('');
  return { text: [method, url.pathname, canonicalQuery(url), lines, names, sha256(body)].join('\n'), names };
}

function canonicalQuery(url: URL): string {
  const pairs = [...url.searchParams].map(([name, value]) => [encode(name), encode(value)] as const);
  return pairs
    .toSorted((left, right) => byName(left, right) || byName([left[1]], [right[1]]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function byName([left]: readonly [string, ...unknown[]], [right]: readonly [string, ...unknown[]]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** RFC 3986: `encodeURIComponent` leaves a few more characters as they are. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
