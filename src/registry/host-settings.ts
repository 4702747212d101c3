import { canonicalRepository } from '../core/image-reference.ts';
import { compileGlob } from '../core/glob.ts';
import type { RegistryHostSettings, RegistrySettings } from '../core/registry-settings.ts';
import type { RepositoryRef } from '../ports.ts';

const hubNames = ['docker.io', 'index.docker.io', 'registry-1.docker.io'];

/** What the configuration says of the repository's registry: the first entry whose pattern and prefix match it, alone. */
export function hostSettingsOf(repository: RepositoryRef, settings: RegistrySettings): RegistryHostSettings | undefined {
  const names = namesOf(repository);
  return settings.hosts.find(
    (host) => repository.repository.startsWith(host.repositoryPrefix ?? '') && names.some((name) => matches(host, name)),
  );
}

/** The registry as the image names it; Docker Hub under each of its names. */
function namesOf(repository: RepositoryRef): readonly string[] {
  const isHub = canonicalRepository(repository).startsWith('docker.io/');
  return isHub ? [repository.registry, ...hubNames] : [repository.registry];
}

const compiled = new WeakMap<RegistryHostSettings, (name: string) => boolean>();

/** A pattern that cannot be read matches nothing; whoever reads the configuration refuses it. */
function matches(host: RegistryHostSettings, name: string): boolean {
  const known = compiled.get(host);
  if (known) return known(name);
  const glob = compileGlob(host.hostnamePattern);
  const test = 'invalid' in glob ? () => false : (text: string) => glob.matches(text);
  compiled.set(host, test);
  return test(name);
}
