import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startKubeApi } from '../../test/fakes/kube-api.ts';
import { checkPermissions } from './check-permissions.ts';
import { type Permission, permissions, resourceName } from './permissions.ts';

const signal = new AbortController().signal;
const everywhere = { watchNamespaces: [], home: 'headwind-system' };

/** An API server that grants what `allows` says. */
async function start(t: TestContext, allows: (attributes: any) => boolean) {
  const { api, client } = await startKubeApi(t);
  const asked: any[] = [];
  api.intercept = ({ body }) => {
    const { spec } = JSON.parse(body);
    asked.push(spec.resourceAttributes);
    return { code: 201, body: { spec, status: { allowed: allows(spec.resourceAttributes) } } };
  };
  return { client, asked };
}

const isRow = ({ group, resource, names, verbs }: Permission, asked: any) =>
  asked.group === group &&
  verbs.includes(asked.verb) &&
  [asked.resource, asked.subresource].filter(Boolean).join('/') === resource &&
  asked.name === names?.[0];

describe('kubernetes/check-permissions', () => {
  it('asks for each verb of the table once, and is content when all are there', async (t) => {
    const { client, asked } = await start(t, () => true);
    assert.deepEqual(await checkPermissions(client, everywhere, signal), []);
    assert.equal(asked.length, permissions.flatMap(({ verbs }) => verbs).length);
    assert.deepEqual(new Set(asked.map(({ namespace }) => namespace)), new Set([undefined, 'headwind-system']));
  });

  for (const row of permissions) {
    const title = `${row.verbs.join(', ')} ${resourceName(row)}`;
    it(`without ${title}${row.names ? ' by name' : ''}: names the rule and what stops working`, async (t) => {
      const { client } = await start(t, (attributes) => !isRow(row, attributes));
      const where = { home: 'namespace headwind-system', watched: 'all namespaces', cluster: 'the cluster' }[row.scope];
      const rule = row.optional ? 'optional right' : 'right';
      const what = `${title}${row.names ? ` ${row.names.join(', ')}` : ''}`;
      assert.deepEqual(
        (await checkPermissions(client, everywhere, signal)).map(({ sentence }) => sentence),
        [`the ${rule} to ${what} in ${where} is missing: ${row.without}`],
      );
    });
  }

  it('names only the verbs that are missing', async (t) => {
    const { client } = await start(t, ({ resource, verb }) => !(resource === 'deployments' && verb === 'patch'));
    const [missing, ...others] = await checkPermissions(client, everywhere, signal);
    assert.deepEqual(others, []);
    assert.match(missing?.sentence ?? '', /^the right to patch deployments\.apps in all namespaces/);
  });

  it('does not ask for what is withheld on purpose', async (t) => {
    const { client, asked } = await start(t, () => false);
    const withheld = new Set(['secrets', 'cronjobs.batch']);
    const missing = await checkPermissions(client, { ...everywhere, withheld }, signal);
    assert.deepEqual(
      missing.filter(({ permission }) => withheld.has(resourceName(permission))),
      [],
    );
    assert.ok(asked.length > 0 && !asked.some(({ resource }) => resource === 'secrets' || resource === 'cronjobs'));
  });

  it('asks for the ConfigMap of settings by the name that it has', async (t) => {
    const { client, asked } = await start(t, ({ resource }) => resource !== 'configmaps');
    const [missing] = await checkPermissions(client, { ...everywhere, configMapName: 'mine' }, signal);
    assert.match(missing?.sentence ?? '', /configmaps mine in namespace headwind-system/);
    assert.deepEqual(new Set(asked.filter(({ resource }) => resource === 'configmaps').map(({ name }) => name)), new Set(['mine']));
  });

  it('asks in each watched namespace', async (t) => {
    const { client } = await start(t, ({ resource, namespace }) => !(resource === 'secrets' && namespace === 'team-a'));
    const missing = await checkPermissions(client, { watchNamespaces: ['shop', 'team-a'], home: 'headwind-system' }, signal);
    assert.deepEqual(
      missing.map(({ namespace, permission }) => [namespace, permission.resource]),
      [['team-a', 'secrets']],
    );
  });

  it('asks once for what has no namespace', async (t) => {
    const { client, asked } = await start(t, () => true);
    await checkPermissions(client, { watchNamespaces: ['shop', 'team-a'], home: 'headwind-system' }, signal);
    assert.deepEqual(
      asked.filter(({ resource }) => resource === 'nodes').map(({ verb, namespace }) => [verb, namespace]),
      [
        ['get', undefined],
        ['list', undefined],
      ],
    );
  });
});
