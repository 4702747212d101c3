import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import type { Check } from './health.ts';
import { createMetricsApp } from './metrics.ts';

const well: Check = { name: 'cache', ok: true, message: '3 workloads' };
const ill: Check = { name: 'permissions', ok: false, message: 'list deployments.apps is forbidden' };

function anApp(checks: readonly Check[], alive = true) {
  const health = { version: '1.2.3', isLeader: () => true, alive: () => alive, checks: () => checks };
  const exposition = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'headwind_leader 1\n' };
  return createMetricsApp({ health, exposition, log: new RecordingLog(), metrics: new RecordingMetrics() });
}

const json = { accept: 'application/json' };
const table: readonly [
  path: string,
  headers: Record<string, string>,
  checks: Check[],
  alive: boolean,
  status: number,
  body: string | RegExp,
][] = [
  ['/health', {}, [ill], false, 200, 'OK'],
  ['/health', json, [ill], true, 200, '{"status":"healthy","version":"1.2.3","leader":true}'],
  ['/healthz', {}, [ill], true, 200, 'OK'],
  ['/healthz', {}, [well], false, 503, /stuck/],
  ['/readyz', {}, [well], true, 200, 'OK'],
  ['/readyz', {}, [well, ill], true, 503, 'permissions: list deployments.apps is forbidden\n'],
  ['/readyz?verbose', {}, [well], true, 200, '[+] cache: 3 workloads\nreadyz: ready\n'],
  ['/readyz?verbose=true', {}, [well, ill], true, 503, /\[-\] permissions: list.*\nreadyz: not ready\n/],
  ['/readyz', json, [well, ill], true, 503, /"status":"not ready","checks":\[\{"name":"cache","ok":true/],
  ['/health/live', {}, [ill], true, 204, ''],
  ['/health/live', {}, [well], false, 503, 'a loop of the operator is stuck\n'],
  ['/health/ready', {}, [well], true, 204, ''],
  ['/health/ready', {}, [ill], true, 503, /forbidden/],
  ['/metrics', {}, [], true, 200, 'headwind_leader 1\n'],
  ['/nothing', {}, [], true, 404, 'There is no /nothing here\n'],
];

describe('http/health', () => {
  for (const [path, headers, checks, alive, status, body] of table) {
    const kind = headers['accept'] ? ' as JSON' : '';
    it(`GET ${path}${kind} with ${checks.map(({ name, ok }) => `${name} ${ok ? 'ok' : 'failed'}`).join(', ') || 'no checks'}${alive ? '' : ', stuck'}: ${status}`, async () => {
      const response = await anApp(checks, alive).request(path, { headers });
      const text = await response.text();
      assert.equal(response.status, status);
      if (typeof body === 'string') assert.equal(text, body);
      else assert.match(text, body);
    });
  }

  it('metrics have the content type of Prometheus', async () => {
    const response = await anApp([]).request('/metrics');
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  });

  it('HEAD answers like GET without a body, other methods are refused with what is allowed', async () => {
    const head = await anApp([well]).request('/readyz', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text()], [200, '']);
    const post = await anApp([well]).request('/metrics', { method: 'POST' });
    assert.deepEqual(
      [post.status, post.headers.get('allow'), post.headers.get('content-type')],
      [405, 'GET, HEAD', 'text/plain; charset=UTF-8'],
    );
  });
});
