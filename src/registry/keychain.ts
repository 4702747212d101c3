import { hash } from 'node:crypto';
import { canonicalRegistry, canonicalRepository } from '../core/image-reference.ts';
import type { Credential, CredentialSet, Problem, PullSecret, RepositoryRef } from '../ports.ts';
import { type DockerConfig, nameOf, readDockerConfig } from './docker-config.ts';
import { compareKeysReversed, coversForeignNames, keyMatches, parseRegistryKey, type RegistryKey, splitKey } from './keychain-match.ts';
import { type PlainContent, RegistrySecret, type SecretContent } from './registry-secret.ts';

/** A credential as this adapter made it. */
export interface RegistryCredential extends Credential {
  readonly secret: RegistrySecret;
}

/** One that can be written into a request as it is. */
export interface UsableCredential extends RegistryCredential {
  readonly secret: RegistrySecret<PlainContent>;
}

export interface RegistryCredentialSet extends CredentialSet {
  /** The one canonical name of the registry that they are for: they are sent to no other. */
  readonly registry: string;
  readonly candidates: readonly RegistryCredential[];
  /** Keys whose path ends inside a name of this image, as the kubelet allows: `Secret team/regcred, key ghcr.io/acme`. */
  readonly broadKeys: readonly string[];
}

/** A credential before it has a fingerprint. */
export interface WantedCredential {
  readonly source: string;
  readonly content: SecretContent;
}

/** An entry of a docker configuration. */
export interface KeyedLogin {
  readonly source: string;
  readonly key: RegistryKey;
  readonly contents: readonly PlainContent[];
}

interface KeyedLogins {
  readonly logins: readonly KeyedLogin[];
  /** Sentences that quote no value. */
  readonly problems: readonly string[];
}

/** Logins of one kind tried for one repository. More would only be guessing passwords at somebody's registry, under our address. */
const mostLogins = 10;

const anonymousContent = { kind: 'anonymous' } as const;
const hubFallbackKeys = ['index.docker.io', 'registry-1.docker.io'];

/**
 * The credentials of the secrets that count for the repository, in the kubelet's order, then the others, then anonymous.
 * `key` is the process's own.
 */
export function chooseCredentials(
  repository: RepositoryRef,
  secrets: readonly PullSecret[],
  key: Buffer,
  others: readonly WantedCredential[] = [],
): RegistryCredentialSet {
  const read = secrets.map(readSecret);
  const image = imageOf(repository);
  const matches = matchLogins(
    repository,
    read.flatMap(({ logins }) => logins),
  );
  const found = matches.flatMap(({ source, contents }) => contents.map((content) => ({ source, content })));
  const anonymous = { source: 'anonymous', secret: new RegistrySecret(anonymousContent, key) };
  const candidates = distinct([...firstOf(found, key), ...firstOf(others, key), anonymous]);
  return {
    registry: canonicalRegistry(repository.registry),
    // Of hashes that are keyed themselves.
    fingerprint: hash('sha256', candidates.map(({ secret }) => secret.fingerprint).join('\0'), 'base64url'),
    candidates,
    problems: read.flatMap(({ problems }) => problems.map((message): Problem => ({ reason: 'PullSecretMissing', message }))),
    broadKeys: matches.filter((match) => coversForeignNames(match.key, image)).map(({ source, key: { text } }) => `${source}, key ${text}`),
  };
}

/** The same secret is read for every look of every workload that names it. */
const readBefore = new WeakMap<PullSecret, KeyedLogins>();

function readSecret(secret: PullSecret): KeyedLogins {
  const known = readBefore.get(secret) ?? keyedLogins(nameOf(secret), readDockerConfig(secret));
  readBefore.set(secret, known);
  return known;
}

/** The entries of a docker configuration whose keys name a host. `source` says where it came from. */
export function keyedLogins(source: string, config: DockerConfig): KeyedLogins {
  const problems = [...config.problems];
  const logins: KeyedLogin[] = [];
  for (const { key: text, contents } of config.entries) {
    const key = parseRegistryKey(text);
    if (key) logins.push({ key, contents, source });
    else problems.push(`${source}: an entry is ignored because its key names no host`);
  }
  return { logins, problems };
}

/** The entries that count for the repository, in the kubelet's order; stable sorting keeps the order of the sources within one key. */
export function matchLogins(repository: RepositoryRef, known: readonly KeyedLogin[]): readonly KeyedLogin[] {
  const image = imageOf(repository);
  const isHub = canonicalRepository(repository).startsWith('docker.io/');
  const images = isHub ? [image, splitKey('docker.io', image.path)] : [image];
  for (const one of images) {
    const matches = known.filter(({ key }) => keyMatches(key, one));
    if (matches.length > 0) return matches.sort((left, right) => compareKeysReversed(left.key, right.key));
  }
  if (!isHub) return [];
  const fallback = hubFallbackKeys.find((text) => known.some(({ key }) => key.text === text));
  return known.filter(({ key }) => key.text === fallback);
}

function imageOf({ registry, repository }: RepositoryRef): RegistryKey {
  return splitKey(registry, `/${repository}`);
}

/** Twice as many are looked at, because some are the same. */
function firstOf(wanted: readonly WantedCredential[], key: Buffer): readonly RegistryCredential[] {
  const made = wanted.slice(0, mostLogins * 2).map(({ source, content }) => ({ source, secret: new RegistrySecret(content, key) }));
  return distinct(made).slice(0, mostLogins);
}

/** One credential in two secrets is tried once: a second refusal of the same login only locks the account. */
function distinct(credentials: readonly RegistryCredential[]): readonly RegistryCredential[] {
  const seen = new Set<string>();
  return credentials.filter(({ secret }) => !seen.has(secret.fingerprint) && seen.add(secret.fingerprint));
}
