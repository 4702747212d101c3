import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { accessTo } from './access.ts';
import type { ClusterAccess } from './access.ts';
import { accessToRegistry } from './registry-client.ts';
import type { RegistryAccess } from './registry-client.ts';
import { startTestBed } from './test-bed.ts';
import type { TestBedDescription } from './test-bed.ts';

/** Names the file that run-tests.ts writes. */
export const sharedClusterVariable = 'HEADWIND_TEST_CLUSTER';
export const sharedKwokNodes = 3;

export interface SharedCluster {
  readonly cluster: ClusterAccess;
  readonly registry: RegistryAccess;
}

let mine: Promise<SharedCluster> | undefined;

/**
 * The cluster of this run: attaches to the one that run-tests.ts has started, or starts one for this process, which ends
 * after the tests of the file. Call it at the top of the file or in a `before`. Tests keep apart by namespaces and repositories.
 */
export function sharedCluster(): Promise<SharedCluster> {
  const described = process.env[sharedClusterVariable];
  mine ??= described === undefined ? startOwn() : Promise.resolve(attach(described));
  return mine;
}

function attach(path: string): SharedCluster {
  const description: TestBedDescription = JSON.parse(readFileSync(path, 'utf8'));
  const cluster = accessTo(description.cluster);
  const registry = accessToRegistry(description.registry);
  after(() => {
    cluster.close();
    registry.close();
  });
  return { cluster, registry };
}

async function startOwn(): Promise<SharedCluster> {
  const bed = await startTestBed({
    kwokNodes: sharedKwokNodes,
    log: (line) => {
      console.error(`[test bed] ${line}`);
    },
  });
  after(() => bed.stop());
  return bed;
}
