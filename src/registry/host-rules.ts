import { compileGlob } from '../core/glob.ts';
import { canonicalRegistry, registryNames } from '../core/image-reference.ts';
import { aliasOf } from '../core/registry-alias.ts';
import type { RegistrySettings } from '../core/registry-settings.ts';

/** Which hosts may be asked at all. Answers before any name is resolved. */
export interface HostRules {
  /** Why a registry that an image names is not asked, with the setting that says so; undefined when it may be. */
  refusal(registry: string): string | undefined;
  /** The same for a host that a registry leads to: what is denied is not contacted by a detour either. */
  denial(host: string): string | undefined;
}

export type RuleSettings = Pick<RegistrySettings, 'allowed' | 'denied' | 'aliases'>;

/** The settings as users write them, for messages. */
const allowedSetting = 'allowedRegistries';
const deniedSetting = 'deniedRegistries';
const mostNamed = 5;

/** Globs count for the canonical name, for Docker Hub under each of its names, and for what an alias stands for; case does not matter. */
export function createHostRules(settings: RuleSettings): HostRules {
  const known = aliasOf(settings);
  const namesOf = (registry: string): readonly string[] =>
    [canonicalRegistry(registry), known(registry)].flatMap((name) => registryNames(name));
  // A pattern that cannot be read denies everything: nobody knows what it was to keep out.
  const denied = settings.denied.map((text) => ({ text, matches: matcher(text, true) }));
  const allowed = settings.allowed.map((text) => matcher(text, false));

  function denial(host: string): string | undefined {
    if (denied.length === 0) return undefined;
    // Another port is no way around a denied host.
    const names = namesOf(host).flatMap((name) => [name, name.replace(/:\d+$/, '')]);
    const rule = denied.find(({ matches }) => names.some(matches));
    return rule && `${host} is denied by "${rule.text}" in ${deniedSetting}; take it out there if it may be asked`;
  }

  function refusal(registry: string): string | undefined {
    const denying = denial(registry);
    if (denying !== undefined || allowed.length === 0) return denying;
    const names = namesOf(registry);
    if (allowed.some((matches) => names.some(matches))) return undefined;
    return `${registry} is not among ${allowedSetting} (${listed(settings.allowed)}); add it there if it may be asked`;
  }

  return { refusal, denial };
}

function matcher(pattern: string, otherwise: boolean): (name: string) => boolean {
  const glob = compileGlob(pattern.toLowerCase());
  return 'invalid' in glob ? () => otherwise : (name) => glob.matches(name);
}

function listed(patterns: readonly string[]): string {
  const more = patterns.length - mostNamed;
  return patterns.slice(0, mostNamed).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
