import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anUpdateRequest, aWorkload } from '../../test/builders.ts';
import { anOperator } from '../../test/fakes/operator-deps.ts';
import { RecordingEvents, RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { FakeUpdateRequests } from '../../test/fakes/update-requests.ts';
import { FakeWorkloads } from '../../test/fakes/workloads.ts';
import type { UpdateRequest, UpdateRequestStatus } from '../core/update-request-schema.ts';
import { ApiError } from '../errors.ts';
import { createApiApp } from './api.ts';

const now = '2026-01-15T11:00:00Z';
const name = 'web-web-1-26-0a1b2c3d';
const base = `/api/v1/updates/shop/${name}`;
const digest = `sha256:${'b'.repeat(64)}`;
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const completed: UpdateRequestStatus = {
  phase: 'Completed',
  approvedAt: now,
  conditions: [{ type: 'Applied', status: 'True', reason: 'UpdateApplied', message: 'patched', lastTransitionTime: now }],
};

interface WorldOptions {
  readonly objects?: readonly UpdateRequest[];
  readonly isSynced?: boolean;
  readonly stopping?: AbortSignal;
  readonly workload?: ReturnType<typeof aWorkload>;
}

function aWorld({
  objects = [anUpdateRequest()],
  isSynced = true,
  stopping = new AbortController().signal,
  workload = aWorkload(),
}: WorldOptions = {}) {
  const requests = new FakeUpdateRequests(objects);
  const log = new RecordingLog();
  const metrics = new RecordingMetrics();
  const app = createApiApp({
    requests,
    changes: requests.changes,
    workloads: new FakeWorkloads([workload]),
    clock: { now: () => Date.parse(now) },
    audit: log.audit,
    explain: { ...anOperator().deps, controllersEnabled: true, work: { isLeading: true, nextPollAt: () => undefined } },
    announcer: { events: new RecordingEvents(), metrics, log },
    log,
    metrics,
    health: { version: '1', isLeader: () => true, alive: () => true, checks: () => [] },
    isSynced: () => isSynced,
    ownUrls: ['https://hw.example.com/ui'],
    stopping,
  });
  async function call(
    method: string,
    path: string,
    options: { body?: string; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Headers; body: any }> {
    const response = await app.request(path, {
      method,
      headers: options.headers ?? {},
      ...(options.body === undefined ? {} : { body: options.body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }
  return { requests, log, call, stored: () => requests.get('shop', name)?.status };
}

type Row = readonly [
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | undefined,
  status: number,
  reason: string | undefined,
];
const routes: readonly Row[] = [
  ['GET', '/api/v1/updates', {}, undefined, 200, undefined],
  ['GET', '/api/v1/ui/updates', {}, undefined, 200, undefined],
  ['GET', '/api/v1/updates?phase=Nope', {}, undefined, 400, 'BadRequest'],
  ['POST', '/api/v1/updates', json, '{}', 405, 'MethodNotAllowed'],
  ['GET', base, {}, undefined, 200, undefined],
  ['GET', `/api/v1/ui/updates/shop/${name}`, {}, undefined, 200, undefined],
  ['GET', '/api/v1/updates/shop/none', {}, undefined, 404, 'NotFound'],
  ['PUT', base, json, '{}', 405, 'MethodNotAllowed'],
  ['GET', `${base}/approve`, { accept: 'text/html' }, undefined, 405, 'MethodNotAllowed'],
  ['GET', `${base}/reject`, {}, undefined, 405, 'MethodNotAllowed'],
  ['POST', `${base}/approve?wait=0`, {}, undefined, 200, undefined],
  ['POST', `${base}/approve?wait=0`, json, '', 200, undefined],
  ['POST', `${base}/approve?wait=0`, { 'content-type': 'text/plain' }, ' ', 200, undefined],
  ['POST', `${base}/approve?wait=0`, json, '{"approver":"alice","unknown":1}', 200, undefined],
  ['POST', `${base}/approve?wait=0`, json, '{"approver":null,"force":null,"digest":null}', 200, undefined],
  ['POST', `${base}/approve?wait=0`, json, `{"digest":"${digest}"}`, 200, undefined],
  ['POST', `${base}/approve?wait=0`, form, `approver=alice&force=true&digest=${encodeURIComponent(digest)}`, 200, undefined],
  ['POST', `${base}/approve?wait=0`, json, `{"digest":"sha256:${'a'.repeat(64)}"}`, 409, 'DigestChanged'],
  ['POST', `${base}/approve?wait=0`, form, '{"digest":"sha256:old"}', 409, 'DigestChanged'],
  ['POST', `${base}/approve?wait=0`, form, 'digest=sha256:old', 409, 'DigestChanged'],
  ['POST', `${base}/approve?wait=61`, {}, undefined, 400, 'BadRequest'],
  ['POST', `${base}/approve?wait=-1`, {}, undefined, 400, 'BadRequest'],
  ['POST', `${base}/approve?wait=soon`, {}, undefined, 400, 'BadRequest'],
  ['POST', `${base}/approve`, json, '{"approver":', 400, 'BadRequest'],
  ['POST', `${base}/approve`, json, '[]', 422, 'WrongShape'],
  ['POST', `${base}/approve`, json, '{"approver":7,"force":"perhaps"}', 422, 'WrongShape'],
  ['POST', `${base}/approve`, json, `{"approver":"${'x'.repeat(257)}"}`, 422, 'WrongShape'],
  ['POST', `${base}/approve`, { 'content-type': 'application/xml' }, '<a/>', 415, 'UnsupportedMediaType'],
  ['POST', `${base}/approve`, json, ' '.repeat(2 * 1024 * 1024 + 1), 413, 'BodyTooLarge'],
  ['POST', '/api/v1/updates/shop/none/approve', {}, undefined, 404, 'NotFound'],
  ['POST', `${base}/reject`, json, '{"reason":"too risky"}', 200, undefined],
  ['POST', `${base}/reject`, form, 'reason=too+risky&approver=bob', 200, undefined],
  ['POST', `${base}/reject`, {}, undefined, 200, undefined],
  ['POST', `${base}/reject`, json, '{"reason":["x"]}', 422, 'WrongShape'],
  ['POST', '/api/v1/updates/shop/none/reject', {}, undefined, 404, 'NotFound'],
  ['DELETE', base, {}, undefined, 200, undefined],
  ['DELETE', '/api/v1/updates/shop/none', {}, undefined, 404, 'NotFound'],
  ['GET', '/api/v1/workloads', {}, undefined, 200, undefined],
  ['GET', '/api/v1/ui/explain/shop/deploy/none', {}, undefined, 404, 'NotFound'],
  ['POST', '/api/v1/workloads', json, '{}', 405, 'MethodNotAllowed'],
  ['GET', '/api/v1/nothing', {}, undefined, 404, 'NoSuchRoute'],
  ['GET', '/api/v2/updates', {}, undefined, 404, 'NoSuchRoute'],
];

const crossSite: readonly [headers: Record<string, string>, status: number][] = [
  [{}, 200],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }, 200],
  [{ 'sec-fetch-site': 'none' }, 200],
  [{ origin: 'https://hw.example.com' }, 200],
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'sec-fetch-site': 'same-site' }, 403],
  [{ origin: 'https://evil.example.com' }, 403],
  [{ origin: 'http://localhost:3000' }, 403],
  [{ origin: 'null' }, 403],
  [{ 'sec-fetch-site': 'same-origin', origin: 'https://evil.example.com' }, 403],
];

const hosts: readonly [url: string, status: number][] = [
  ['http://localhost:8081', 200],
  ['http://headwind.localhost:8081', 200],
  ['http://127.0.0.1:8081', 200],
  ['http://10.1.2.3:8081', 200],
  ['http://[::1]:8081', 200],
  ['http://headwind-api:8081', 200],
  ['http://headwind-api.headwind-system.svc:8081', 200],
  ['http://headwind-api.headwind-system.svc.cluster.local.:8081', 200],
  ['https://hw.example.com', 200],
  ['http://HW.example.com:8081', 200],
  ['http://evil.example.com:8081', 403],
  ['http://localhost.evil.example.com:8081', 403],
  ['http://127.0.0.1.evil.example.com:8081', 403],
  ['http://svc.example.com:8081', 403],
];

describe('http/api', () => {
  for (const [method, path, headers, body, status, reason] of routes) {
    it(`${method} ${path.replace(name, ':name')} ${(headers['content-type'] ?? '').split('/').pop()} ${body?.slice(0, 40) ?? ''}: ${status} ${reason ?? ''}`, async () => {
      const { call, requests } = aWorld();
      const answer = await call(method, path, { headers, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.headers.get('x-request-id') ?? '', /./);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('content-type'), 'application/json');
      if (status >= 400) {
        assert.deepEqual([answer.body.code, answer.body.reason, typeof answer.body.error], [status, reason, 'string']);
        assert.equal(answer.body.requestId, answer.headers.get('x-request-id'));
        assert.deepEqual(requests.writes, []);
      }
      if (status === 405) assert.match(answer.headers.get('allow') ?? '', /GET|POST/);
    });
  }

  for (const method of ['POST approve', 'POST reject', 'DELETE']) {
    for (const [headers, status] of crossSite) {
      it(`${method} with ${JSON.stringify(headers)}: ${status}`, async () => {
        const { call, log, requests } = aWorld();
        const [verb = '', action] = method.split(' ');
        const answer = await call(verb, action === undefined ? base : `${base}/${action}?wait=0`, { headers });
        assert.equal(answer.status, status);
        assert.equal(requests.writes.length, status === 200 ? 1 : 0);
        assert.deepEqual(
          log.audits.map(({ result, http_status }) => [result, http_status]),
          [[status === 200 ? 'success' : 'failed', status]],
        );
      });
    }
  }

  for (const [url, status] of hosts) {
    it(`a page that has its own name lead to this machine reads and changes nothing: ${url} ${status}`, async () => {
      const { call, log, requests } = aWorld();
      assert.equal((await call('GET', `${url}/api/v1/updates`)).status, status);
      const headers = { 'sec-fetch-site': 'same-origin', origin: url };
      assert.equal((await call('POST', `${url}${base}/approve?wait=0`, { headers })).status, status);
      assert.equal((await call('DELETE', url + base, { headers })).status, status);
      assert.equal(requests.writes.length, status === 200 ? 2 : 0);
      assert.deepEqual(new Set(log.audits.map(({ http_status }) => http_status)), new Set([status]));
    });
  }

  it('lists all phases, Pending first, with totals and a link to the next page', async () => {
    const objects = ['a', 'b', 'c'].map((id, index) =>
      anUpdateRequest({
        metadata: { name: id, creationTimestamp: `2026-01-0${index + 1}T00:00:00Z` },
        ...(id === 'c' ? { status: completed } : {}),
      }),
    );
    const { call } = aWorld({ objects });
    const all = await call('GET', '/api/v1/updates');
    assert.deepEqual(
      all.body.map((item: any) => [item.name, item.phase]),
      [
        ['b', 'Pending'],
        ['a', 'Pending'],
        ['c', 'Completed'],
      ],
    );
    assert.deepEqual([all.headers.get('x-total-count'), all.headers.get('link')], ['3', null]);
    const first = await call('GET', '/api/v1/updates?namespace=shop&limit=2');
    assert.deepEqual([first.headers.get('x-total-count'), first.body.length], ['3', 2]);
    const [, next = ''] = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? [];
    assert.match(next, /^\/api\/v1\/updates\?namespace=shop&limit=2&cursor=/);
    const second = await call('GET', next);
    assert.deepEqual([second.body.map((item: any) => item.name), second.headers.get('link')], [['c'], null]);
  });

  it('an interval without end does not take the list away from everybody', async () => {
    const annotations = {
      'headwind.sh/policy': 'minor',
      'headwind.sh/min-update-interval': '9999999999d',
      'headwind.sh/last-update': now,
    };
    const { body } = await aWorld({ workload: aWorkload({ annotations }) }).call('GET', '/api/v1/updates');
    assert.match(body[0].nextAllowedAt, /^2125-/);
  });

  it('serves readers of the object and of the flat form', async () => {
    const { body } = await aWorld().call('GET', base);
    assert.deepEqual(
      [body.metadata.name, body.spec.newImage, body.spec.newVersion, body.status.phase, body.status.createdAt],
      [name, 'nginx:1.26', '1.26', 'Pending', '2026-01-15T10:00:00Z'],
    );
    assert.deepEqual(
      [body.deployment, body.container, body.newImage, body.phase, body.can],
      ['web', 'web', 'nginx:1.26', 'Pending', { approve: true, reject: true }],
    );
  });

  it('approve stores who approved, and answers with the item, a message and the object', async () => {
    const { call, stored } = aWorld();
    const { body } = await call('POST', `${base}/approve?wait=0`, { headers: json, body: '{"approver":" alice ","force":true}' });
    assert.deepEqual(stored(), { phase: 'Approved', approvedBy: 'alice', approvedAt: now, lastUpdated: now, force: true });
    const { message, updateRequest, ...item } = body;
    assert.deepEqual(updateRequest, item);
    assert.deepEqual([item.phase, item.status.approvedBy], ['Approved', 'alice']);
    assert.equal(message, 'Approved; Deployment shop/web will be updated to nginx:1.26 shortly');
  });

  it('who approves without a name is unknown', async () => {
    const { call, stored } = aWorld();
    await call('POST', `${base}/approve?wait=0`);
    assert.equal(stored()?.approvedBy, 'unknown');
  });

  const outcomes: readonly [title: string, status: UpdateRequestStatus, message: RegExp][] = [
    ['completed', completed, /^Deployment shop\/web was updated to nginx:1\.26$/],
    [
      'failed',
      { phase: 'Failed', message: 'quota exceeded', conditions: [condition('False', 'PatchRefused', 'refused')] },
      /failed: quota exceeded$/,
    ],
    [
      'too soon',
      { phase: 'Approved', approvedAt: now, conditions: [condition('False', 'TooSoon', 'not before noon')] },
      /waits: not before noon$/,
    ],
    [
      'watched',
      { phase: 'Approved', approvedAt: now, conditions: [condition('True', 'Progressing', 'patched')] },
      /rollout is being watched$/,
    ],
    [
      'superseded',
      { phase: 'Expired', message: '1.27 is newer', approvedAt: now, conditions: [condition('False', 'UpdateExpired', 'x')] },
      /is Expired: 1\.27 is newer$/,
    ],
  ];
  for (const [title, status, message] of outcomes) {
    it(`approve waits until it is known: ${title}`, async () => {
      const { call, requests, log } = aWorld();
      const answer = call('POST', `${base}/approve?wait=60`);
      await untilWritten(requests);
      assert.equal(log.audits.length, 1, 'the audit line does not wait');
      requests.put(anUpdateRequest({ status }));
      const { status: code, body } = await answer;
      assert.deepEqual([code, body.phase], [200, status.phase]);
      assert.match(body.message, message);
    });
  }

  it('approve answers at once when the process stops', async () => {
    const stop = new AbortController();
    const { call, requests } = aWorld({ stopping: stop.signal });
    const answer = call('POST', `${base}/approve?wait=60`);
    await untilWritten(requests);
    stop.abort();
    assert.deepEqual([(await answer).status, (await answer).body.phase], [200, 'Approved']);
  });

  it('a second approval is told the phase, two at once give one 200 and one 409', async () => {
    const { call, requests } = aWorld();
    const answers = await Promise.all([1, 2].map(() => call('POST', `${base}/approve?wait=0`)));
    const refused = answers.find(({ status }) => status === 409);
    assert.deepEqual(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 409],
    );
    assert.equal(refused?.body.error, 'UpdateRequest is in Approved state, cannot approve');
    assert.deepEqual([refused?.body.current_phase, refused?.body.reason], ['Approved', 'WrongPhase']);
    assert.equal(requests.writes.length, 1);
  });

  it('reject keeps the reason', async () => {
    const { call, stored } = aWorld();
    const { body } = await call('POST', `${base}/reject`, { headers: json, body: '{"approver":"bob","reason":"too risky"}' });
    assert.deepEqual([stored()?.rejectedBy, stored()?.message, body.status.rejectionReason], ['bob', 'too risky', 'too risky']);
    assert.equal((await call('POST', `${base}/reject`)).body.error, 'UpdateRequest is in Rejected state, cannot reject');
  });

  it('names all mistakes in a body', async () => {
    const { body } = await aWorld().call('POST', `${base}/approve`, {
      headers: json,
      body: '{"approver":7,"force":"perhaps","digest":{}}',
    });
    assert.deepEqual(
      body.errors.map(({ path }: { path: string }) => path),
      ['approver', 'digest', 'force'],
    );
  });

  it('takes a multipart form', async () => {
    const { call, stored } = aWorld();
    const body = '--x\r\nContent-Disposition: form-data; name="approver"\r\n\r\ncarol\r\n--x--\r\n';
    const answer = await call('POST', `${base}/approve?wait=0`, { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body });
    assert.deepEqual([answer.status, stored()?.approvedBy], [200, 'carol']);
    const odd = await call('POST', `${base}/approve?wait=0`, { headers: { 'content-type': 'multipart/form-data; boundary=y' }, body });
    assert.equal(odd.status, 400);
  });

  const audits: readonly [title: string, path: string, body: string, expected: object][] = [
    [
      'success',
      `${base}/approve?wait=0`,
      '{"approver":"alice"}',
      { username: 'alice', action: 'approve', result: 'success', http_status: 200, to_image: 'nginx:1.26', digest },
    ],
    [
      'missing',
      '/api/v1/updates/shop/none/reject',
      '{"approver":"alice"}',
      { username: 'alice', action: 'reject', result: 'failed', http_status: 404, reason: 'NotFound', name: 'none' },
    ],
    [
      'digest',
      `${base}/approve`,
      '{"digest":"sha256:old"}',
      { username: 'unknown', result: 'failed', http_status: 409, reason: 'DigestChanged', target_name: 'web' },
    ],
    ['shape', `${base}/approve`, '{"approver":1}', { action: 'approve', result: 'failed', http_status: 422, reason: 'WrongShape' }],
  ];
  for (const [title, path, body, expected] of audits) {
    it(`writes one audit line: ${title}`, async () => {
      const { call, log } = aWorld();
      await call('POST', path, { headers: { ...json, 'x-request-id': 'r-1' }, body });
      assert.equal(log.audits.length, 1);
      assert.partialDeepStrictEqual(log.audits[0], { ...expected, source: 'api', auth_mode: 'none', verified: false, request_id: 'r-1' });
    });
  }

  const faults: readonly [title: string, error: ApiError, status: number, reason: string][] = [
    ['unreachable', new ApiError(0, '', 'refused'), 503, 'ApiServerUnavailable'],
    ['refuses', new ApiError(422, 'Invalid', 'admission says no'), 500, 'PatchRefused'],
  ];
  for (const [title, error, status, reason] of faults) {
    it(`with an API server that ${title} an edit is ${status} and reads answer`, async () => {
      const { call, requests, log } = aWorld();
      requests.failure = error;
      const answer = await call('POST', `${base}/approve`);
      assert.deepEqual([answer.status, answer.body.reason], [status, reason]);
      assert.deepEqual(
        log.audits.map(({ result, http_status }) => [result, http_status]),
        [['failed', status]],
      );
      assert.equal((await call('GET', base)).status, 200);
    });
  }

  it('until the cache is complete everything is 503, nothing is "not found"', async () => {
    const { call } = aWorld({ isSynced: false });
    for (const [method, path] of [
      ['GET', '/api/v1/updates'],
      ['GET', '/api/v1/updates/shop/none'],
      ['POST', `${base}/approve`],
      ['DELETE', base],
    ] as const) {
      const answer = await call(method, path);
      assert.deepEqual([answer.status, answer.body.reason, answer.headers.get('retry-after')], [503, 'NotReady', '2']);
    }
  });
});

function condition(status: 'True' | 'False', reason: string, message: string) {
  return { type: 'Applied', status, reason, message, lastTransitionTime: now };
}

async function untilWritten(requests: FakeUpdateRequests): Promise<void> {
  while (requests.writes.length === 0) await new Promise<void>((resolve) => setImmediate(resolve));
}
