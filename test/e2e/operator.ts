import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ClusterAccess } from '../cluster/access.ts';
import { makeStateFolder, removeStateFolder, startProcess } from '../cluster/processes.ts';
import type { Ended, ManagedProcess } from '../cluster/processes.ts';
import { GiveUp } from '../cluster/until.ts';
import type { See } from '../cluster/until.ts';
import { atEnd } from './at-end.ts';
import { call } from './call.ts';
import { install, installHome, operatorKubeconfig } from './install.ts';
import { sumOf } from './metrics-text.ts';
import { hasPassed, reportFailure } from './report.ts';

/** Starts the bundle with the project's own Node and its flags. */
export const executable = join(import.meta.dirname, '../../bin/headwind');

export interface OperatorOptions {
  readonly cluster: ClusterAccess;
  /** Registries that speak plain HTTP. */
  readonly registries?: readonly { readonly host: string }[];
  /** Watches only these; its Lease is in the first. Without them everything is as shipped: all namespaces, Lease in headwind-system. */
  readonly namespaces?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the shipped ServiceAccount with the shipped rights, which then are not installed either. */
  readonly kubeconfig?: string;
  /** How far it must be before `startOperator` resolves; `leading` by default. */
  readonly until?: 'listening' | 'ready' | 'leading';
  /** Requests that the API server forbids fail the test, unless it says that it expects them. */
  readonly mayBeForbidden?: boolean;
}

/** The built operator in a process of its own. */
export interface Operator {
  readonly webhook: string;
  readonly api: string;
  readonly metrics: string;
  readonly pid: number;
  /** Everything the running process wrote. */
  logs(): string;
  /** Sum over the samples with these labels; the name goes without `headwind_`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  untilMetric(name: string, labels: Readonly<Record<string, string>>, predicate: (value: number) => boolean): Promise<void>;
  /** Sends the signal and waits for the end; SIGKILL by default. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<Ended>;
  /** After a kill. The Lease of the dead is deleted, which is what waiting for 15 s would come to. */
  revive(): Promise<void>;
  /** SIGTERM, and the same again. */
  restart(): Promise<void>;
  stop(): Promise<Ended>;
}

/** Starts the bundle by `bin/headwind run`, under the shipped rights. It ends with the test; a failure prints its log and the objects. */
export async function startOperator(t: TestContext, options: OperatorOptions): Promise<Operator> {
  const { cluster, namespaces = [] } = options;
  const [home] = namespaces;
  if (options.kubeconfig === undefined) await install(cluster);
  if (options.kubeconfig === undefined && home !== undefined) await installHome(cluster, home);
  const kubeconfig = options.kubeconfig ?? (await operatorKubeconfig(cluster, home));
  const operator = new OperatorProcess(options, kubeconfig);
  atEnd(t, async () => {
    if (!hasPassed(t)) await reportFailure(t, cluster, namespaces, operator.allLogs());
    const forbidden = await operator.forbiddenRequests();
    await operator.end();
    if (hasPassed(t) && options.mayBeForbidden !== true) assert.equal(forbidden, '', 'the shipped rights do not cover a request');
  });
  await operator.start();
  return operator;
}

class OperatorProcess implements Operator {
  readonly #options: OperatorOptions;
  readonly #kubeconfig: string;
  readonly #folder = makeStateFolder('operator');
  readonly #processes: ManagedProcess[] = [];
  #urls: Readonly<Record<string, string>> = {};

  constructor(options: OperatorOptions, kubeconfig: string) {
    this.#options = options;
    this.#kubeconfig = kubeconfig;
  }

  get webhook(): string {
    return this.#urlOf('webhook');
  }

  get api(): string {
    return this.#urlOf('api');
  }

  get metrics(): string {
    return this.#urlOf('metrics');
  }

  get pid(): number {
    return this.#process.pid;
  }

