import { join } from 'node:path';
import { binaries, binaryNames, clusterBinaries, groups } from './binary-table.ts';
import type { BinaryName, Group } from './binary-table.ts';
import { buildGroup, fetchModules, goVersion, groupFolder } from './build-binaries.ts';
import type { Log } from './build-binaries.ts';
import { findBinary, isExecutable } from './find-binary.ts';

export type { BinaryName } from './binary-table.ts';
export type BinaryPaths = Readonly<Partial<Record<BinaryName, string>>>;

/** Paths of all `names`: as found on the machine when the version fits, else built from Go modules into the cache. */
export async function ensureBinaries<N extends BinaryName>(
  names: readonly N[],
  { log = () => undefined }: { log?: Log } = {},
): Promise<Record<N, string>> {
  const paths: Partial<Record<BinaryName, string>> = {};
  for (const name of names) {
    const found = await findBinary(name, process.env);
    if (found !== undefined) paths[name] = found;
  }
  const missing = names.filter((name) => paths[name] === undefined);
  if (missing.length > 0) Object.assign(paths, await buildMissing(missing, log));
  if (!hasAll(paths, names)) throw new Error(`built, and still not there: ${missing.join(', ')}`);
  return paths;
}

function hasAll<N extends BinaryName>(paths: BinaryPaths, names: readonly N[]): paths is Record<N, string> {
  return names.every((name) => paths[name] !== undefined);
}

async function buildMissing(names: readonly BinaryName[], log: Log): Promise<BinaryPaths> {
  const go = await goVersion();
  const plan = groups.flatMap((group) => {
    const wanted = names.filter((name) => binaries[name].group === group.name);
    return wanted.length === 0 ? [] : [{ group, wanted, folder: groupFolder(group.name, go) }];
  });
  const toBuild = plan.filter(({ wanted, folder }) => wanted.some((name) => !isExecutable(join(folder, 'bin', name))));
  if (toBuild.length > 0) {
    const list = toBuild.flatMap(({ wanted }) => wanted).join(', ');
    log(`the test bed needs ${list}: built once from Go modules (10 to 15 minutes when nothing is cached yet)`);
  }
  const finished = new AbortController();
  void fetchAll(toBuild.slice(1), finished.signal);
  try {
    for (const { group, wanted, folder } of toBuild) await buildGroup(group, wanted, folder, log);
  } finally {
    finished.abort();
  }
  return Object.fromEntries(plan.flatMap(({ wanted, folder }) => wanted.map((name) => [name, join(folder, 'bin', name)])));
}

async function fetchAll(steps: readonly { group: Group; wanted: readonly BinaryName[] }[], signal: AbortSignal): Promise<void> {
  for (const { group, wanted } of steps) if (!signal.aborted) await fetchModules(group, wanted, signal);
}

async function main(args: readonly string[]): Promise<void> {
  const names = args.length === 0 ? clusterBinaries : args.map(parseName);
  const paths = await ensureBinaries(names, { log: (line) => console.error(`[test bed] ${line}`) });
  for (const name of names) console.log(paths[name]);
}

function parseName(text: string): BinaryName {
  const name = binaryNames.find((known) => known === text);
  if (name === undefined) throw new Error(`no program of the test bed is called ${text}; there are ${binaryNames.join(', ')}`);
  return name;
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
