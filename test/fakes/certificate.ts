import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

export interface SelfSigned {
  /** PEM; also its own authority. */
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test, and what it signs. */
export interface TestAuthority extends SelfSigned {
  /** A certificate that is no authority itself. */
  issue(names: readonly string[], validUntil?: Date): SelfSigned;
}

/** A self-signed certificate without any program's help: `names` are DNS names or IP addresses, the first is the common name. */
export function selfSigned(names: readonly string[] = ['localhost', '127.0.0.1'], validUntil = tomorrow()): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = certificateBody({ names, validUntil, publicKey, issuer: names[0] ?? 'test', isAuthority: true });
  return pair(body, privateKey, privateKey);
}

/** An authority that signs certificates of servers and clients. */
export function testAuthority(name = 'headwind test authority'): TestAuthority {
  const { privateKey: authorityKey, publicKey: authorityPublicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = { names: [name], validUntil: tomorrow(), publicKey: authorityPublicKey, issuer: name, isAuthority: true };
  return {
    ...pair(certificateBody(own), authorityKey, authorityKey),
    issue(names, validUntil = tomorrow()) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return pair(certificateBody({ names, validUntil, publicKey, issuer: name, isAuthority: false }), privateKey, authorityKey);
    },
  };
}

function tomorrow(): Date {
  return new Date(Date.now() + 86_400_000);
}

function pair(body: Buffer, key: KeyObject, signer: KeyObject): SelfSigned {
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, signer)));
  const base64 = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

interface CertificateFacts {
  readonly names: readonly string[];
  readonly validUntil: Date;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly isAuthority: boolean;
}

function certificateBody({ names, validUntil, publicKey, issuer, isAuthority }: CertificateFacts): Buffer {
  const alternatives = names.map((name) => {
    const isAddress = isIP(name) === 4;
    return isAddress ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name));
  });
  const basicConstraints = sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : []));
  const extensions = sequence(
    sequence(oid(0x55, 0x1d, 0x13), der(0x01, Buffer.from([0xff])), octets(basicConstraints)),
    sequence(oid(0x55, 0x1d, 0x11), octets(sequence(...alternatives))),
  );
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(new Date(Date.now() - 86_400_000 * 2)), time(validUntil)),
    commonName(names[0] ?? 'test'),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))));
}

const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(part: Buffer): Buffer {
  return der(0x31, part);
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function oid(...bytes: number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function time(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}
