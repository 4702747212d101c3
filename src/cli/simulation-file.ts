import { caseReader, type SimulationCase } from './simulation-case.ts';

/** Cases of a file, or sentences that name the case and the field that are wrong. */
export type CasesOrMistakes = { readonly cases: readonly SimulationCase[] } | { readonly mistakes: readonly string[] };

/** Reads YAML or JSON: a list of cases, or several YAML documents, each a case or a list. `name` is said in errors. */
export async function readCases(text: string, name: string): Promise<CasesOrMistakes> {
  const json = parseJson(text);
  if (json) return checkCases([json.value], false);
  const documents = await parseYaml(text, name);
  if ('mistake' in documents) return { mistakes: [documents.mistake] };
  return checkCases(documents.documents, true);
}

/** JSON is YAML too, but here its numbers and booleans are told from strings. */
function parseJson(text: string): { value: unknown } | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

async function parseYaml(text: string, name: string): Promise<{ documents: readonly unknown[] } | { mistake: string }> {
  const { FAILSAFE_SCHEMA, loadAll, YAMLException } = await import('js-yaml');
  try {
    // An empty document reads as an empty text.
    return { documents: loadAll(text, { schema: FAILSAFE_SCHEMA, filename: name }).filter((document) => document !== '') };
  } catch (error) {
    if (error instanceof YAMLException) return { mistake: error.toString(true).replace(/^YAMLException: /, '') };
    return { mistake: `${name}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function checkCases(documents: readonly unknown[], scalarsAreText: boolean): CasesOrMistakes {
  const reader = caseReader({ scalarsAreText });
  const cases: SimulationCase[] = [];
  const mistakes: string[] = [];
  const values = documents.flatMap((document): readonly unknown[] => (Array.isArray(document) ? document : [document]));
  for (const [index, value] of values.entries()) {
    const read = reader.read(value);
    if ('input' in read) cases.push(read);
    else mistakes.push(...read.map(({ field, message }) => `case ${describeCase(value, index)}: ${field}: ${message}`));
  }
  return mistakes.length > 0 ? { mistakes } : { cases };
}

function describeCase(value: unknown, index: number): string {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? `${index + 1} (${JSON.stringify(name.slice(0, 60))})` : String(index + 1);
}
