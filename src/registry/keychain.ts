import { createHmac } from 'node:crypto';
import type { Credential, CredentialSet, Problem, PullSecret, RepositoryRef } from '../ports.ts';
import { nameOf, readDockerConfig } from './docker-config.ts';
import { compareKeysReversed, coversForeignNames, keyMatches, parseRegistryKey, type RegistryKey, splitKey } from './keychain-match.ts';
import { RegistrySecret, type SecretContent } from './registry-secret.ts';

/** A credential as this adapter made it. */
export interface RegistryCredential extends Credential {
  readonly secret: RegistrySecret;
}

export interface RegistryCredentialSet extends CredentialSet {
  readonly candidates: readonly RegistryCredential[];
  /** Keys whose path ends inside a name of this image, as the kubelet allows: `Secret team/regcred, key ghcr.io/acme`. */
  readonly broadKeys: readonly string[];
}

interface Entry {
  readonly key: RegistryKey;
  readonly contents: readonly SecretContent[];
  readonly secret: PullSecret;
}

/** Logins tried for one repository. More would only be guessing passwords at somebody's registry, under our address. */
const mostLogins = 10;

const hubFallbackKeys = ['index.docker.io', 'registry-1.docker.io'];
const hubHosts = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** The credentials of the secrets that count for the repository, in the kubelet's order, then anonymous. `key` is the process's own. */
export function chooseCredentials(repository: RepositoryRef, secrets: readonly PullSecret[], key: Buffer): RegistryCredentialSet {
  const problems: Problem[] = [];
  const known = secrets.flatMap((secret) => {
    const { entries, problems: own } = readSecret(secret);
    problems.push(...own);
    return entries;
  });
  const image = splitKey(repository.registry, `/${repository.repository}`);
  const matches = matchesOf(image, known);
  const found = matches.flatMap(({ secret, contents }) => contents.map((content) => ({ source: nameOf(secret), content })));
  const wanted = found.slice(0, mostLogins * 2).map(({ source, content }) => ({ source, secret: new RegistrySecret(content, key) }));
  const candidates = distinct(wanted).slice(0, mostLogins);
  const broadKeys = matches
    .filter((match) => coversForeignNames(match.key, image))
    .map((match) => `${nameOf(match.secret)}, key ${match.key.text}`);
  candidates.push({ source: 'anonymous', secret: new RegistrySecret({ kind: 'anonymous' }, key) });
  const hash = createHmac('sha256', key);
  for (const { secret } of candidates) hash.update(`${secret.fingerprint}\0`);
  return { fingerprint: hash.digest('base64url'), candidates, problems, broadKeys };
}

interface ReadSecret {
  readonly entries: readonly Entry[];
  readonly problems: readonly Problem[];
}

/** The same secret is read for every look of every workload that names it. */
const readBefore = new WeakMap<PullSecret, ReadSecret>();

function readSecret(secret: PullSecret): ReadSecret {
  const known = readBefore.get(secret) ?? parseSecret(secret);
  readBefore.set(secret, known);
  return known;
}

function parseSecret(secret: PullSecret): ReadSecret {
  const config = readDockerConfig(secret);
  const problems: Problem[] = config.problems.map((message) => ({ reason: 'PullSecretMissing', message }));
  const entries: Entry[] = [];
  for (const { key, contents } of config.entries) {
    const registryKey = parseRegistryKey(key);
    if (registryKey) entries.push({ key: registryKey, contents, secret });
    else problems.push({ reason: 'PullSecretMissing', message: `${nameOf(secret)}: an entry is ignored because its key names no host` });
  }
  return { entries, problems };
}

/** Stable sorting keeps the order of the secrets within one key. */
function matchesOf(image: RegistryKey, known: readonly Entry[]): readonly Entry[] {
  const images = hubHosts.has(image.text.slice(0, image.text.indexOf('/'))) ? [image, splitKey('docker.io', image.path)] : [image];
  for (const one of images) {
    const matches = known.filter(({ key }) => keyMatches(key, one));
    if (matches.length > 0) return matches.sort((left, right) => compareKeysReversed(left.key, right.key));
  }
  if (images.length === 1) return [];
  const fallback = hubFallbackKeys.find((text) => known.some(({ key }) => key.text === text));
  return known.filter(({ key }) => key.text === fallback);
}

/** One credential in two secrets is tried once: a second refusal of the same login only locks the account. */
function distinct(credentials: readonly RegistryCredential[]): RegistryCredential[] {
  const seen = new Set<string>();
  return credentials.filter(({ secret }) => !seen.has(secret.fingerprint) && seen.add(secret.fingerprint));
}
