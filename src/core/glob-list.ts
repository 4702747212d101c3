import { compileGlob, type Glob } from './glob.ts';

export type GlobsOrInvalid = { readonly globs: readonly Glob[] } | { readonly invalid: string };

/** Each of them is compared with every tag of the registry, and one workload must not cost the others their time. */
const maximumPatterns = 50;

/** Compiles a comma list of globs; empty items are dropped. Total: every text gives globs or the sentence that says what is wrong. */
export function compileGlobs(text: string): GlobsOrInvalid {
  const globs: Glob[] = [];
  for (const item of itemsOf(text)) {
    if (item.trim() === '') continue;
    const glob = compileGlob(item.trim());
    if ('invalid' in glob) return glob;
    globs.push(glob);
  }
  const patterns = globs.reduce((sum, { alternatives }) => sum + alternatives, 0);
  if (patterns > maximumPatterns) return { invalid: `it has more than ${maximumPatterns} patterns, those in braces counted singly` };
  return { globs };
}

/** Commas in braces, in sets and after a `\` are part of an item. */
function itemsOf(list: string): string[] {
  const items = [''];
  let depth = 0;
  let inSet = false;
  for (let at = 0; at < list.length; at++) {
    const character = list.charAt(at);
    if (character === ',' && depth === 0 && !inSet) {
      items.push('');
      continue;
    }
    if (character === '[') inSet = true;
    else if (character === ']') inSet = false;
    else if (character === '{' && !inSet) depth++;
    else if (character === '}' && !inSet) depth = Math.max(0, depth - 1);
    items[items.length - 1] += character === '\\' ? character + list.charAt(++at) : character;
  }
  return items;
}
