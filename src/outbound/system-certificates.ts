import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Authorities as the environment names them, and sentences about what could not be read. */
export interface SystemCertificates {
  /** PEM, each one certificate. */
  readonly certificates: readonly string[];
  readonly warnings: readonly string[];
}

const largestFile = 16 * 1024 * 1024;
const mostFiles = 2_000;
const pemBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

/**
 * What `SSL_CERT_FILE` and `SSL_CERT_DIR` name, as OpenSSL and Go programs understand them; for us they are trusted beside the built-in
 * authorities. Node itself reads them only when told to by a flag. Never throws: what cannot be read is a warning.
 */
export async function readSystemCertificates(environment: Readonly<Record<string, string | undefined>>): Promise<SystemCertificates> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: directories } = environment;
  const found = new Set<string>();
  const warnings: string[] = [];
  if (file) await addFile({ setting: 'SSL_CERT_FILE', path: file, found, warnings, isExpected: true });
  for (const directory of (directories ?? '').split(delimiter).filter((path) => path !== '')) {
    for (const path of await filesOf(directory, warnings)) {
      await addFile({ setting: 'SSL_CERT_DIR', path, found, warnings, isExpected: false });
    }
  }
  return { certificates: [...found], warnings };
}

interface Reading {
  readonly setting: string;
  readonly path: string;
  readonly found: Set<string>;
  readonly warnings: string[];
  /** There must be certificates in it. */
  readonly isExpected: boolean;
}

async function addFile({ setting, path, found, warnings, isExpected }: Reading): Promise<void> {
  const complain = (what: string): void => void warnings.push(`${setting}: ${path} ${what}; its authorities are not trusted`);
  try {
    const { size } = await stat(path);
    if (size > largestFile) return complain(`is larger than ${largestFile / 1024 / 1024} MiB`);
    const blocks = (await readFile(path, 'latin1')).match(pemBlock) ?? [];
    if (blocks.length === 0 && isExpected) return complain('holds no certificate in PEM form');
    const readable = blocks.map((block) => block.replaceAll('TRUSTED CERTIFICATE', 'CERTIFICATE')).filter(isCertificate);
    for (const block of readable) found.add(block);
    if (readable.length < blocks.length)
      warnings.push(`${setting}: ${blocks.length - readable.length} certificates in ${path} cannot be read`);
  } catch (error) {
    complain(`cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Mounted volumes hold directories and links beside their files. */
async function filesOf(directory: string, warnings: string[]): Promise<readonly string[]> {
  try {
    const names = (await readdir(directory)).sort().slice(0, mostFiles);
    const files = await Promise.all(
      names.map(async (name) => ({ path: join(directory, name), isFile: await isFile(join(directory, name)) })),
    );
    return files.filter(({ isFile }) => isFile).map(({ path }) => path);
  } catch (error) {
    warnings.push(`SSL_CERT_DIR: ${directory} cannot be listed (${error instanceof Error ? error.message : String(error)})`);
    return [];
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
