import { compileGlob, type Glob } from './glob.ts';
import { parseRange, type Range } from './range.ts';
import { compileTagRegex, type TagRegex } from './regex-policy.ts';
import { type PolicyName, policyNames } from './update-request-schema.ts';

type Named<N extends PolicyName> = N extends unknown
  ? { readonly name: N; readonly text: string; readonly warnings: readonly string[] }
  : never;
type PlainName = Exclude<PolicyName, 'glob' | 'regex' | 'semver'>;

/** What a user wrote as policy, parsed once. `warnings` are sentences about what is valid but rarely meant. */
export type Policy =
  | Named<PlainName>
  /** Without a glob nothing ever matches. */
  | (Named<'glob'> & { readonly glob: Glob | undefined })
  | (Named<'regex'> & { readonly regex: TagRegex })
  | (Named<'semver'> & { readonly range: Range });

export interface InvalidPolicy {
  readonly invalid: string;
}

/**
 * Parses `minor`, `glob:v1.*`, `regex:…` (also `regexp:…`), `semver:…`; names in any case. `pattern` is the glob of `glob`.
 * Total: what is wrong comes back as a sentence.
 */
export function parsePolicy(text: string, pattern?: string): Policy | InvalidPolicy {
  const written = text.trim();
  const colon = written.indexOf(':');
  const name = (colon < 0 ? written : written.slice(0, colon)).toLowerCase();
  const argument = colon < 0 ? undefined : written.slice(colon + 1);
  if (name === 'glob') return globPolicy(written, argument, pattern);
  // Nobody reads it, but who wrote it meant something else than what would happen without it.
  const beside = pattern ? compileGlob(pattern) : undefined;
  if (beside && 'invalid' in beside) return beside;
  if (name === 'regex' || name === 'regexp') return regexPolicy(written, argument);
  if (name === 'semver') return semverPolicy(written, argument);
  const plain = policyNames.find((known): known is PlainName => known === name);
  if (plain === undefined) return { invalid: `unknown policy "${written.slice(0, 60)}"; known are ${policyNames.join(', ')}` };
  if (argument !== undefined) return { invalid: `the policy ${plain} takes nothing after a colon` };
  return { name: plain, text: plain, warnings: [] };
}

function globPolicy(text: string, argument: string | undefined, pattern: string | undefined): Policy | InvalidPolicy {
  if (argument && pattern && argument !== pattern) return { invalid: 'two different patterns: one in the policy and one beside it' };
  const chosen = argument || pattern;
  if (!chosen) return { name: 'glob', text: 'glob', glob: undefined, warnings: [] };
  const glob = compileGlob(chosen);
  return 'invalid' in glob ? glob : { name: 'glob', text: argument ? text : `glob:${chosen}`, glob, warnings: [] };
}

function regexPolicy(text: string, argument: string | undefined): Policy | InvalidPolicy {
  const regex = compileTagRegex(argument ?? '');
  return 'invalid' in regex ? regex : { name: 'regex', text, regex, warnings: regex.warnings };
}

function semverPolicy(text: string, argument: string | undefined): Policy | InvalidPolicy {
  const range = parseRange(argument ?? '');
  return 'invalid' in range ? range : { name: 'semver', text, range, warnings: range.warnings };
}
