import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { describeUpdateRequests } from '../../test/contracts/update-requests.ts';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import type { FakeApiServer } from '../../test/fakes/api-server.ts';
import { patchObject } from '../../test/fakes/api-writes.ts';
import { turnUntil } from '../../test/fakes/turn-until.ts';
import type { Log } from '../ports.ts';
import { KubeUpdateRequests, type RequestEvent } from './update-requests.ts';

const nothing = () => undefined;
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const signal = new AbortController().signal;
const resource = '/apis/headwind.sh/v1alpha1/updaterequests';
const now = Date.parse('2026-01-15T10:00:00.123Z');

async function start(t: TestContext, fill: (api: FakeApiServer) => void = nothing) {
  const { api, client } = await startKubeApi(t);
  fill(api);
  const requests = new KubeUpdateRequests({ client, log, watchNamespaces: [], clock: { now: () => now } });
  const events: RequestEvent[] = [];
  requests.onChange((event) => events.push(event));
  const stop = new AbortController();
  const running = requests.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  await turnUntil(() => requests.sources.every(({ state }) => state === 'synced'));
  return { api, requests, events };
}

function aNewRequest(name = 'web-web-1-26-0a1b2c3d') {
  return { namespace: 'shop', name, owner: aWorkload(), spec: anUpdateRequest().spec };
}

describeUpdateRequests('KubeUpdateRequests', async (t) => {
  const { api, requests } = await start(t);
  return {
    requests,
    owner: aWorkload(),
    setPhase: async ({ metadata }, phase) => {
      patchObject(api.objects, resource, `shop/${metadata.name}`, { status: { phase } }, { status: true });
      await turnUntil(() => requests.get('shop', metadata.name)?.status.phase === phase);
    },
    remove: async ({ metadata }) => {
      api.objects.delete(resource, `shop/${metadata.name}`);
      await turnUntil(() => requests.get('shop', metadata.name) === undefined);
    },
  };
});

describe('kubernetes/update-requests', () => {
  it('creates with labels and an owner that neither controls nor blocks', async (t) => {
    const { api, requests } = await start(t);
    await requests.create({ ...aNewRequest(), owner: aWorkload({ name: `${'w'.repeat(62)}.x` }) }, signal);
    const { method, path, query, body } = sentTo(api)[0]!;
    assert.equal(`${method} ${path}`, 'POST /apis/headwind.sh/v1alpha1/namespaces/shop/updaterequests');
    assert.deepEqual(query, { fieldManager: 'headwind' });
    assert.deepEqual(body, {
      apiVersion: 'headwind.sh/v1alpha1',
      kind: 'UpdateRequest',
      metadata: {
        namespace: 'shop',
        name: 'web-web-1-26-0a1b2c3d',
        labels: {
          'app.kubernetes.io/managed-by': 'headwind',
          'headwind.sh/target-kind': 'Deployment',
          'headwind.sh/target-name': 'w'.repeat(62),
        },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'Deployment',
            name: `${'w'.repeat(62)}.x`,
            uid: 'uid-web',
            controller: false,
            blockOwnerDeletion: false,
          },
        ],
      },
      spec: anUpdateRequest().spec,
    });
  });

  it('setStatus is one merge patch of /status with the version and the time', async (t) => {
    const { api, requests } = await start(t);
    const created = await requests.create(aNewRequest(), signal);
    await requests.setStatus(created, { phase: 'Approved', approvedBy: 'alice', message: undefined }, signal);
    const { method, path, contentType, query, body } = sentTo(api)[1]!;
    assert.equal(`${method} ${path}`, 'PATCH /apis/headwind.sh/v1alpha1/namespaces/shop/updaterequests/web-web-1-26-0a1b2c3d/status');
    assert.equal(contentType, 'application/merge-patch+json');
    assert.deepEqual(query, { fieldManager: 'headwind' });
    assert.deepEqual(body, {
      metadata: { resourceVersion: created.metadata.resourceVersion },
      status: { lastUpdated: '2026-01-15T10:00:00Z', phase: 'Approved', approvedBy: 'alice', message: null },
    });
  });

  it('deletes exactly the object that was read', async (t) => {
    const { api, requests } = await start(t);
    const created = await requests.create(aNewRequest(), signal);
    await requests.delete(created, signal);
    assert.deepEqual(sentTo(api)[1]?.body.preconditions, {
      uid: created.metadata.uid,
      resourceVersion: created.metadata.resourceVersion,
    });
  });

  it('one that somebody holds back by a finalizer stays visible', async (t) => {
    const { api, requests } = await start(t);
    const created = await requests.create(aNewRequest(), signal);
    const metadata = { ...created.metadata, deletionTimestamp: '2026-01-15T10:00:00Z' };
    api.intercept = () => ({ code: 200, body: { ...created, metadata } });
    await requests.delete(created, signal);
    assert.ok(requests.get('shop', created.metadata.name));
  });

  it('tells what was there, what changes and what goes', async (t) => {
    const { api, requests, events } = await start(t, ({ objects }) => void objects.put(resource, anUpdateRequest()));
    const name = 'web-web-1-26-0a1b2c3d';
    patchObject(api.objects, resource, `shop/${name}`, { status: { phase: 'Approved' } }, { status: true });
    await turnUntil(() => events.length === 2);
    api.objects.delete(resource, `shop/${name}`);
    await turnUntil(() => events.length === 3);
    assert.deepEqual(
      events.map(({ request, deleted, initial }) => [request.status.phase, deleted, initial]),
      [
        ['Pending', false, true],
        ['Approved', false, false],
        ['Approved', true, false],
      ],
    );
    assert.deepEqual(requests.of({ kind: 'Deployment', namespace: 'shop', name: 'web' }), []);
  });

  it('odd objects disturb nobody', async (t) => {
    const { requests } = await start(t, ({ objects }) => {
      objects.put(resource, { metadata: { namespace: 'shop', name: 'no-spec' } });
      objects.put(resource, { metadata: { namespace: 'shop', name: 'odd' }, spec: { targetRef: null, policy: 7 }, status: 'x' });
      objects.put(resource, anUpdateRequest());
    });
    assert.deepEqual(
      [...requests.all()].map(({ metadata }) => metadata.name),
      ['web-web-1-26-0a1b2c3d'],
    );
  });
});
