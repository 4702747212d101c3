import type { PolicyVerdict } from '../core/choose.ts';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface SimulationResult {
  readonly name: string | null;
  readonly current: string;
  readonly verdict: PolicyVerdict;
}

/** The results as text, in the order in which they are given. */
export async function formatResults(results: readonly SimulationResult[], format: OutputFormat): Promise<string> {
  if (format === 'table') return formatTable(results);
  const data = results.map(({ name, verdict: { outcome, tag, reason, message, considered } }) => ({
    name,
    outcome,
    tag,
    reason,
    message,
    considered,
  }));
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`;
  const { dump } = await import('js-yaml');
  return dump(data, { noRefs: true, lineWidth: -1 });
}

function formatTable(results: readonly SimulationResult[]): string {
  const rows = [
    ['NAME', 'CURRENT', 'OUTCOME', 'TAG', 'REASON', 'MESSAGE'],
    ...results.map(({ name, current, verdict }) => [
      name ?? '-',
      shortDigest(current),
      verdict.outcome,
      verdict.tag ?? '-',
      verdict.reason,
      verdict.message,
    ]),
  ].map((row) => row.map(printable));
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, column) => Math.max(cell.length, all[column] ?? 0)), []);
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   '));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function shortDigest(current: string): string {
  const at = current.indexOf('@');
  return at < 0 || current.length - at <= 20 ? current || '-' : `${current.slice(0, at + 20)}…`;
}

/** Names and patterns come from a file: nothing in them may move the cursor or colour the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
