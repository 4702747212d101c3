import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import { Refusal } from '../../test/fakes/api-writes.ts';
import { turnUntil } from '../../test/fakes/turn-until.ts';
import type { EventSubject, Log } from '../ports.ts';
import { KubeEvents } from './events.ts';

const web: EventSubject = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web', uid: 'uid-web' };
const events = '/apis/events.k8s.io/v1/events';

async function start(t: TestContext) {
  const { api, client } = await startKubeApi(t);
  const warnings: object[] = [];
  const nothing = () => undefined;
  const log: Log = { debug: nothing, info: nothing, warn: (fields) => warnings.push(fields), error: nothing };
  const time = { now: Date.parse('2026-01-15T10:00:00Z') };
  const recorder = new KubeEvents({ client, clock: { now: () => time.now }, log, instance: 'headwind-abc_0' });
  const stop = new AbortController();
  const running = recorder.run(stop.signal);
  const end = async () => {
    stop.abort();
    await running;
  };
  t.after(end);
  return { api, recorder, time, warnings, end };
}

describe('kubernetes/events', () => {
  it('an Event names object, reason, type and who tells it', async (t) => {
    const { api, recorder } = await start(t);
    recorder.emit(web, 'InvalidAnnotation', 'headwind.sh/policy: "sometimes" is no policy');
    await turnUntil(() => api.objects.all(events).length === 1);
    const { metadata, ...event } = sentTo(api)[0]!.body;
    assert.match(metadata.name, /^web\.[0-9a-f]{16}$/);
    assert.equal(metadata.namespace, 'shop');
    assert.equal(sentTo(api)[0]?.path, '/apis/events.k8s.io/v1/namespaces/shop/events');
    assert.deepEqual(event, {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      eventTime: '2026-01-15T10:00:00.000000Z',
      reportingController: 'headwind.sh/operator',
      reportingInstance: 'headwind-abc_0',
      action: 'InvalidAnnotation',
      reason: 'InvalidAnnotation',
      type: 'Warning',
      regarding: web,
      note: 'headwind.sh/policy: "sometimes" is no policy',
    });
  });

  it('repeats only extend the series of the first', async (t) => {
    const { api, recorder, time } = await start(t);
    recorder.emit(web, 'TooSoon', 'waits until 10:05');
    await turnUntil(() => sentTo(api).length === 1);
    await turnUntil(() => api.objects.all(events).length === 1);
    for (let i = 0; i < 3; i++) recorder.emit(web, 'TooSoon', 'waits until 10:05');
    time.now += 60_000;
    await turnUntil(() => api.objects.all(events)[0]!['series']?.count === 4);
    recorder.emit(web, 'TooSoon', 'waits until 10:05');
    await turnUntil(() => api.objects.all(events)[0]!['series']?.count === 5);
    assert.deepEqual(
      sentTo(api).map(({ method }) => method),
      ['POST', 'PATCH', 'PATCH'],
    );
    assert.deepEqual(sentTo(api)[2]?.body, { series: { count: 5, lastObservedTime: '2026-01-15T10:01:00.000000Z' } });
  });

  it('another note, reason or object is another Event', async (t) => {
    const { api, recorder } = await start(t);
    recorder.emit(web, 'TooSoon', 'waits until 10:05');
    recorder.emit(web, 'TooSoon', 'waits until 10:10');
    recorder.emit(web, 'Paused', 'waits until 10:10');
    recorder.emit({ ...web, name: 'api', uid: 'uid-api' }, 'Paused', 'waits until 10:10');
    await turnUntil(() => api.objects.all(events).length === 4);
  });

  it('a series that the API server has forgotten begins again', async (t) => {
    const { api, recorder } = await start(t);
    recorder.emit(web, 'TooSoon', 'waits');
    await turnUntil(() => api.objects.all(events).length === 1);
    const { name } = api.objects.all(events)[0]!.metadata;
    api.objects.delete(events, `shop/${name}`);
    recorder.emit(web, 'TooSoon', 'waits');
    await turnUntil(() => api.objects.all(events).length === 1);
    assert.equal(api.objects.all(events)[0]!['series'].count, 2);
  });

  it('a series ends after fifty quiet minutes', async (t) => {
    const { api, recorder, time } = await start(t);
    recorder.emit(web, 'TooSoon', 'waits');
    await turnUntil(() => api.objects.all(events).length === 1);
    time.now += 51 * 60_000;
    recorder.emit(web, 'TooSoon', 'waits');
    await turnUntil(() => api.objects.all(events).length === 2);
  });

  it('one object causes 25 Events at once, then one every five minutes; another has its own 25', async (t) => {
    const { api, recorder, time } = await start(t);
    const flood = (count: number, subject = web) => {
      for (let i = 0; i < count; i++) recorder.emit(subject, 'TooSoon', `flood ${time.now} ${i}`);
    };
    flood(100);
    await turnUntil(() => api.objects.all(events).length === 25);
    time.now += 5 * 60_000;
    flood(10);
    await turnUntil(() => api.objects.all(events).length === 26);
    flood(1, { ...web, uid: 'uid-other' });
    await turnUntil(() => api.objects.all(events).length === 27);
  });

  it('a long note is cut where the API server would refuse it', async (t) => {
    const { api, recorder } = await start(t);
    recorder.emit(web, 'UpdateFailed', 'ü'.repeat(1_000));
    await turnUntil(() => api.objects.all(events).length === 1);
    const note = api.objects.all(events)[0]!['note'];
    assert.ok(Buffer.byteLength(note) <= 1024, `${Buffer.byteLength(note)}`);
    assert.match(note, /^ü{500,}…$/);
  });

  it('a failure costs the Event and nothing else; a missing right is said once', async (t) => {
    const { api, recorder, warnings } = await start(t);
    api.intercept = () => {
      throw new Refusal(403, 'Forbidden', 'cannot create events');
    };
    recorder.emit(web, 'TooSoon', 'one');
    recorder.emit(web, 'Paused', 'two');
    await turnUntil(() => sentTo(api).length === 2 && warnings.length > 0);
    api.intercept = undefined;
    recorder.emit(web, 'UpdateApplied', 'three');
    await turnUntil(() => api.objects.all(events).length === 1);
    assert.equal(warnings.length, 1);
  });

  it('writes what is left when it stops', async (t) => {
    const { api, recorder, end } = await start(t);
    for (let i = 0; i < 20; i++) recorder.emit(web, 'TooSoon', `waits ${i}`);
    await end();
    assert.equal(api.objects.all(events).length, 20);
  });

  it('does not wait longer than it may for a server that hangs', async (t) => {
    const { api, client } = await startKubeApi(t);
    const nothing = () => undefined;
    const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const hanging: Pick<typeof client, 'json'> = {
      json: (_method, _path, request) =>
        new Promise((_resolve, reject) => request?.signal?.addEventListener('abort', () => reject(new Error('aborted')))),
    };
    const recorder = new KubeEvents({ client: hanging, clock: { now: () => 0 }, log, instance: 'x' });
    recorder.emit(web, 'TooSoon', 'waits');
    await recorder.run(AbortSignal.abort(), 5);
    assert.deepEqual(sentTo(api), []);
  });

  it('forgets nothing that was told before it ran', async (t) => {
    const { api, client } = await startKubeApi(t);
    const nothing = () => undefined;
    const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
    const recorder = new KubeEvents({ client, clock: { now: () => 0 }, log, instance: 'x' });
    recorder.emit(web, 'TooSoon', 'waits');
    await recorder.run(AbortSignal.abort());
    assert.equal(api.objects.all(events).length, 1);
  });
});
