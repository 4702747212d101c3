import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startKubeApi } from '../../test/fakes/kube-api.ts';
import { RecordingLog } from '../../test/fakes/recording.ts';
import { turnUntil } from '../../test/fakes/turn-until.ts';
import { Readiness } from './readiness.ts';

const nodes = 'the optional right to get, list nodes in the cluster is missing: ';
const pods = 'the right to get, list pods in all namespaces is missing: ';

/** A process without the rights to these resources (`get nodes`). */
async function start(t: TestContext, refused: readonly string[]) {
  const { api, client } = await startKubeApi(t);
  const missing = new Set(refused);
  api.intercept = ({ body }) => {
    const { resource, verb } = JSON.parse(body).spec.resourceAttributes;
    return { code: 201, body: { status: { allowed: !missing.has(`${verb} ${resource}`) } } };
  };
  const log = new RecordingLog();
  const caches = { sources: [] };
  const readiness = new Readiness({
    client,
    workloads: caches,
    updateRequests: caches,
    election: { problem: undefined },
    config: { watchNamespaces: [], withheldRights: new Set(), configMapName: 'headwind-config' },
    home: 'headwind-system',
    log,
  });
  const told = () => log.lines.map(({ level, message }) => `${level} ${message.replace(/: .*/, ': ')}`);
  return { log, readiness, told };
}

describe('compose/readiness', () => {
  it('an optional right that is missing is told once, listed, and not asked for again', async (t) => {
    const { readiness, told } = await start(t, ['get nodes', 'list nodes']);
    const stop = new AbortController().signal;
    await readiness.run(stop);
    assert.deepEqual(told(), [`info ${nodes}`]);
    const rights = readiness.checks(stop).filter(({ name }) => name === 'rights');
    assert.deepEqual(
      rights.map(({ ok, message }) => [ok, message.startsWith(nodes)]),
      [[true, true]],
    );
  });

  it('another right that is missing is a warning with the remedy, and is asked for again; it holds up nothing', async (t) => {
    const { readiness, log, told } = await start(t, ['get nodes', 'list nodes', 'get pods', 'list pods']);
    const stop = new AbortController();
    t.after(() => stop.abort());
    const running = readiness.run(stop.signal);
    await turnUntil(() => log.lines.length > 0);
    assert.deepEqual(told().toSorted(), [`info ${nodes}`, `warn ${pods}`]);
    assert.match(log.lines.find(({ level }) => level === 'warn')?.message ?? '', /; deploy\/k8s\/rbac\.yaml grants it$/);
    assert.ok(readiness.checks(stop.signal).every(({ ok }) => ok));
    stop.abort();
    await running;
  });
});
