import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { accessTo } from './access.ts';
import type { ClusterAccess } from './access.ts';
import { accessToRegistry } from './registry-client.ts';
import type { RegistryAccess } from './registry-client.ts';
import { sharedClusterVariable, sharedKwokNodes, startTestBed } from './test-bed.ts';
import type { TestBedDescription } from './test-bed.ts';

export interface SharedCluster {
  readonly cluster: ClusterAccess;
  readonly registry: RegistryAccess;
}

interface Opened extends SharedCluster {
  close(): Promise<void>;
}

let opened: Promise<Opened> | undefined;

// Here and not in `sharedCluster`: whoever calls that in the `before` of one suite must not end the cluster with that suite.
after(async () => (await opened)?.close());

/**
 * The cluster of this run: attaches to the one that run-tests.ts has started, or starts one for this process, which ends
 * with the tests of the file. Tests keep apart by namespaces (`cluster.namespace`) and repositories.
 */
export function sharedCluster(): Promise<SharedCluster> {
  const describedIn = process.env[sharedClusterVariable];
  opened ??= describedIn === undefined ? startOwn() : Promise.resolve(attach(describedIn));
  return opened;
}

function attach(path: string): Opened {
  const description: TestBedDescription = JSON.parse(readFileSync(path, 'utf8'));
  const cluster = accessTo(description.cluster);
  const registry = accessToRegistry(description.registry);
  const close = () => {
    cluster.close();
    registry.close();
    return Promise.resolve();
  };
  return { cluster, registry, close };
}

async function startOwn(): Promise<Opened> {
  const log = (line: string) => {
    console.error(`[test bed] ${line}`);
  };
  const { cluster, registry, ...bed } = await startTestBed({ kwokNodes: sharedKwokNodes, log });
  return { cluster, registry, close: () => bed.stop() };
}
