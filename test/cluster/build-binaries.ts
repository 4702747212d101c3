import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { binaries } from './binary-table.ts';
import type { BinaryName, Group, GroupName } from './binary-table.ts';
import { withLock } from './build-lock.ts';
import { isExecutable } from './find-binary.ts';

export type Log = (line: string) => void;

const progressEveryMs = 15_000;
const toolsFolder = new URL('../../tools/', import.meta.url).pathname;

/** The version line of the Go compiler, or an error that says what to do. */
export async function goVersion(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('go', ['version']);
    return stdout.trim();
  } catch (cause) {
    throw new Error(
      'The test bed builds etcd, Kubernetes and the registry from Go modules, and there is no `go` on the PATH.\n' +
        'Install Go 1.26 or later (https://go.dev/dl/), or put ready binaries on the PATH or into the folder KUBEBUILDER_ASSETS names.',
      { cause },
    );
  }
}

/** Where the programs of a group live: outside the checkout, one folder per content of tools/<group> and compiler. */
export function groupFolder(name: GroupName, go: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(join(toolsFolder, name)).toSorted()) hash.update(readFileSync(join(toolsFolder, name, file)));
  return join(testBedCache(), hash.update(go).digest('hex').slice(0, 32));
}

/** The folder outside the checkout in which everything is kept that was built or fetched once. */
export function testBedCache(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'headwind', 'testbed');
}

/** Builds those of `names` that the group's folder lacks; goes on where an interrupted run stopped. */
export async function buildGroup(group: Group, names: readonly BinaryName[], folder: string, log: Log): Promise<void> {
  const bin = join(folder, 'bin');
  const missing = () => names.filter((name) => !isExecutable(join(bin, name)));
  if (missing().length === 0) return;
  mkdirSync(bin, { recursive: true });
  const onWait = () => {
    log(`another process builds ${group.name}; waiting for it`);
  };
  await withLock(folder, onWait, async () => {
    const wanted = missing();
    if (wanted.length > 0) await buildInto(bin, group, wanted, log);
  });
}

/** Downloads the modules that a later build needs while this machine's processors are busy with another. Never rejects. */
export function fetchModules(group: Group, names: readonly BinaryName[], signal: AbortSignal): Promise<void> {
  const args = ['list', '-deps', ...names.map((name) => binaries[name].goPackage)];
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = spawn('go', args, { ...goOptions(group), stdio: 'ignore', signal });
  go.once('error', () => resolve()).once('close', () => resolve());
  return promise;
}

async function buildInto(bin: string, group: Group, names: readonly BinaryName[], log: Log): Promise<void> {
  for (const left of readdirSync(bin)) if (left.startsWith('.building-')) rmSync(join(bin, left), { recursive: true, force: true });
  const building = mkdtempSync(join(bin, '.building-'));
  const startedAt = Date.now();
  log(`building ${names.join(', ')}`);
  try {
    // A single package needs its file name (etcd's is called server); several go into the folder under their own names.
    const output = names.length === 1 ? join(building, names[0] ?? '') : `${building}/`;
    const packages = names.map((name) => binaries[name].goPackage);
    await runGo(['build', '-v', '-trimpath', '-ldflags', group.ldflags, '-o', output, ...packages], group, log);
    for (const name of names) renameSync(join(building, name), join(bin, name));
    log(`built ${names.join(', ')} in ${seconds(startedAt)}`);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

function runGo(args: readonly string[], group: Group, log: Log): Promise<void> {
  const startedAt = Date.now();
  const go = spawn('go', args, {
    ...goOptions(group),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stopGo = () => go.kill();
  process.once('exit', stopGo);
  const said: string[] = [];
  const compiled = new Set<string>();
  createInterface({ input: go.stderr }).on('line', (line) => {
    if (/^[\w./~-]+$/.test(line)) compiled.add(line);
    else said.push(line);
  });
  const progress = setInterval(() => {
    log(`${group.name}: ${seconds(startedAt)}, ${compiled.size} of at most ${group.packages} packages compiled${lastDownload(said)}`);
  }, progressEveryMs);
  return new Promise<void>((resolve, reject) => {
    go.once('error', reject);
    go.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`go build of ${group.name} ended with ${signal ?? code}:\n${said.slice(-30).join('\n')}`));
    });
  }).finally(() => {
    clearInterval(progress);
    process.off('exit', stopGo);
  });
}

function goOptions({ name }: Group): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: join(toolsFolder, name), env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' } };
}

function lastDownload(said: readonly string[]): string {
  const downloads = said.filter((line) => line.startsWith('go: downloading'));
  return downloads.length === 0 ? '' : `, ${downloads.length} modules downloaded`;
}

function seconds(startedAt: number): string {
  return `${Math.round((Date.now() - startedAt) / 1000)} s`;
}
