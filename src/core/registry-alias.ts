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
