import type { OperatorCredential, RegistrySettings } from '../core/registry-settings.ts';
import type { RepositoryRef } from '../ports.ts';
import { readDockerConfigText } from './docker-config.ts';
import { hostSettingsOf } from './host-settings.ts';
import { keyedLogins, type KeyedLogin, matchLogins, type WantedCredential } from './keychain.ts';

/** Told of what a configured credential holds that cannot be used; may be told the same again and again. */
export type Complain = (sentence: string) => void;

/** The credentials that the operator's configuration has for the repository: those of the first entry that matches its registry. */
export function operatorCredentials(
  repository: RepositoryRef,
  settings: RegistrySettings,
  complain: Complain,
): readonly WantedCredential[] {
  const credential = hostSettingsOf(repository, settings)?.credential;
  if (!credential) return [];
  switch (credential.kind) {
    case 'none':
      return [{ source: 'anonymous', content: { kind: 'anonymous' } }];
    case 'login':
      return [
        { source: credential.source, content: { kind: 'basic', username: credential.username, password: credential.password.reveal() } },
      ];
    case 'bearer':
      return bearer(credential, complain);
    case 'docker-config':
      return matchLogins(repository, loginsOf(credential, complain)).flatMap(({ source, contents }) =>
        contents.map((content) => ({ source, content })),
      );
  }
}

function bearer({ source, token }: Extract<OperatorCredential, { kind: 'bearer' }>, complain: Complain): readonly WantedCredential[] {
  // Files and Secrets end with a line break more often than not.
  const text = token.reveal().trim();
  if (/^[\x21-\x7e]+$/.test(text)) return [{ source, content: { kind: 'bearer', token: text } }];
  complain(`${source}: the token is empty or holds characters that a header cannot; it is not used`);
  return [];
}

type DockerConfigCredential = Extract<OperatorCredential, { kind: 'docker-config' }>;

/** New content comes as a new object. */
const readBefore = new WeakMap<DockerConfigCredential, readonly KeyedLogin[]>();

function loginsOf(credential: DockerConfigCredential, complain: Complain): readonly KeyedLogin[] {
  const known = readBefore.get(credential);
  if (known) return known;
  const { logins, problems } = keyedLogins(
    credential.source,
    readDockerConfigText(credential.source, credential.text.reveal(), credential.legacy),
  );
  problems.forEach(complain);
  readBefore.set(credential, logins);
  return logins;
}
