// Runs as a process of its own, one per process that uses the test bed, and holds the other end of a pipe to it.
// However that process ends (Ctrl-C, crash, SIGKILL), the pipe closes, and everything started here ends too.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type Command =
  | { type: 'start'; id: number; file: string; args: readonly string[]; env: Readonly<Record<string, string>>; cwd: string; log: string }
  | { type: 'stop'; id: number; signal: 'SIGTERM' | 'SIGKILL' }
  | { type: 'keep-folder'; path: string }
  | { type: 'remove-folder'; path: string };

export type Report =
  | { type: 'started'; id: number; pid: number }
  | { type: 'exited'; id: number; code: number | null; signal: string | null; error?: string };

const graceMs = 5_000;
const children = new Map<number, ChildProcess>();
const folders = new Set<string>();

function report(message: Report): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function start({ id, file, args, env, cwd, log }: Command & { type: 'start' }): void {
  const output = openSync(log, 'a');
  const child = spawn(file, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', output, output] });
  closeSync(output);
  child.once('error', (error) => {
    if (child.pid === undefined) report({ type: 'exited', id, code: null, signal: null, error: error.message });
  });
  child.once('exit', (code, signal) => {
    children.delete(id);
    report({ type: 'exited', id, code, signal });
  });
  if (child.pid === undefined) return;
  children.set(id, child);
  report({ type: 'started', id, pid: child.pid });
}

function stop(id: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  const child = children.get(id);
  child?.kill(signal);
  child?.kill('SIGCONT'); // one that was paused hears nothing otherwise
  setTimeout(() => children.get(id)?.kill('SIGKILL'), graceMs).unref();
}

function removeFolder(path: string): void {
  folders.delete(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

function obey(command: Command): void {
  if (command.type === 'start') start(command);
  else if (command.type === 'stop') stop(command.id, command.signal);
  else if (command.type === 'keep-folder') folders.add(command.path);
  else removeFolder(command.path);
}

async function endAll(): Promise<void> {
  const ended = [...children.values()].map((child) => new Promise((resolve) => child.once('exit', resolve)));
  for (const id of [...children.keys()].toReversed()) stop(id, 'SIGTERM');
  const keepAlive = setInterval(() => undefined, 1_000);
  await Promise.all(ended);
  clearInterval(keepAlive);
  for (const path of folders) removeFolder(path);
  process.exit();
}

if (import.meta.main) {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void endAll());
  process.stdout.on('error', () => undefined); // nobody listens any more: the closed pipe below says the same
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const command: Command = JSON.parse(line);
      obey(command);
    })
    .on('close', () => void endAll());
}
