import { existsSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadFile } from '../config/checked-files.ts';

/** Files that were read, also those that were not there, so that their next change can be seen. */
export interface LocalFiles {
  readonly read: ReadFile;
  /** Tells the state of the files as they were read from any other. */
  readonly seen: () => string;
  /** The same of their state now; follows the links by which Kubernetes swaps a mounted Secret. */
  readonly now: () => Promise<string>;
}

const maximumBytes = 4 * 1024 * 1024;

export function localFiles(): LocalFiles {
  const states = new Map<string, string>();
  const join = (entries: Iterable<readonly [string, string]>): string =>
    [...entries]
      .map(([path, state]) => `${path} ${state}`)
      .toSorted()
      .join('\n');
  return {
    read(path) {
      // Before the reading: what changes meanwhile is a change.
      states.set(path, stateOf(statSync(path, { throwIfNoEntry: false })));
      return readText(path);
    },
    seen: () => join(states),
    now: async () =>
      join(await Promise.all([...states.keys()].map(async (path) => [path, stateOf(await stat(path).catch(() => undefined))] as const))),
  };
}

const defaultConfigFiles = ['/etc/headwind/config.yaml', '/etc/headwind/ui/config.yaml'];

/** The configuration file when none is named: the first of the usual ones that exists. */
export function usualConfigFile(candidates: readonly string[] = defaultConfigFiles): string | undefined {
  return candidates.find((path) => existsSync(path));
}

const certificate = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED )?CERTIFICATE-----/g;
const mostFiles = 1000;

/** Certificates where `SSL_CERT_FILE` and `SSL_CERT_DIR` say; what is not there or is no PEM is passed over, as OpenSSL does. */
export function readSystemRoots({
  file,
  folder,
}: {
  readonly file: string | undefined;
  readonly folder: string | undefined;
}): readonly string[] {
  const folders = (folder ?? '').split(':').filter((name) => name !== '');
  const files = [...(file === undefined ? [] : [file]), ...folders.flatMap((name) => filesIn(name))];
  const blocks = files.flatMap((path) => {
    const content = readText(path);
    return 'text' in content ? (content.text.match(certificate) ?? []) : [];
  });
  return [...new Set(blocks)];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .slice(0, mostFiles)
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function readText(path: string): ReturnType<ReadFile> {
  try {
    const { size } = statSync(path);
    if (size > maximumBytes) return { problem: `is larger than ${maximumBytes / 1024 / 1024} MiB`, missing: false };
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return problemOf(error);
  }
}

const problems: Readonly<Record<string, string>> = {
  EACCES: 'may not be read by this user; correct its mode or owner',
  EISDIR: 'is a folder, not a file',
};

function problemOf(error: unknown): { problem: string; missing: boolean } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return { problem: 'does not exist', missing: true };
  return { problem: problems[code] ?? `cannot be read: ${error instanceof Error ? error.message : String(error)}`, missing: false };
}

function stateOf(found: Pick<Stats, 'ino' | 'size' | 'mtimeMs'> | undefined): string {
  return found === undefined ? 'none' : `${found.ino} ${found.size} ${found.mtimeMs}`;
}
