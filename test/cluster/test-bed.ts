import type { AccessDescription } from './access.ts';
import { startControlPlane } from './control-plane.ts';
import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';
import { startFakeKubelet } from './fake-kubelet.ts';
import type { FakeKubelet } from './fake-kubelet.ts';
import { startKwok } from './kwok.ts';
import type { Kwok } from './kwok.ts';
import { startRegistry } from './registry.ts';
import type { Registry, RegistryOptions } from './registry.ts';
import type { RegistryDescription } from './registry-client.ts';

/** Names the file with the description of the run's cluster, which run-tests.ts writes and shared.ts reads. */
export const sharedClusterVariable = 'HEADWIND_TEST_CLUSTER';
/** How many nodes kwok plays in a shared cluster. */
export const sharedKwokNodes = 3;

export interface TestBedOptions extends ControlPlaneOptions {
  /** Nodes that kwok plays; none by default, kwok is then not needed. */
  readonly kwokNodes?: number;
  readonly registry?: Omit<RegistryOptions, 'log'>;
}

/** Everything together: control plane, registry, the fake kubelet's node, and kwok's nodes when asked for. */
export interface TestBed {
  readonly cluster: ControlPlane;
  readonly registry: Registry;
  readonly kubelet: FakeKubelet;
  readonly kwok: Kwok | undefined;
  /** For another process, see shared.ts. */
  describe(): TestBedDescription;
  logs(lines?: number): string;
  stop(): Promise<void>;
}

/** Plain JSON. */
export interface TestBedDescription {
  readonly cluster: AccessDescription;
  readonly registry: RegistryDescription;
}

export async function startTestBed({ kwokNodes = 0, registry: registryOptions, ...options }: TestBedOptions = {}): Promise<TestBed> {
  const log = options.log && { log: options.log };
  const opened: { stop(): Promise<void> }[] = [];
  const opening = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    opened.push(started);
    return started;
  };
  const stop = async () => {
    for (const part of opened.splice(0).toReversed()) await part.stop();
  };
  try {
    const cluster = await opening(startControlPlane(options));
    const registry = await opening(startRegistry({ ...log, ...registryOptions }));
    const kubelet = await opening(startFakeKubelet({ controlPlane: cluster, registries: [registry] }));
    const kwok = kwokNodes > 0 ? await opening(startKwok({ ...log, controlPlane: cluster, nodes: kwokNodes, tainted: true })) : undefined;
    return {
      cluster,
      registry,
      kubelet,
      kwok,
      describe: () => describe(cluster, registry),
      logs: (lines) => [cluster.logs(lines), `--- registry\n${registry.logs(lines)}`, `--- kwok\n${kwok?.logs(lines) ?? ''}`].join('\n'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function describe(cluster: AccessDescription, registry: RegistryDescription): TestBedDescription {
  const { url, ca, adminToken, kubeconfig, folder, kubectlPath, controllers } = cluster;
  const { host, ca: registryCa, clientCertificate, clientKey, username, password } = registry;
  const optional = { ca: registryCa, clientCertificate, clientKey, username, password };
  return {
    cluster: { url, ca, adminToken, kubeconfig, folder, kubectlPath, controllers },
    registry: { host, url: registry.url, ...definedOf(optional) },
  };
}

function definedOf(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}
