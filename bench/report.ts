import { type Budget, type RowDefinition, type RowId, rowTable } from './rows.ts';
import type { Scale } from './scale.ts';

export interface Measured {
  readonly value: number;
  /** Where it is not that of the table. */
  readonly budget?: Budget;
  /** What explains the value; JSON only. */
  readonly detail?: object;
}

export interface Line {
  readonly id: RowId;
  readonly title: string;
  readonly value: number;
  readonly unit: string;
  readonly budget: Budget;
  readonly ok: boolean;
  readonly detail: object | undefined;
}

/** Collects what was measured, each row as soon as it is there. */
export class Report {
  readonly #scale: Scale;
  readonly #wanted: ReadonlySet<RowId>;
  readonly #lines = new Map<RowId, Line>();
  readonly #say: (line: string) => void;

  constructor(scale: Scale, wanted: readonly RowId[], say: (line: string) => void) {
    this.#scale = scale;
    this.#wanted = new Set(wanted);
    this.#say = say;
  }

  /** Has anybody asked for one of these? */
  wants(...ids: readonly RowId[]): boolean {
    return ids.some((id) => this.#wanted.has(id));
  }

  record(id: RowId, measured: Measured): void {
    const { title, unit, budget: usual }: RowDefinition = rowTable[id];
    const { value, budget = usual, detail } = measured;
    if (!this.#wanted.has(id)) return;
    const line = { id, title: title(this.#scale), value, unit, budget, ok: isWithin(value, budget), detail };
    this.#lines.set(id, line);
    this.#say(`${line.title}: ${shown(value)} ${unit}${line.ok ? '' : '  MISS'}`);
  }

  /** In the order of the table. */
  get lines(): Line[] {
    return [...this.#wanted].flatMap((id) => this.#lines.get(id) ?? []);
  }

  /** Asked for, and not there. */
  get missing(): RowId[] {
    return [...this.#wanted].filter((id) => !this.#lines.has(id));
  }
}

function isWithin(value: number, budget: Budget): boolean {
  if (budget === 'none') return true;
  return 'most' in budget ? value <= budget.most : value >= budget.least;
}

/** The table that people read. */
export function formatTable(lines: readonly Line[]): string {
  const cells = lines.map(({ title, value, unit, budget, ok }) => [
    title,
    `${shown(value)} ${unit}`.trim(),
    budget === 'none' ? '' : 'most' in budget ? `≤ ${shown(budget.most)}` : `≥ ${shown(budget.least)}`,
    budget === 'none' ? '' : ok ? 'ok' : 'MISS',
  ]);
  const table = [['row', 'measured', 'budget', ''], ...cells];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((cell) => (cell[column] ?? '').length)));
  return table
    .map((cell) =>
      cell
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n');
}

function shown(value: number): string {
  const digits = value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
