import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StageContext } from './stage.ts';

/** As bin/headwind starts the operator: they decide how V8 compiles. */
const flags = ['--max-semi-space-size=2', '--max-old-space-size=96'];

/** The policy engine alone, in a process of its own. */
export async function engineStage({ report, say }: StageContext): Promise<void> {
  say('the policy engine');
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, join(import.meta.dirname, 'policy-engine.ts')]);
  const { decisionsPerSecond, manyMs }: { decisionsPerSecond: number; manyMs: Record<string, number> } = JSON.parse(stdout);
  report.record('engine-simple', { value: decisionsPerSecond });
  report.record('engine-tags', { value: Math.max(...Object.values(manyMs)), detail: manyMs });
}
