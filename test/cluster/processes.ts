import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command, Report } from './supervise.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly error?: string;
}

/** A program that ends with this process, however this process ends. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  /** Settles when it has ended, never rejects. */
  readonly exited: Promise<Ended>;
  /** How it ended, once it has. */
  ended(): Ended | undefined;
  /** SIGTERM, SIGKILL after five seconds; resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL at once. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** The last lines it wrote. */
  log(lines?: number): string;
}

export interface StartOptions {
  readonly file: string;
  readonly args: readonly string[];
  /** Folder in which it runs and where `<name>.log` is written. */
  readonly folder: string;
  /** Defaults to the file's name. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Waiting {
  started(pid: number): void;
  exited(how: Ended): void;
}

const noProxy = { NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost' };
let running: Supervisor | undefined;

/** Starts a program under the supervisor; rejects when it cannot be executed. */
export async function startProcess({ file, args, folder, env = {}, name = basename(file) }: StartOptions): Promise<ManagedProcess> {
  const supervisor = theSupervisor();
  const log = join(folder, `${name}.log`);
  let ended: Ended | undefined;
  const exit = Promise.withResolvers<Ended>();
  const start = Promise.withResolvers<number>();
  const id = supervisor.expect({
    started: start.resolve,
    exited: (how) => {
      ended = how;
      exit.resolve(how);
      start.reject(new Error(`${file} did not start: ${how.error ?? how.code}`));
    },
  });
  supervisor.tell({ type: 'start', id, file, args, env: { ...noProxy, ...env }, cwd: folder, log });
  const pid = await supervisor.whileBusy(start.promise);
  const end = (signal: 'SIGTERM' | 'SIGKILL') => async () => {
    if (ended) return;
    supervisor.tell({ type: 'stop', id, signal });
    await supervisor.whileBusy(exit.promise);
  };
  return {
    name,
    pid,
    exited: exit.promise,
    ended: () => ended,
    stop: end('SIGTERM'),
    kill: end('SIGKILL'),
    signal: (signal) => {
      if (!ended) process.kill(pid, signal);
    },
    log: (lines = 30) => tail(log, lines),
  };
}

/** A new temporary folder that goes with this process at the latest. */
export function makeStateFolder(prefix: string): string {
  const path = mkdtempSync(join(tmpdir(), `headwind-${prefix}-`));
  theSupervisor().tell({ type: 'keep-folder', path });
  return path;
}

export function removeStateFolder(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  theSupervisor().tell({ type: 'remove-folder', path });
}

function tail(path: string, lines: number): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

function theSupervisor(): Supervisor {
  if (!running?.isAlive()) running = new Supervisor();
  return running;
}

class Supervisor {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #pids = new Map<number, number>();
  #lastId = 0;
  #busy = 0;

  constructor() {
    // Detached: Ctrl-C reaches the whole foreground group, and the order of stopping is ours to choose.
    const script = fileURLToPath(new URL('supervise.ts', import.meta.url));
    this.#child = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin?.on('error', () => undefined); // a dead supervisor is noticed by its exit
    this.#child.once('exit', () => {
      this.#abandon();
    });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        const report: Report = JSON.parse(line);
        this.#hear(report);
      });
    }
    this.#setBusy(0);
  }

  isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  expect(waiting: Waiting): number {
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, waiting);
    return this.#lastId;
  }

  tell(command: Command): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  /** Keeps this process alive for as long as the supervisor owes an answer, and not longer. */
  async whileBusy<T>(answer: Promise<T>): Promise<T> {
    this.#setBusy(1);
    try {
      return await answer;
    } finally {
      this.#setBusy(-1);
    }
  }

  #setBusy(change: number): void {
    this.#busy += change;
    const method = this.#busy > 0 ? 'ref' : 'unref';
    const { stdin, stdout } = this.#child;
    for (const handle of [this.#child, stdin, stdout]) if (handle && isCounted(handle)) handle[method]();
  }

  #hear(report: Report): void {
    if (report.type === 'started') {
      this.#pids.set(report.id, report.pid);
      this.#waiting.get(report.id)?.started(report.pid);
    } else {
      this.#pids.delete(report.id);
      this.#waiting.get(report.id)?.exited(report);
      this.#waiting.delete(report.id);
    }
  }

  #abandon(): void {
    for (const pid of this.#pids.values()) killIfThere(pid);
    for (const waiting of this.#waiting.values()) waiting.exited({ code: null, signal: null, error: 'the supervisor ended' });
    this.#pids.clear();
    this.#waiting.clear();
  }
}

/** Keeps the process alive while it is open, as sockets and children do. */
function isCounted(handle: object): handle is { ref(): void; unref(): void } {
  return 'ref' in handle && 'unref' in handle;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
