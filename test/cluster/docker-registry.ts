import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { testBedCache } from './build-binaries.ts';
import type { Log } from './build-binaries.ts';
import { withLock } from './build-lock.ts';
import { isExecutable } from './find-binary.ts';

/** The older registry, or why this machine has none; tests that need it are skipped with that reason. */
export type FoundRegistry = { readonly path: string } | { readonly missing: string };

const name = 'docker-registry';
const patienceMs = 120_000;
let found: Promise<FoundRegistry> | undefined;

/**
 * Debian's docker-registry 2.8: from the PATH, else the package is downloaded by apt, once, and unpacked into the cache outside the
 * checkout. Nothing is installed on the machine, and nothing of the package but the one program is ever run.
 */
export function findDockerRegistry({ log = () => undefined }: { log?: Log } = {}): Promise<FoundRegistry> {
  found ??= find(log);
  return found;
}

async function find(log: Log): Promise<FoundRegistry> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const folder = join(testBedCache(), name);
  const unpacked = join(folder, 'package/usr/bin');
  for (const path of [unpacked, ...folders].map((each) => join(each, name))) if (await isVersion2(path)) return { path };
  if (process.platform !== 'linux') return { missing: `${name} is fetched from Debian packages, which are for Linux` };
  try {
    mkdirSync(folder, { recursive: true });
    await withLock(
      folder,
      () => log(`another process fetches ${name}; waiting for it`),
      () => fetchInto(folder, log),
    );
  } catch (error) {
    return { missing: `${name} 2.8 could not be fetched as a Debian package: ${reasonOf(error)}` };
  }
  const path = join(unpacked, name);
  return (await isVersion2(path)) ? { path } : { missing: `the package ${name} of this distribution has no version 2 that runs here` };
}

async function fetchInto(folder: string, log: Log): Promise<void> {
  const target = join(folder, 'package');
  if (isExecutable(join(target, 'usr/bin', name))) return;
  log(`fetching ${name} as a Debian package (5 MB, once)`);
  const fetching = mkdtempSync(join(folder, '.fetching-'));
  try {
    await download(fetching);
    const file = readdirSync(fetching).find((each) => each.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg-deb', ['-x', file, 'package'], fetching);
    rmSync(target, { recursive: true, force: true });
    renameSync(join(fetching, 'package'), target);
  } finally {
    rmSync(fetching, { recursive: true, force: true });
  }
}

/** With the lists of packages that the machine has; if they are missing or old, with lists of its own, so that the machine's stay as they are. */
async function download(folder: string): Promise<void> {
  try {
    await run('apt-get', ['download', name], folder);
  } catch {
    const own = ['lists', 'cache'].map((each) => join(folder, each));
    for (const each of own) mkdirSync(join(each, 'partial'), { recursive: true });
    const options = ['-o', `Dir::State::Lists=${own[0]}`, '-o', `Dir::Cache=${own[1]}`];
    await run('apt-get', [...options, 'update'], folder);
    await run('apt-get', [...options, 'download', name], folder);
  }
}

async function run(file: string, args: readonly string[], cwd: string): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  await promisify(execFile)(file, [...args], { cwd, env, timeout: patienceMs });
}

async function isVersion2(path: string): Promise<boolean> {
  if (!isExecutable(path)) return false;
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 15_000 }).catch(() => ({ stdout: '' }));
  return /\s2\.\d+\.\d+/.test(stdout);
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text.split('\n').filter((line) => line.startsWith('E:'));
  return (lines[0] ?? text.split('\n')[0] ?? '').slice(0, 300);
}
