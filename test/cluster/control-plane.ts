import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { accessTo, writeKubeconfig } from './access.ts';
import type { AccessDescription, ClusterAccess } from './access.ts';
import { readAuditLog } from './audit.ts';
import type { AuditEntry } from './audit.ts';
import { ensureBinaries } from './binaries.ts';
import type { Ports } from './control-plane-commands.ts';
import { Components } from './components.ts';
import { freePort } from './ports.ts';
import { makeStateFolder, removeStateFolder } from './processes.ts';
import { copyState, fillStateFolder } from './state-folder.ts';
import type { User } from './state-folder.ts';

export interface ControlPlaneOptions {
  readonly log?: (line: string) => void;
  /** Gates of the API server, for example `{ WatchList: false }`. */
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** Writes every request to an audit log: `auditEntries()`. */
  readonly audit?: boolean;
  /** Larger limits, for thousands of objects. */
  readonly scale?: boolean;
  /** Further identities for `clientFor` and `kubeconfigFor`. */
  readonly users?: readonly User[];
  /** Folder written by `snapshot`: starts with its objects, authority and tokens. */
  readonly from?: string;
  /** False: only etcd and the API server run; objects stay as they were written. */
  readonly controllers?: boolean;
  /** Further flags of the API server, for example `--emulated-version=1.33`. */
  readonly apiServerArgs?: readonly string[];
}

/** A real control plane on 127.0.0.1, which ends with this process at the latest. */
export interface ControlPlane extends ClusterAccess {
  readonly pids: readonly number[];
  /** Kills the API server, as a crash would; `startApiServer` brings it back at the same address. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  restartApiServer(): Promise<void>;
  auditEntries(): AuditEntry[];
  /** Copies the state into a folder for `from`; the processes are stopped for that and started again. */
  snapshot(to: string): Promise<void>;
  /** The last lines of every process. */
  logs(lines?: number): string;
  stop(): Promise<void>;
}

const startAttempts = 4;

/** Starts etcd, API server, controller manager and scheduler; they are ready for pods when it resolves. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { log, users = [], from, controllers = true } = options;
  const names = ['etcd', 'kube-apiserver', ...(controllers ? (['kube-controller-manager', 'kube-scheduler'] as const) : [])] as const;
  const binaries = await ensureBinaries(['kubectl', ...names], { ...(log && { log }) });
  const folder = makeStateFolder('cluster');
  try {
    const tokens = await fillStateFolder(folder, { users, from });
    for (let attempt = 1; ; attempt += 1) {
      const ports = await choosePorts();
      const access = describe(folder, tokens, ports.api, { kubectlPath: binaries.kubectl, controllers });
      const components = new Components(folder, binaries, { ...defaults, ...options, ports });
      try {
        await components.startAll(names);
        return controlPlaneOf(components, access);
      } catch (error) {
        await components.stopAll();
        if (!components.lostPort() || attempt === startAttempts) throw error;
      }
    }
  } catch (error) {
    removeStateFolder(folder);
    throw error;
  }
}

const defaults = { scale: false, audit: false, featureGates: {}, apiServerArgs: [] };

async function choosePorts(): Promise<Ports> {
  return {
    etcd: await freePort(),
    etcdPeer: await freePort(),
    api: await freePort(),
    controllerManager: await freePort(),
    scheduler: await freePort(),
  };
}

/** Writes the kubeconfigs of the control plane itself and gives the description for tests. */
function describe(
  folder: string,
  tokens: ReadonlyMap<string, string>,
  port: number,
  rest: { kubectlPath: string; controllers: boolean },
): AccessDescription {
  const url = `https://127.0.0.1:${port}`;
  const ca = join(folder, 'ca.crt');
  const kubeconfig = join(folder, 'admin.kubeconfig');
  const files = { admin: 'admin', 'system:kube-controller-manager': 'controller-manager', 'system:kube-scheduler': 'scheduler' };
  for (const [user, file] of Object.entries(files)) {
    writeKubeconfig(join(folder, `${file}.kubeconfig`), { url, ca, user, token: tokens.get(user) ?? '' });
  }
  return { url, ca, adminToken: tokens.get('admin') ?? '', kubeconfig, folder, ...rest };
}

function controlPlaneOf(components: Components, description: AccessDescription): ControlPlane {
  const { folder } = description;
  const access = accessTo(description);
  const stopApiServer = () => components.kill('kube-apiserver');
  const startApiServer = () => components.startApiServer();
  return {
    ...access,
    get pids() {
      return components.pids();
    },
    stopApiServer,
    startApiServer,
    async restartApiServer() {
      await stopApiServer();
      await startApiServer();
    },
    auditEntries: () => readAuditLog(join(folder, 'audit.log')),
    async snapshot(to) {
      const names = components.names();
      await components.stopAll();
      rmSync(to, { recursive: true, force: true });
      mkdirSync(to, { recursive: true });
      copyState(folder, to);
      await components.startAll(names);
    },
    logs: (lines) => components.logs(lines),
    async stop() {
      access.close();
      await components.stopAll();
      removeStateFolder(folder);
    },
  };
}
