import { createPrivateKey, createPublicKey, randomUUID, sign, verify, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface AccessEntry {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenClaims {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly access: readonly AccessEntry[];
  /** From now; a registry grants a minute more. */
  readonly lifeSeconds: number;
}

export type SignToken = (claims: TokenClaims) => string;

const algorithms: Readonly<Record<string, string>> = { ec: 'ES256', rsa: 'RS256' };

/**
 * Signs tokens of the distribution project's specification. The certificate goes along (`x5c`), because that is the form which releases 2
 * and 3 of the registry both take; their ideas of a key's name (`kid`) differ.
 */
export function createSigner(files: { certificate: string; key: string }): SignToken {
  const certificate = new X509Certificate(readFileSync(files.certificate));
  const key = createPrivateKey(readFileSync(files.key));
  const algorithm = algorithms[key.asymmetricKeyType ?? ''];
  if (algorithm === undefined) throw new Error(`tokens are signed with EC P-256 or RSA keys, not with ${key.asymmetricKeyType}`);
  const header = { typ: 'JWT', alg: algorithm, x5c: [certificate.raw.toString('base64')] };
  return ({ issuer, audience, subject, access, lifeSeconds }) => {
    const now = Math.floor(Date.now() / 1000);
    const times = { exp: now + lifeSeconds, nbf: now + Math.min(0, lifeSeconds) - 10, iat: now };
    const claims = { iss: issuer, sub: subject, aud: audience, ...times, jti: randomUUID(), access };
    return signed(`${encode(header)}.${encode(claims)}`, key);
  };
}

function signed(text: string, key: KeyObject): string {
  const input = Buffer.from(text);
  const options = { key, dsaEncoding: 'ieee-p1363' } as const;
  const signature = sign('sha256', input, options);
  if (!verify('sha256', input, { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, signature))
    throw new Error('a signature is wrong');
  return `${text}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
