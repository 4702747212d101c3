import { describe, it } from 'node:test';
import { sharedCluster } from '../cluster/shared.ts';
import { atEnd } from './at-end.ts';
import { startOperator } from './operator.ts';

describe('test/e2e/many-namespaces', () => {
  it('is ready with twenty watched namespaces: a hundred watches leave connections for requests', async (t) => {
    const { cluster, registry } = await sharedCluster();
    const namespaces = await Promise.all(Array.from({ length: 20 }, () => cluster.namespace('many')));
    for (const namespace of namespaces) atEnd(t, () => namespace.delete());
    await startOperator(t, { cluster, registries: [registry], namespaces: namespaces.map(({ name }) => name) });
  });
});
