import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './error-code.ts';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Makes `<name>.crt` and `<name>.key` of a certificate authority in the folder. */
export async function makeAuthority(folder: string, name = 'ca', kind: 'ec' | 'rsa' = 'ec'): Promise<KeyPair> {
  const { certificate, key } = filesOf(folder, name);
  const usage = 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature';
  await openssl(
    ['req', '-x509', ...newKey(key, kind), '-days', '3650', '-subj', '/CN=headwind test bed', '-addext', usage, '-out', certificate],
    folder,
  );
  return { certificate, key };
}

/** A certificate for a server on this machine, signed by the authority. */
export function makeServerCertificate(folder: string, name: string, authority: KeyPair): Promise<KeyPair> {
  return makeCertificate(folder, name, authority, 'serverAuth');
}

/** A certificate with which a client shows who it is. */
export function makeClientCertificate(folder: string, name: string, authority: KeyPair): Promise<KeyPair> {
  return makeCertificate(folder, name, authority, 'clientAuth');
}

async function makeCertificate(folder: string, name: string, authority: KeyPair, usage: 'serverAuth' | 'clientAuth'): Promise<KeyPair> {
  const { certificate, key } = filesOf(folder, name);
  const request = join(folder, `${name}.csr`);
  const extensionFile = join(folder, `${name}.ext`);
  const names = 'DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.0.0.1';
  writeFileSync(extensionFile, `subjectAltName=${names}\nextendedKeyUsage=${usage}\n`);
  await openssl(['req', '-new', ...newKey(key), '-subj', `/CN=${name}`, '-out', request], folder);
  const signer = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial'];
  await openssl(
    ['x509', '-req', '-in', request, ...signer, '-days', '3650', '-sha256', '-extfile', extensionFile, '-out', certificate],
    folder,
  );
  return { certificate, key };
}

function filesOf(folder: string, name: string): KeyPair {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

function newKey(path: string, kind: 'ec' | 'rsa' = 'ec'): readonly string[] {
  const algorithm = kind === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  return ['-newkey', ...algorithm, '-nodes', '-sha256', '-keyout', path];
}

async function openssl(args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)('openssl', [...args], { cwd });
  } catch (cause) {
    if (errorCode(cause) !== 'ENOENT') throw cause;
    throw new Error(
      'The test bed makes its certificates with openssl, which is not on the PATH. Install it (Debian: apt-get install openssl).',
      {
        cause,
      },
    );
  }
}
