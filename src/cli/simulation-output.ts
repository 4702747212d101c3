import type { PolicyVerdict } from '../core/choose.ts';
import { formatTable } from './text-table.ts';

export const outputFormats = ['table', 'json', 'yaml'] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface SimulationResult {
  readonly name: string | null;
  readonly current: string;
  readonly verdict: PolicyVerdict;
}

/** The results as text, in the order in which they are given. */
export async function formatResults(results: readonly SimulationResult[], format: OutputFormat): Promise<string> {
  if (format === 'table') return formatTable(rowsOf(results));
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

function rowsOf(results: readonly SimulationResult[]): string[][] {
  return [
    ['NAME', 'CURRENT', 'OUTCOME', 'TAG', 'REASON', 'MESSAGE'],
    ...results.map(({ name, current, verdict }) => [
      name ?? '-',
      shortDigest(current),
      verdict.outcome,
      verdict.tag ?? '-',
      verdict.reason,
      verdict.message,
    ]),
  ];
}

function shortDigest(current: string): string {
  const at = current.indexOf('@');
  return at < 0 || current.length - at <= 20 ? current || '-' : `${current.slice(0, at + 20)}…`;
}
