import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { argsOf } from './control-plane-commands.ts';
import type { ComponentName, ComponentOptions } from './control-plane-commands.ts';
import { saysPortIsTaken } from './ports.ts';
import { startProcess } from './processes.ts';
import type { ManagedProcess } from './processes.ts';
import { GiveUp, until } from './until.ts';

const readyWithinMs = 60_000;

/** The processes of one control plane. */
export class Components {
  readonly #folder: string;
  readonly #paths: Readonly<Partial<Record<ComponentName, string>>>;
  readonly #options: ComponentOptions;
  readonly #running = new Map<ComponentName, ManagedProcess>();

  constructor(folder: string, paths: Readonly<Partial<Record<ComponentName, string>>>, options: ComponentOptions) {
    this.#folder = folder;
    this.#paths = paths;
    this.#options = options;
  }

  /** Starts them and resolves when they are ready; a process that ends before fails the start with the end of its log. */
  async startAll(names: readonly ComponentName[]): Promise<void> {
    const storage = names.filter(isStorage);
    for (const name of storage) await this.#start(name);
    await this.#untilReady(storage);
    for (const name of names.filter((name) => !isStorage(name))) await this.#start(name);
    if (names.includes('kube-controller-manager')) await this.#untilControllersWork(names);
  }

  /** After a crash of the API server. Controllers start anew: left alone they back off for up to a minute before they look again. */
  async startApiServer(): Promise<void> {
    const controllers = this.names().filter((name) => !isStorage(name));
    for (const name of controllers) await this.kill(name);
    await this.startAll(['kube-apiserver', ...controllers]);
  }

  /** In reverse order, so that nobody complains about a server that is gone. */
  async stopAll(): Promise<void> {
    for (const [, process] of [...this.#running].toReversed()) await process.stop();
  }

  async kill(name: ComponentName): Promise<void> {
    await this.#running.get(name)?.kill();
  }

  names(): readonly ComponentName[] {
    return [...this.#running.keys()];
  }

  pids(): readonly number[] {
    return [...this.#running.values()].filter((process) => !process.ended()).map(({ pid }) => pid);
  }

  lostPort(): boolean {
    return [...this.#running.values()].some((process) => process.ended() && saysPortIsTaken(process.log()));
  }

  logs(lines = 30): string {
    return [...this.#running.values()].map((process) => `--- ${process.name}\n${process.log(lines)}`).join('\n');
  }

  async #start(name: ComponentName): Promise<void> {
    const file = this.#paths[name] ?? name;
    this.#running.set(name, await startProcess({ name, file, args: argsOf(name, this.#options), folder: this.#folder }));
  }

  #untilReady(names: readonly ComponentName[]): Promise<unknown> {
    return until(
      'the API server is ready',
      async (see) => {
        this.#demandAlive(names);
        const { status, body } = await this.#ask('/readyz?verbose', 'admin');
        see(body);
        // Ready comes a moment before the rights are loaded, and whoever asks in between is refused.
        return status === 200 && (await this.#ask('/api/v1/nodes?limit=1', 'controllerManager')).status === 200;
      },
      { timeoutMs: readyWithinMs },
    );
  }

  #untilControllersWork(names: readonly ComponentName[]): Promise<unknown> {
    return until(
      'the controller manager makes ServiceAccounts (pods are refused before)',
      async () => {
        this.#demandAlive(names);
        return (await this.#ask('/api/v1/namespaces/default/serviceaccounts/default', 'admin')).status === 200;
      },
      { timeoutMs: readyWithinMs },
    );
  }

  #demandAlive(names: readonly ComponentName[]): void {
    for (const name of names) {
      const process = this.#running.get(name);
      const ended = process?.ended();
      if (process && ended) throw new GiveUp(`${process.name} ended with ${ended.error ?? ended.signal ?? ended.code}:\n${process.log()}`);
    }
  }

  #ask(path: string, user: 'admin' | 'controllerManager'): Promise<{ status: number; body: string }> {
    const ca = readFileSync(join(this.#folder, 'ca.crt'));
    const tokens: Record<string, string> = JSON.parse(readFileSync(join(this.#folder, 'tokens.json'), 'utf8'));
    const options = { host: '127.0.0.1', port: this.#options.ports.api, path, ca, headers: { authorization: `Bearer ${tokens[user]}` } };
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...options, agent: false, timeout: 5_000 }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body });
        });
        response.on('error', reject);
      });
      outgoing
        .on('error', reject)
        .on('timeout', () => outgoing.destroy(new Error('no answer within 5 s')))
        .end();
    });
  }
}

function isStorage(name: ComponentName): boolean {
  return name === 'etcd' || name === 'kube-apiserver';
}
