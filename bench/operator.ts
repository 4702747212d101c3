import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import { freePort } from '../test/cluster/ports.ts';
import { makeStateFolder, type ManagedProcess, removeStateFolder, startProcess } from '../test/cluster/processes.ts';
import { call } from '../test/e2e/call.ts';
import { install, operatorKubeconfig } from '../test/e2e/install.ts';
import { sumOf } from '../test/e2e/metrics-text.ts';

export interface OperatorOptions {
  readonly cluster: ControlPlane;
  /** `bin/headwind`, or another build of it. */
  readonly executable: string;
  /** The registry, which speaks plain HTTP. */
  readonly registry: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The bundle as a process of its own, with the V8 flags and under the rights that are shipped. */
export interface BenchOperator {
  readonly pid: number;
  readonly webhook: string;
  /** From the start of the process until `/readyz` said yes, and until it led. */
  readonly readyMs: number;
  readonly leadingMs: number;
  /** Sum of the samples with these labels; the name without `headwind_`. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Resolves when every queue is empty and stays so for a second. */
  untilDone(): Promise<void>;
  log(lines?: number): string;
  stop(): Promise<void>;
}

const startWithinMs = 180_000;

export async function startOperator({ cluster, executable, registry, env = {} }: OperatorOptions): Promise<BenchOperator> {
  await install(cluster);
  const kubeconfig = await operatorKubeconfig(cluster);
  const folder = makeStateFolder('bench-operator');
  const [webhook, api, metrics] = [await freePort(), await freePort(), await freePort()];
  const settings = {
    KUBECONFIG: kubeconfig,
    HOME: folder,
    HEADWIND_WEBHOOK_PORT: String(webhook),
    HEADWIND_API_PORT: String(api),
    HEADWIND_UI_PORT: '0',
    HEADWIND_METRICS_PORT: String(metrics),
    HEADWIND_REGISTRY_INSECURE_HOSTS: registry,
    ...env,
  };
  const startedAt = performance.now();
  const process = await startProcess({ name: 'headwind', file: executable, args: ['run'], folder, env: settings });
  const stop = async (): Promise<void> => {
    await process.stop();
    removeStateFolder(folder);
  };
  const metric: BenchOperator['metric'] = async (name, labels) =>
    sumOf((await call(`http://127.0.0.1:${metrics}/metrics`)).text, `headwind_${name}`, labels);
  try {
    const url = `http://127.0.0.1:${metrics}/readyz`;
    const readyMs = await timeUntil(process, startedAt, 'is ready', async () => (await call(url)).status === 200);
    const leadingMs = await timeUntil(process, startedAt, 'leads', async () => (await metric('leader')) === 1);
    return {
      pid: process.pid,
      webhook: `http://127.0.0.1:${webhook}`,
      readyMs,
      leadingMs,
      metric,
      untilDone: () => untilDone(metric),
      log: (lines) => process.log(lines),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function timeUntil(process: ManagedProcess, startedAt: number, what: string, attempt: () => Promise<boolean>): Promise<number> {
  for (;;) {
    const isThere = await attempt().catch(() => false);
    const elapsedMs = performance.now() - startedAt;
    if (isThere) return elapsedMs;
    if (process.ended() || elapsedMs > startWithinMs) throw new Error(`Headwind ended or hangs before it ${what}:\n${process.log()}`);
    await delay(20);
  }
}

async function untilDone(metric: BenchOperator['metric']): Promise<void> {
  const deadline = performance.now() + 120_000;
  for (let calm = 0; calm < 2; ) {
    calm = (await metric('queue_depth')) === 0 ? calm + 1 : 0;
    if (performance.now() > deadline) throw new Error('the queues of the operator are not empty after 120 s');
    await delay(1_000);
  }
}

export const defaultExecutable = join(import.meta.dirname, '../bin/headwind');
