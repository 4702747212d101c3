import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';

/** 0 done, 1 not found, refused or failed, 2 usage, 3 unreachable, 4 not allowed. */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** The outside of a command, so that tests need no process. */
export interface CommandIo {
  /** The text of a file; `-` is standard input. */
  read(path: string): Promise<string>;
  /** The YAML and JSON files below a directory, in order; any other path as it is. */
  filesOf(path: string): Promise<readonly string[]>;
  print(text: string): void;
  complain(text: string): void;
  end(code: ExitCode): void;
}

export const processIo: CommandIo = {
  read: (path) => (path === '-' ? text(process.stdin) : readFile(path, 'utf8')),
  filesOf: listFiles,
  print: (output) => void process.stdout.write(output),
  complain: (message) => void process.stderr.write(message),
  end: (code) => {
    process.exitCode = code;
  },
};

async function listFiles(path: string): Promise<readonly string[]> {
  if (path === '-' || !(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name));
  return files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
}

/** What commander itself says goes the same way; wrong usage ends with 2. */
export function withIo(command: Command, io: CommandIo): Command {
  return command
    .configureOutput({ writeOut: (output) => io.print(output), writeErr: (message) => io.complain(message) })
    .exitOverride((error) => {
      io.end(error.exitCode === 0 ? 0 : 2);
      throw error;
    });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
