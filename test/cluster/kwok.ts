import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import type { ClusterAccess } from './access.ts';
import { ensureBinaries } from './binaries.ts';
import { freePort } from './ports.ts';
import { makeStateFolder, removeStateFolder, startProcess } from './processes.ts';
import { GiveUp, until } from './until.ts';

export interface KwokOptions {
  readonly controlPlane: Pick<ClusterAccess, 'admin' | 'kubeconfig'>;
  /** Made at once; more by `addNodes`. */
  readonly nodes?: number;
  /** Keeps pods away that do not tolerate it, so that what does not say `onKwok` runs elsewhere. */
  readonly tainted?: boolean;
  /** Plays more at the same time, for thousands of pods. */
  readonly scale?: boolean;
  readonly log?: (line: string) => void;
}

export interface NodeOptions {
  readonly architecture?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** How many pods a node takes. */
  readonly pods?: number;
}

/** Plays nodes and pods at little cost; kwok-stages.yaml says how they behave. */
export interface Kwok {
  readonly pid: number;
  /** Resolves with their names when they are ready. */
  addNodes(count: number, options?: NodeOptions): Promise<string[]>;
  logs(lines?: number): string;
  stop(): Promise<void>;
}

const taint = { key: 'testbed.local/kwok', value: 'true', effect: 'NoSchedule' } as const;

/** Spread into a pod spec: it runs on nodes that kwok plays. */
export const onKwok = {
  nodeSelector: { type: 'kwok' },
  tolerations: [{ key: taint.key, operator: 'Exists' }],
} as const;

export async function startKwok({ controlPlane, nodes = 0, tainted = false, scale = false, log }: KwokOptions): Promise<Kwok> {
  const { kwok: file } = await ensureBinaries(['kwok'], { ...(log && { log }) });
  const folder = makeStateFolder('kwok');
  const port = await freePort();
  writeFileSync(join(folder, 'kwok.yaml'), `${dump(configuration(port, scale))}---\n${stages()}`);
  const args = [`--kubeconfig=${controlPlane.kubeconfig}`, '--config=kwok.yaml', `--server-address=127.0.0.1:${port}`, '--v=WARN'];
  const process = await startProcess({ name: 'kwok', file, args, folder });
  const { admin } = controlPlane;
  let made = 0;

  async function addNodes(count: number, { architecture = 'amd64', labels = {}, pods = 1000 }: NodeOptions = {}): Promise<string[]> {
    const names = Array.from({ length: count }, (_, index) => `kwok-${made + index}`);
    made += count;
    for (const name of names) {
      const system = { type: 'kwok', 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': architecture };
      const metadata = { name, labels: { ...system, ...labels }, annotations: { 'test/pods': String(pods) } };
      await admin.create({ apiVersion: 'v1', kind: 'Node', metadata, spec: tainted ? { taints: [taint] } : {} });
    }
    await until(`${count} nodes of kwok are ready`, async (see) => {
      if (process.ended()) throw new GiveUp(`kwok ended:\n${process.log()}`);
      const ready = (await admin.list('/api/v1/nodes?labelSelector=type%3Dkwok')).filter(isReady).map(({ metadata }) => metadata.name);
      see(ready);
      return names.every((name) => ready.includes(name));
    });
    return names;
  }
  async function stop(): Promise<void> {
    await process.stop();
    removeStateFolder(folder);
  }
  try {
    if (nodes > 0) await addNodes(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: process.pid, addNodes, logs: (lines) => process.log(lines), stop };
}

function stages(): string {
  return readFileSync(new URL('kwok-stages.yaml', import.meta.url), 'utf8');
}

function configuration(nodePort: number, scale: boolean): object {
  const options = {
    enableCRDs: [],
    manageNodesWithLabelSelector: 'type=kwok',
    cidr: '10.245.0.0/16',
    nodeIP: '127.0.0.1',
    nodePort,
    nodeLeaseDurationSeconds: 40,
    nodeLeaseParallelism: 4,
    podPlayStageParallelism: scale ? 16 : 4,
    nodePlayStageParallelism: 4,
    enablePodsOnNodeSyncStreamWatch: true,
  };
  return { apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration', options };
}

function isReady({ status }: Record<string, any>): boolean {
  return status?.conditions?.some(({ type, status }: any) => type === 'Ready' && status === 'True') === true;
}
