import type { Log } from '../ports.ts';

const nothing = (): void => undefined;

/** A log whose warnings become sentences for the person who asked, each once; what a report shows in another place is left out. */
export function warningsAsNotes(): { readonly log: Log; readonly notes: () => readonly string[] } {
  const notes = new Set<string>();
  const warn = (fields: object, message: string): void => {
    const note = noteOf(new Map(Object.entries(fields)), message);
    if (note !== undefined) notes.add(note);
  };
  return { log: { debug: nothing, info: nothing, warn, error: warn }, notes: () => [...notes] };
}

function noteOf(fields: ReadonlyMap<string, unknown>, message: string): string | undefined {
  const [problem, detail, entry, warning] = ['problem', 'detail', 'entry', 'warning'].map((name) => fields.get(name));
  // A refused credential stands in the table; a host that is left alone has its cool-down.
  if (fields.has('why') || fields.has('host')) return undefined;
  if (typeof problem === 'string') return problem;
  if (typeof detail === 'string') return `${String(fields.get('source'))} could not be had: ${detail}`;
  const more = entry ?? warning;
  return typeof more === 'string' ? `${message}: ${more}` : message;
}
