import { type CommandIo, messageOf } from './command-io.ts';

/** One object of a file; `document` counts from 1, and an item of a List has the number of its list. */
export interface ManifestObject {
  readonly file: string;
  readonly document: number;
  readonly object: unknown;
}

export type ManifestsOrMistakes = { readonly objects: readonly ManifestObject[] } | { readonly mistakes: readonly string[] };

/** Reads YAML or JSON files, all of a directory, or standard input (`-`): several documents, and lists of objects. */
export async function readManifests(paths: readonly string[], io: CommandIo): Promise<ManifestsOrMistakes> {
  const objects: ManifestObject[] = [];
  const mistakes: string[] = [];
  for (const path of paths) {
    try {
      for (const file of await io.filesOf(path)) objects.push(...(await readManifest(file, await io.read(file))));
    } catch (error) {
      mistakes.push(error instanceof Unreadable ? error.message : `cannot read ${nameOf(path)}: ${messageOf(error)}`);
    }
  }
  return mistakes.length > 0 ? { mistakes } : { objects };
}

class Unreadable extends Error {}

async function readManifest(file: string, text: string): Promise<ManifestObject[]> {
  const { loadAll, YAMLException } = await import('js-yaml');
  try {
    const documents: unknown[] = loadAll(text, { filename: nameOf(file) });
    return documents.flatMap((object, index) => itemsOf(object).map((item) => ({ file: nameOf(file), document: index + 1, object: item })));
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const hint = text.includes('{{') ? '; a template of Helm is rendered first: helm template . and -f -' : '';
    throw new Unreadable(error.toString(true).replace(/^YAMLException: /, '') + hint);
  }
}

/** `kind: List`, and the lists of kinds that kubectl prints. */
function itemsOf(object: unknown): readonly unknown[] {
  if (typeof object !== 'object' || object === null) return [];
  const { kind, items } = { kind: undefined, items: undefined, ...object } as { kind: unknown; items: unknown };
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items.flatMap(itemsOf) : [object];
}

function nameOf(path: string): string {
  return path === '-' ? 'standard input' : path;
}
