import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isObject, member, parseJson } from '../core/json.ts';
import { SecretText } from '../core/secret-text.ts';

/** Reads a whole file. A sentence without its name says why it cannot be read; `missing` says that it is not there. */
export type ReadFile = (path: string) => { readonly text: string } | { readonly problem: string; readonly missing: boolean };

/** What was read and found well, or a sentence that names the file and the remedy. */
export type Checked<Value> = { readonly value: Value } | { readonly problem: string };

const certificateBlock = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;

/** The certificates of a PEM file, each as PEM; at least one. */
export function readCertificates(path: string, read: ReadFile): Checked<readonly string[]> {
  const file = read(path);
  if ('problem' in file) return { problem: `${path} ${file.problem}` };
  const blocks = file.text.match(certificateBlock) ?? [];
  if (blocks.length === 0) return { problem: `${path} has no certificate; it must be PEM, with "-----BEGIN CERTIFICATE-----"` };
  for (const [index, block] of blocks.entries()) {
    const fault = faultOf(() => new X509Certificate(block));
    if (fault !== undefined) return { problem: `certificate ${index + 1} in ${path} cannot be read: ${fault}` };
  }
  return { value: blocks };
}

export interface ClientIdentity {
  /** PEM, with the chain. */
  readonly certificate: string;
  readonly key: SecretText;
}

/** A client certificate with the private key that belongs to it. */
export function readClientIdentity(certificatePath: string, keyPath: string, read: ReadFile): Checked<ClientIdentity> {
  const certificates = readCertificates(certificatePath, read);
  if ('problem' in certificates) return certificates;
  const file = read(keyPath);
  if ('problem' in file) return { problem: `${keyPath} ${file.problem}` };
  const key = faultless(() => createPrivateKey(file.text));
  if (key === undefined) return { problem: `${keyPath} is no private key in PEM without a passphrase` };
  const own = new X509Certificate(certificates.value[0] ?? '');
  if (!own.checkPrivateKey(key)) return { problem: `the key in ${keyPath} does not belong to the certificate in ${certificatePath}` };
  return { value: { certificate: certificates.value.join('\n'), key: new SecretText(file.text) } };
}

export interface DockerConfigFile {
  readonly path: string;
  readonly text: SecretText;
  readonly legacy: boolean;
}

/** The docker config in a folder into which a Secret is mounted: `.dockerconfigjson`, else `.dockercfg`. */
export function readDockerConfig(folder: string, read: ReadFile): Checked<DockerConfigFile> {
  const base = folder.replace(/\/+$/, '');
  for (const [name, legacy] of [
    ['.dockerconfigjson', false],
    ['.dockercfg', true],
  ] as const) {
    const path = `${base}/${name}`;
    const file = read(path);
    if ('problem' in file && file.missing) continue;
    if ('problem' in file) return { problem: `${path} ${file.problem}` };
    const parsed = parseJson(file.text);
    const fits = 'value' in parsed && isObject(parsed.value) && (legacy || isObject(member(parsed.value, 'auths') ?? {}));
    if (!fits) return { problem: `${path} is no docker config: it must be a JSON object${legacy ? '' : ' with "auths"'}` };
    return { value: { path, text: new SecretText(file.text), legacy } };
  }
  return { problem: `${base} has neither .dockerconfigjson nor .dockercfg; mount the Secret there as a folder` };
}

function faultless<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function faultOf(make: () => unknown): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
