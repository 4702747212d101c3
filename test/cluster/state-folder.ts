import { generateKeyPair, randomBytes } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeAuthority, makeServerCertificate } from './certificates.ts';

/** A name that a token stands for; cheap identities for tests about rights. */
export interface User {
  readonly token: string;
  readonly name: string;
  readonly groups?: readonly string[];
}

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};
// What a later start from a copy needs; everything else is written anew.
const kept = ['etcd', 'ca.crt', 'ca.key', 'apiserver.crt', 'apiserver.key', 'sa.key', 'sa.pub', 'tokens.json'];

/** Fills the folder with certificates, keys and tokens, new ones or those of the copy `from`; gives the tokens by user. */
export async function fillStateFolder(
  folder: string,
  { users, from }: { users: readonly User[]; from?: string | undefined },
): Promise<ReadonlyMap<string, string>> {
  if (from === undefined) await Promise.all([makeCertificates(folder), makeServiceAccountKeys(folder)]);
  else copyState(from, folder);
  const tokens = tokensFile(folder);
  const all: readonly User[] = [
    { name: 'admin', token: tokens.admin, groups: ['system:masters'] },
    { name: 'system:kube-controller-manager', token: tokens.controllerManager },
    { name: 'system:kube-scheduler', token: tokens.scheduler },
    ...users,
  ];
  const line = ({ token, name, groups = [] }: User, uid: number) => `${token},${name},${uid},"${groups.join(',')}"`;
  writeFileSync(join(folder, 'tokens.csv'), `${all.map(line).join('\n')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'audit-policy.yaml'), JSON.stringify(auditPolicy));
  return new Map(all.map(({ name, token }) => [name, token]));
}

/** Copies what a start with `from` needs. The processes must not be running. */
export function copyState(from: string, to: string): void {
  for (const name of kept) {
    rmSync(join(to, name), { recursive: true, force: true });
    if (existsSync(join(from, name))) cpSync(join(from, name), join(to, name), { recursive: true });
  }
}

async function makeCertificates(folder: string): Promise<void> {
  const authority = await makeAuthority(folder);
  await makeServerCertificate(folder, 'apiserver', authority);
}

async function makeServiceAccountKeys(folder: string): Promise<void> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(folder, 'sa.key'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

interface Tokens {
  readonly admin: string;
  readonly controllerManager: string;
  readonly scheduler: string;
}

function tokensFile(folder: string): Tokens {
  const path = join(folder, 'tokens.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8'));
  const random = () => randomBytes(16).toString('hex');
  const tokens: Tokens = { admin: random(), controllerManager: random(), scheduler: random() };
  writeFileSync(path, JSON.stringify(tokens), { mode: 0o600 });
  return tokens;
}
