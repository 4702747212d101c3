import { readFileSync } from 'node:fs';

/** A row of a table, by the names of its columns. */
export type Row = Readonly<Record<string, string>>;

export interface Page {
  readonly path: string;
  readonly text: string;
  readonly headings: readonly string[];
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
  readonly tables: readonly (readonly Row[])[];
}

/** A page of the documentation, with the parts of it that can be run. */
export function readPage(path: string): Page {
  const text = readFileSync(path, 'utf8');
  const blocks = [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', block = '']) => ({ language, text: block }));
  const headings = [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return { path, text, headings, blocks, tables: readTables(text) };
}

/** The rows of all tables that have these columns. */
export function rowsWith({ tables }: Page, ...columns: string[]): readonly Row[] {
  return tables.filter((table) => columns.every((column) => column in (table[0] ?? {}))).flat();
}

/** The texts in back quotes of a cell. */
export function codes(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

/** The text of a cell without back quotes. */
export function plain(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}

/** The name under which a heading is linked to. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function readTables(text: string): readonly (readonly Row[])[] {
  const found = text.match(/(?:^\|.*\|\n)+/gm) ?? [];
  return found.map((lines) => {
    const [head = [], , ...rows] = lines.trim().split('\n').map(readCells);
    return rows.map((cells) => Object.fromEntries(head.map((name, column) => [name, cells[column] ?? ''])));
  });
}

function readCells(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
