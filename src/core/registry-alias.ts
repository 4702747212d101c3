import { canonicalRegistry } from './image-reference.ts';
import type { RegistrySettings } from './registry-settings.ts';

/** More would be a mistake of the configuration. */
const longestChain = 8;

/** Gives the one name that a registry is known by: canonical, with the configured aliases applied. For matching, never for writing back or for asking. */
export function aliasOf(settings: Pick<RegistrySettings, 'aliases'>): (registry: string) => string {
  const { aliases } = settings;
  return (registry) => {
    let name = canonicalRegistry(registry);
    for (let steps = 0; steps < longestChain && Object.hasOwn(aliases, name); steps++) name = canonicalRegistry(aliases[name] ?? name);
    return name;
  };
}

/** Gives every name that images may call the same registry by, canonical: what a webhook says of one of them concerns all. */
export function sameRegistryNames(settings: Pick<RegistrySettings, 'aliases'>): (registry: string) => readonly string[] {
  const known = aliasOf(settings);
  const groups = new Map<string, Set<string>>();
  for (const other of Object.keys(settings.aliases)) {
    const name = known(other);
    groups.set(name, (groups.get(name) ?? new Set([name])).add(canonicalRegistry(other)));
  }
  return (registry) => {
    const name = known(registry);
    return [...(groups.get(name) ?? [name])];
  };
}
