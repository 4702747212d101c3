import { spawn } from 'node:child_process';
import { NoIdentity } from './identity-world.ts';

export interface PluginCommand {
  /** Absolute. */
  readonly path: string;
  readonly args: readonly string[];
  /** All of it: nothing of our own environment is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Runs a program without a shell and gives what it wrote to its standard output. Throws NoIdentity, or the signal's reason. */
export async function runPlugin(command: PluginCommand, signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const child = spawn(command.path, command.args, { env: command.env, cwd: '/', shell: false, stdio: ['pipe', 'pipe', 'ignore'] });
  const stop = (error: unknown): void => {
    reject(error);
    child.kill('SIGKILL');
    // What it started may still hold the other end.
    child.stdout.destroy();
  };
  const abort = (): void => stop(signal.reason);
  const timer = setTimeout(() => stop(new NoIdentity(`it gave no answer within ${command.timeoutMs / 1000} s`)), command.timeoutMs);
  signal.addEventListener('abort', abort, { once: true });

  const parts: Buffer[] = [];
  let size = 0;
  child.stdout.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= command.maxBytes) parts.push(part);
    else stop(new NoIdentity(`its output is longer than ${command.maxBytes} bytes`));
  });
  child.on('error', (error) => reject(new NoIdentity(`it cannot be run (${codeOf(error)})`, { cause: error })));
  // Not 'exit': what it wrote last may come after that.
  child.on('close', (status, killedBy) => {
    if (status === 0) resolve(Buffer.concat(parts));
    else reject(new NoIdentity(`it ended with ${status === null ? `the signal ${killedBy}` : `the status ${status}`}`));
  });
  // It may end without reading.
  child.stdin.on('error', () => undefined).end(command.input);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
