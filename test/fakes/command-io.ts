import { type Command, CommanderError } from 'commander';
import type { CommandIo, ExitCode } from '../../src/cli/command-io.ts';

export interface CommandRun {
  readonly code: ExitCode | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in this process, with files from memory; what it printed and its exit code are the answer. */
export async function runCommand(
  make: (io: CommandIo) => Command,
  args: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const found = { code: undefined as ExitCode | undefined, stdout: '', stderr: '' };
  const command = make({
    read: (path) => (Object.hasOwn(files, path) ? Promise.resolve(files[path]!) : Promise.reject(new Error('no such file'))),
    filesOf: async (path) => {
      const below = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return below.length > 0 ? below.toSorted() : [path];
    },
    print: (text) => void (found.stdout += text),
    complain: (text) => void (found.stderr += text),
    end: (code) => void (found.code = code),
  });
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return found;
}
