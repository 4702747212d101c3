// `make bench`: measures the performance budget on the built bundle, against a real control plane, and prints a table. A row that misses its
// budget is shown as such; the exit code is 1 only when something could not be measured.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { engineStage } from './engine-stage.ts';
import { defaultExecutable } from './operator.ts';
import { formatTable, Report } from './report.ts';
import { isRowId, type RowId, rowTable, type StageName, wantedRows } from './rows.ts';
import { type Scale, scaleOf } from './scale.ts';
import { sizeStage } from './size-stage.ts';
import type { StageContext } from './stage.ts';
import { updatesStage } from './updates-stage.ts';

const root = join(import.meta.dirname, '..');
const stages: Readonly<Record<StageName, (context: StageContext) => Promise<void>>> = {
  engine: engineStage,
  updates: updatesStage,
  size: sizeStage,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    /** Another build of bin/headwind. */
    headwind: { type: 'string', default: defaultExecutable },
    /** libjemalloc.so.2, preloaded for the operator as the image does. */
    jemalloc: { type: 'string' },
  },
});

const startedAt = performance.now();

function say(line: string): void {
  console.error(`[bench ${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s] ${line}`);
}

function rowsNamed(list: string): RowId[] {
  const names = list.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !isRowId(name));
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}; there are ${Object.keys(rowTable).join(', ')}`);
  return names.filter(isRowId);
}

function environment(): Record<string, string> {
  if (values.jemalloc === undefined) return {};
  return { LD_PRELOAD: resolve(values.jemalloc), MALLOC_CONF: 'dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true' };
}

/** Runs each part that has a row to measure; gives what went wrong. */
async function runStages(report: Report, scale: Scale, rows: readonly RowId[]): Promise<string[]> {
  const failures: string[] = [];
  const context: StageContext = { report, scale, executable: resolve(values.headwind), env: environment(), say };
  for (const [name, stage] of Object.entries(stages)) {
    if (!rows.some((id) => rowTable[id].stage === name)) continue;
    try {
      await stage(context);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  return failures;
}

function writeJson(report: Report, scale: Scale, failures: readonly string[]): string {
  const date = new Date().toISOString();
  const path = values.json ?? join(root, 'bench/results', `${date.replaceAll(':', '-').slice(0, 19)}.json`);
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  mkdirSync(dirname(resolve(path)), { recursive: true });
  const facts = { date, version, commit: commit(), machine, jemalloc: values.jemalloc !== undefined, scale, seconds };
  writeFileSync(path, `${JSON.stringify({ ...facts, rows: report.lines, missing: report.missing, failures }, null, 2)}\n`);
  return path;
}

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}

async function main(): Promise<number> {
  const scale = scaleOf({ isQuick: values.quick, isFull: values.full });
  const rows = wantedRows(rowsNamed(values.only), scale);
  const report = new Report(scale, rows, say);
  const failures = await runStages(report, scale, rows);
  const path = writeJson(report, scale, failures);
  console.log(formatTable(report.lines));
  for (const failure of failures) console.error(`\nnot measured: ${failure}`);
  console.log(`\n${report.lines.filter(({ ok }) => !ok).length} of ${report.lines.length} rows miss their budget; details in ${path}`);
  return failures.length + report.missing.length > 0 ? 1 : 0;
}

process.exit(await main());
