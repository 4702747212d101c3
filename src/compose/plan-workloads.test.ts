import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type FakeApiServer, startApiServer } from '../../test/fakes/api-server.ts';
import { planWorkloads } from './plan-workloads.ts';

const nobody = '127.0.0.1:1';

function aDeployment(name: string, annotations: Record<string, string> = { 'headwind.sh/policy': 'minor' }) {
  const spec = { template: { spec: { containers: [{ name: 'web', image: `${nobody}/team/web:1.0.0` }] } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'shop', annotations }, spec };
}

async function aCluster(t: TestContext): Promise<{ api: FakeApiServer; environment: Record<string, string> }> {
  const api = await startApiServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'headwind-plan-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const kubeconfig = join(folder, 'config');
  const config = {
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: 'shop' } }],
    clusters: [{ name: 'test', cluster: { server: api.url } }],
    users: [{ name: 'test', user: { token: 'x' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  return { api, environment: { KUBECONFIG: kubeconfig } };
}

const query = { namespace: undefined, allNamespaces: false, selector: undefined, flags: {} };

describe('compose/plan-workloads', () => {
  it('reads the namespace of the context by GET alone', async (t) => {
    const { api, environment } = await aCluster(t);
    api.objects.put('/apis/apps/v1/deployments', aDeployment('web'));
    api.objects.put('/apis/apps/v1/deployments', aDeployment('plain', {}));
    const answer = await planWorkloads(query, { environment, version: 'test' });
    assert.ok('rows' in answer, JSON.stringify(answer));
    assert.deepEqual(
      answer.rows.map(({ namespace, name, action, reason }) => [namespace, name, action, reason]),
      [['shop', 'web', 'unknown', 'RegistryUnavailable']],
    );
    assert.deepEqual([...new Set(api.requests.map(({ method }) => method))], ['GET']);
    assert.ok(api.requests.every(({ kind, path }) => kind !== 'watch' && path.includes('/namespaces/shop/')));
  });

  it('-A and -l choose what is listed', async (t) => {
    const { api, environment } = await aCluster(t);
    await planWorkloads({ ...query, allNamespaces: true, selector: 'app=web' }, { environment, version: 'test' });
    const lists = api.of('list').map(({ path, query: { size }, query: search }) => [path, size > 0 ? search.get('labelSelector') : null]);
    assert.deepEqual(
      lists.toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ['/apis/apps/v1/daemonsets', 'app=web'],
        ['/apis/apps/v1/deployments', 'app=web'],
        ['/apis/apps/v1/statefulsets', 'app=web'],
        ['/apis/batch/v1/cronjobs', 'app=web'],
        ['/apis/headwind.sh/v1alpha1/updaterequests', null],
      ],
    );
  });

  it('manifests need no cluster', async () => {
    const answer = await planWorkloads({ ...query, manifests: [] }, { environment: {}, version: 'test' });
    assert.deepEqual(answer, { rows: [], complaints: [] });
  });

  const failures = [
    ['no kubeconfig', {}, 'usage'],
    ['a bad setting', { HEADWIND_REGISTRY_INSECURE_HOSTS: 'http://x' }, 'usage'],
  ] as const;
  for (const [title, environment, failed] of failures) {
    it(`${title}: ${failed}`, async () => {
      const answer = await planWorkloads(query, { environment: { ...environment }, version: 'test' });
      assert.equal('failed' in answer && answer.failed, failed);
    });
  }

  const statuses = [
    [403, 'forbidden'],
    [401, 'forbidden'],
    [400, 'refused'],
  ] as const;
  for (const [status, failed] of statuses) {
    it(`an API server that answers ${status}: ${failed}`, async (t) => {
      const { api, environment } = await aCluster(t);
      api.fail({ on: 'list', status, times: 20 });
      const answer = await planWorkloads(query, { environment, version: 'test' });
      assert.equal('failed' in answer && answer.failed, failed);
    });
  }

  it('one kind that may not be listed is a complaint', async (t) => {
    const { api, environment } = await aCluster(t);
    api.fail({ on: 'list', status: 403, times: 1 });
    const answer = await planWorkloads(query, { environment, version: 'test' });
    assert.equal('complaints' in answer && answer.complaints.length, 1);
  });
});