  get #process(): ManagedProcess {
    const last = this.#processes.at(-1);
    if (!last) throw new Error('the operator was never started');
    return last;
  }

  async start(): Promise<void> {
    const name = `operator-${this.#processes.length + 1}`;
    const env = { KUBECONFIG: this.#kubeconfig, HOME: this.#folder, ...this.#settings(), ...this.#options.env };
    this.#processes.push(await startProcess({ name, file: executable, args: ['run'], folder: this.#folder, env }));
    this.#urls = await this.#until('listens', () => this.#listening());
    const until = this.#options.until ?? 'leading';
    if (until !== 'listening') await this.#until('is ready', () => this.#isReady());
    if (until === 'leading') await this.#until('leads', () => this.metric('leader'));
  }

  logs(): string {
    return this.#process.log(Number.POSITIVE_INFINITY);
  }

  allLogs(): string {
    return this.#processes.map((process) => `--- ${process.name}\n${process.log(150)}`).join('\n');
  }

  async metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number> {
    const { text } = await call(`${this.metrics}/metrics`);
    return sumOf(text, `headwind_${name}`, labels);
  }

  async untilMetric(name: string, labels: Readonly<Record<string, string>>, predicate: (value: number) => boolean): Promise<void> {
    await this.#until(`has the wanted ${name}`, async (see) => {
      const value = await this.metric(name, labels);
      see(value);
      return predicate(value);
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<Ended> {
    // Directly, because the way through the supervisor takes milliseconds in which the operator goes on.
    if (signal === 'SIGKILL') this.#process.signal('SIGKILL');
    await (signal === 'SIGKILL' ? this.#process.kill() : this.#process.stop());
    return this.#process.exited;
  }

  async revive(): Promise<void> {
    const { cluster, namespaces: [home = 'headwind-system'] = [] } = this.#options;
    await cluster.admin.delete(`/apis/coordination.k8s.io/v1/namespaces/${home}/leases/headwind`);
    await this.start();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  stop(): Promise<Ended> {
    return this.kill('SIGTERM');
  }

  /** Which requests the API server has forbidden, as far as the last process can still tell. */
  async forbiddenRequests(): Promise<string> {
    if (this.#processes.at(-1)?.ended() !== undefined || this.#urls['metrics'] === undefined) return '';
    const { text } = await call(`${this.metrics}/metrics`);
    const rows = text.split('\n').filter((row) => row.startsWith('headwind_kube_requests_total{') && row.includes('code="403"'));
    return rows.join('\n');
  }

  async end(): Promise<void> {
    for (const process of this.#processes) await process.stop();
    removeStateFolder(this.#folder);
  }

  #settings(): Record<string, string> {
    const { namespaces = [], registries = [] } = this.#options;
    const ports = Object.fromEntries(['WEBHOOK', 'API', 'UI', 'METRICS'].map((server) => [`HEADWIND_${server}_PORT`, '0']));
    return {
      ...ports,
      HEADWIND_REGISTRY_INSECURE_HOSTS: registries.map(({ host }) => host).join(','),
      HEADWIND_WATCH_NAMESPACES: namespaces.join(','),
      ...(namespaces[0] !== undefined && { HEADWIND_NAMESPACE: namespaces[0] }),
    };
  }

  /** The addresses by server, once all servers have logged theirs. */
  #listening(): Readonly<Record<string, string>> | undefined {
    const urls: Record<string, string> = {};
    for (const line of this.logs().split('\n')) {
      const { message, server, port } = parseLine(line);
      if (message === 'listening') urls[server] = `http://127.0.0.1:${port}`;
    }
    return ['webhook', 'api', 'metrics'].every((server) => urls[server] !== undefined) ? urls : undefined;
  }

  async #isReady(): Promise<boolean> {
    return (await call(`${this.metrics}/readyz`)).status === 200;
  }

  #until<T>(what: string, attempt: (see: See) => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    return this.#options.cluster.until(`the operator ${what}`, async (see) => {
      const ended = this.#process.ended();
      if (ended) throw new GiveUp(`the operator ended with ${ended.code ?? ended.signal} before it ${what}:\n${this.#process.log()}`);
      return attempt(see);
    });
  }

  #urlOf(server: string): string {
    const url = this.#urls[server];
    if (url === undefined) throw new Error(`the operator does not listen for ${server} yet`);
    return url;
  }
}

function parseLine(line: string): any {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return {};
  }
}
