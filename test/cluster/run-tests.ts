// node test/cluster/run-tests.ts [options of node --test] <files or globs>: one cluster for all of them.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedClusterVariable, sharedKwokNodes, startTestBed } from './test-bed.ts';

const log = (line: string) => {
  console.error(`[test bed] ${line}`);
};

/** Runs `node --test` with the arguments and gives its exit code. */
async function runTests(args: readonly string[], describedIn: string, signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, ['--test', ...args], {
    env: { ...process.env, [sharedClusterVariable]: describedIn },
    stdio: 'inherit',
  });
  signal.addEventListener('abort', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

async function main(args: readonly string[]): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  log('starting a control plane, a registry and nodes');
  const bed = await startTestBed({ kwokNodes: sharedKwokNodes, log });
  try {
    const describedIn = join(bed.cluster.folder, 'shared.json');
    writeFileSync(describedIn, JSON.stringify(bed.describe()), { mode: 0o600 });
    process.exitCode = stopping.signal.aborted ? 1 : await runTests(args, describedIn, stopping.signal);
    if (process.exitCode !== 0) log(`the last lines of all processes:\n${bed.logs(15)}`);
  } finally {
    await bed.stop();
  }
}

await main(process.argv.slice(2));
