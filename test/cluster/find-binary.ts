import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { binaries, isUsableVersion } from './binary-table.ts';
import type { BinaryName } from './binary-table.ts';

/** The program where it already stands on this machine in a version that fits: KUBEBUILDER_ASSETS first, then PATH. */
export async function findBinary(name: BinaryName, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = [env['KUBEBUILDER_ASSETS'] ?? '', ...(env['PATH'] ?? '').split(delimiter)].filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, name);
    if (isExecutable(path) && isUsableVersion(name, await versionText(path, binaries[name].versionArgs))) return path;
  }
  return undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionText(path: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(path, [...args], { timeout: 15_000 });
    return stdout;
  } catch {
    return '';
  }
}
