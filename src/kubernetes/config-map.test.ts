import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ApiObject } from '../../test/fakes/api-objects.ts';
import { startKubeApi } from '../../test/fakes/kube-api.ts';
import { RecordingLog } from '../../test/fakes/recording.ts';
import { Waiters } from '../../test/fakes/waiters.ts';
import { type ConfigMap, KubeConfigMap } from './config-map.ts';

const collection = '/api/v1/configmaps';

function aMap(name: string, data: object): ApiObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'home', uid: `uid-${name}` }, data };
}

async function start(t: TestContext) {
  const { api, client } = await startKubeApi(t);
  const waiters = new Waiters();
  const states: (ConfigMap['data'] | undefined)[] = [];
  const map = new KubeConfigMap({
    client,
    log: new RecordingLog(),
    namespace: 'home',
    name: 'headwind-config',
    reflector: { times: { minMs: 5, maxMs: 10 } },
    onChange(next) {
      states.push(next?.data);
      waiters.notify();
    },
  });
  const run = (): void => {
    const stop = new AbortController();
    const running = map.run(stop.signal);
    t.after(async () => {
      stop.abort();
      await running;
    });
  };
  return { api, map, states, run, until: (condition: () => boolean) => waiters.until(condition) };
}

const never = new AbortController().signal;

describe('kubernetes/config-map', () => {
  it('follows the one of its name, and asks for no other', async (t) => {
    const { api, states, run, until } = await start(t);
    api.objects.put(collection, aMap('other', { a: '0' }));
    api.objects.put(collection, aMap('headwind-config', { a: '1' }));
    run();
    await until(() => states.at(-1)?.['a'] === '1');
    api.objects.put(collection, aMap('headwind-config', { a: '2', odd: 5 }));
    api.objects.put(collection, aMap('other', { a: '3' }));
    await until(() => states.at(-1)?.['a'] === '2');
    assert.deepEqual(states.at(-1), { a: '2' });
    const selectors = [...api.of('watch'), ...api.of('list')].map(({ query }) => query.get('fieldSelector'));
    assert.deepEqual(new Set(selectors), new Set(['metadata.name=headwind-config']));
  });

  it('tells that there is none, and that it was deleted', async (t) => {
    const { api, states, run, until } = await start(t);
    run();
    await until(() => states.length === 1);
    assert.deepEqual(states, [undefined]);
    api.objects.put(collection, aMap('headwind-config', { a: '1' }));
    await until(() => states.at(-1)?.['a'] === '1');
    api.objects.delete(collection, 'home/headwind-config');
    await until(() => states.length === 3 && states[2] === undefined);
  });

  it('reads it once', async (t) => {
    const { api, map } = await start(t);
    assert.equal(await map.read(never), undefined);
    api.objects.put(collection, aMap('headwind-config', { a: '1' }));
    assert.deepEqual(await map.read(never), { uid: 'uid-headwind-config', data: { a: '1' } });
  });

  it('without the right to read it, it is as if there were none', async (t) => {
    const { api, map } = await start(t);
    api.objects.put(collection, aMap('headwind-config', { a: '1' }));
    api.fail({ on: 'any', status: 403, message: 'forbidden' });
    assert.equal(await map.read(never), undefined);
  });

  it('an API server that fails is told', async (t) => {
    const { api, map } = await start(t);
    api.fail({ on: 'any', status: 500, message: 'broken', times: 9 });
    await assert.rejects(map.read(never), { status: 500 });
  });
});
