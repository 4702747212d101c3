import { RE2JS, RE2JSException } from 're2js';

export type OrderingGroup = 'version' | 'number' | 'date' | 'compare';

/** A compiled regular expression over tags. Matching takes time linear in the tag, whatever the pattern. */
export interface TagRegex {
  readonly text: string;
  /** The named group that orders the tags; without one they are ordered as versions. */
  readonly ordering: OrderingGroup | undefined;
  /** Named groups that must be the same in the running tag and in a candidate. */
  readonly equal: readonly string[];
  readonly warnings: readonly string[];
  /** Matches anywhere in the text, unless the pattern is anchored. */
  matches(text: string): boolean;
  /** The named groups of the first match (null for one that took no part), undefined without a match. */
  groups(text: string): Readonly<Record<string, string | null>> | undefined;
}

const orderingGroups: readonly OrderingGroup[] = ['version', 'number', 'date', 'compare'];
const maximumBytes = 512;
const maximumGroups = 16;
const maximumProgramSize = 10_000;

/** Compiles a pattern in RE2 syntax. Total: every text gives an expression or the sentence that says what is wrong. */
export function compileTagRegex(pattern: string): TagRegex | { readonly invalid: string } {
  const invalid = (why: string): { invalid: string } => ({ invalid: `the regular expression "${pattern.slice(0, 60)}" ${why}` });
  if (pattern === '') return { invalid: 'the regular expression is empty' };
  if (new TextEncoder().encode(pattern).length > maximumBytes) return invalid(`is longer than ${maximumBytes} bytes`);
  const compiled = compile(pattern);
  if (typeof compiled === 'string') return invalid(`is not valid: ${compiled}`);
  if (compiled.groupCount() > maximumGroups) return invalid(`has more than ${maximumGroups} groups`);
  if (compiled.programSize() > maximumProgramSize) return invalid('is too large once its repetitions are expanded');
  const names = Object.keys(compiled.namedGroups());
  const ordering = orderingGroups.filter((group) => names.includes(group));
  if (ordering.length > 1) return invalid(`has more than one ordering group: ${ordering.join(', ')}`);
  return {
    text: pattern,
    ordering: ordering[0],
    equal: names.filter((name) => name !== ordering[0]),
    warnings: warningsOf(pattern),
    matches: (text) => compiled.test(text),
    groups: (text) => {
      const matcher = compiled.matcher(text);
      return matcher.find() ? matcher.getNamedGroups() : undefined;
    },
  };
}

function compile(pattern: string): RE2JS | string {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}

function warningsOf(pattern: string): string[] {
  const anchored = /^(?:\(\?[a-zA-Z]+\))?\^/.test(pattern) || pattern.startsWith('\\A');
  return anchored ? [] : [`the regular expression "${pattern.slice(0, 60)}" has no ^: it matches anywhere in a tag`];
}
