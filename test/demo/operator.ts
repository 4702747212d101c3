import { join } from 'node:path';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { freePort } from '../cluster/ports.ts';
import { makeStateFolder, type ManagedProcess, removeStateFolder, startProcess } from '../cluster/processes.ts';
import { GiveUp } from '../cluster/until.ts';
import { call } from '../e2e/call.ts';
import { install, operatorKubeconfig } from '../e2e/install.ts';

const executable = join(import.meta.dirname, '../../bin/headwind');

export interface Ports {
  readonly webhook: number;
  readonly api: number;
  readonly metrics: number;
}

/** Ports that nobody uses: the registry has to know where to send its webhook before the operator runs. */
export async function choosePorts(): Promise<Ports> {
  return { webhook: await freePort(), api: await freePort(), metrics: await freePort() };
}

/** The built operator under the shipped rights, ready. */
export interface DemoOperator {
  readonly process: ManagedProcess;
  readonly logFile: string;
  stop(): Promise<void>;
}

export async function startOperator(cluster: ControlPlane, ports: Ports): Promise<DemoOperator> {
  await install(cluster);
  const kubeconfig = await operatorKubeconfig(cluster);
  const folder = makeStateFolder('demo');
  const env = {
    KUBECONFIG: kubeconfig,
    HEADWIND_WEBHOOK_PORT: String(ports.webhook),
    HEADWIND_API_PORT: String(ports.api),
    HEADWIND_METRICS_PORT: String(ports.metrics),
    HEADWIND_API_URL: `http://127.0.0.1:${ports.api}`,
  };
  const process = await startProcess({ name: 'headwind', file: executable, args: ['run'], folder, env });
  const stop = async (): Promise<void> => {
    await process.stop();
    removeStateFolder(folder);
  };
  await cluster.until('Headwind is ready and leads', async (see) => {
    if (process.ended()) throw new GiveUp(`Headwind ended:\n${process.log()}`);
    const { status, text } = await call(`http://127.0.0.1:${ports.metrics}/readyz?verbose`);
    see(text);
    if (status !== 200) return false;
    return (await call(`http://127.0.0.1:${ports.metrics}/metrics`)).text.includes('headwind_leader 1');
  });
  return { process, logFile: join(folder, 'headwind.log'), stop };
}
