import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { collections, putNode } from '../../test/fakes/api-pods.ts';
import { startKubeApi } from '../../test/fakes/kube-api.ts';
import { ApiError } from '../errors.ts';
import { NodePlatforms } from './node-platforms.ts';

const signal = new AbortController().signal;

async function start(t: TestContext) {
  const { api, client } = await startKubeApi(t);
  const time = { ms: 1_000 };
  const nodes = new NodePlatforms({ client, now: () => time.ms });
  const ask = async (...names: string[]) =>
    Object.fromEntries(
      [...(await nodes.of(new Set(names), signal))].map(([name, { os, architecture }]) => [name, `${os}/${architecture}`]),
    );
  return { api, nodes, ask, time };
}

describe('kubernetes/node-platforms', () => {
  it('asks for each node once, and again when that is ten minutes ago', async (t) => {
    const { api, ask, time } = await start(t);
    putNode(api.objects, 'a');
    putNode(api.objects, 'b', 'arm64');
    assert.deepEqual(await ask('a', 'b'), { a: 'linux/amd64', b: 'linux/arm64' });
    assert.deepEqual(await ask('b'), { b: 'linux/arm64' });
    assert.equal(api.requests.length, 2);
    time.ms += 10 * 60_000 + 1;
    assert.deepEqual(await ask('b'), { b: 'linux/arm64' });
    assert.equal(api.requests.length, 3);
  });

  it('those who ask at the same time share the request', async (t) => {
    const { api, ask } = await start(t);
    putNode(api.objects, 'a');
    const platforms = { a: 'linux/amd64' };
    assert.deepEqual(await Promise.all([ask('a'), ask('a'), ask('a')]), [platforms, platforms, platforms]);
    assert.equal(api.requests.length, 1);
  });

  it('many nodes are listed, by their metadata alone', async (t) => {
    const { api, ask } = await start(t);
    const names = Array.from({ length: 30 }, (_, index) => `node-${index}`);
    for (const name of names) {
      putNode(api.objects, name);
      // As a list of metadata has them.
      api.objects.put(collections.Node, { ...api.objects.get(collections.Node, name)!, status: undefined });
    }
    assert.deepEqual(await ask(...names, 'gone'), Object.fromEntries(names.map((name) => [name, 'linux/amd64'])));
    assert.deepEqual(await ask(...names, 'gone'), Object.fromEntries(names.map((name) => [name, 'linux/amd64'])));
    assert.equal(api.requests.length, 1);
    assert.match(api.requests[0]?.headers.accept ?? '', /as=PartialObjectMetadataList/);
  });

  it('a node that is gone, or says nothing of itself, has no platform, and is not asked for again', async (t) => {
    const { api, ask } = await start(t);
    api.objects.put(collections.Node, { metadata: { name: 'silent' }, status: { nodeInfo: { architecture: 'amd64' } } });
    for (let time = 0; time < 2; time++) assert.deepEqual(await ask('gone', 'silent'), {});
    assert.equal(api.requests.length, 2);
  });

  it('without the right nothing is known, and ten minutes long nothing is asked, whatever the node', async (t) => {
    const { api, ask, time } = await start(t);
    putNode(api.objects, 'a');
    api.fail({ on: 'get', times: 2, status: 403 });
    assert.deepEqual(await ask('a'), {});
    assert.deepEqual(await ask('b'), {});
    assert.equal(api.requests.length, 1);
    time.ms += 10 * 60_000 + 1;
    assert.deepEqual(await ask('a'), {});
    time.ms += 10 * 60_000 + 1;
    assert.deepEqual(await ask('a'), { a: 'linux/amd64' });
  });

  it('a failure of the API server is an error, and nothing is remembered of it', async (t) => {
    const { api, ask } = await start(t);
    putNode(api.objects, 'a');
    api.fail({ on: 'get', status: 500 });
    await assert.rejects(ask('a'), (error) => error instanceof ApiError && error.status === 500);
    assert.deepEqual(await ask('a'), { a: 'linux/amd64' });
  });

  it('who gives up no longer waits; the answer is for the others', async (t) => {
    const { api, nodes, ask } = await start(t);
    putNode(api.objects, 'a');
    let answer = (): void => undefined;
    api.fail({
      on: 'get',
      status: 0,
      handle: (_request, response) => (answer = () => void response.end(JSON.stringify(api.objects.get(collections.Node, 'a')))),
    });
    const stop = new AbortController();
    const first = nodes.of(new Set(['a']), stop.signal);
    const other = ask('a');
    await api.until(() => api.requests.length === 1);
    stop.abort(new Error('lost'));
    await assert.rejects(first, /lost/);
    answer();
    assert.deepEqual(await other, { a: 'linux/amd64' });
  });
});
