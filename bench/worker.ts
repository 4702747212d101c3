import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly input: any;
}

interface Answer {
  readonly id: number;
  readonly result?: any;
  readonly error?: string;
}

/** A file of this folder in a process of its own, so that its work is not counted as ours; it ends with this process. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(file: string) {
    this.#child = fork(join(import.meta.dirname, file), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
    this.#child.once('exit', () => {
      for (const [id, answer] of this.#waiting) answer({ id, error: `${file} ended` });
    });
  }

  /** Calls the function of that name in the worker. */
  ask(name: string, input: unknown = null): Promise<any> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error === undefined) resolve(result);
        else reject(new Error(error));
      });
      this.#child.send({ id, name, input } satisfies Question);
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

/** In the worker: answers questions until the other side is gone. */
export function answerQuestions(functions: Readonly<Record<string, (input: any) => unknown>>): void {
  const answer = async ({ id, name, input }: Question): Promise<void> => {
    try {
      process.send?.({ id, result: (await functions[name]?.(input)) ?? null } satisfies Answer);
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Answer);
    }
  };
  process.on('message', (question: Question) => void answer(question));
  process.once('disconnect', () => process.exit());
}
