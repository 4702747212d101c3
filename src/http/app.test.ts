import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordingLog, RecordingMetrics } from '../../test/fakes/recording.ts';
import { ApiError } from '../errors.ts';
import { createApp } from './app.ts';
import { HttpProblem } from './problem.ts';

function anApp(fail: () => never) {
  const log = new RecordingLog();
  const metrics = new RecordingMetrics();
  const app = createApp({
    name: 'api',
    log,
    metrics,
    routes: [
      { method: 'GET', path: '/api/v1/fail', handle: fail },
      { method: 'GET', path: '/plain/:id', handle: (c) => c.text(c.req.param('id') ?? '') },
      { method: 'POST', path: '/plain/:id', handle: async () => fail() },
    ],
  });
  return { app, log, metrics };
}

const failures: readonly [title: string, error: unknown, status: number, reason: string, retryAfter: string | null][] = [
  ['a bug', new TypeError('secret detail'), 500, 'InternalError', null],
  ['no API server', new ApiError(0, '', 'connect 10.0.0.1 refused: secret detail'), 503, 'ApiServerUnavailable', '5'],
  ['a busy API server', new ApiError(429, 'TooManyRequests', 'secret detail', { retryAfterMs: 1500 }), 503, 'ApiServerUnavailable', '2'],
  ['a refusal of the API server', new ApiError(403, 'Forbidden', 'admission webhook: secret detail'), 500, 'PatchRefused', null],
  ['a conflict', new ApiError(409, 'Conflict', 'secret detail'), 409, 'Conflict', null],
  ['a missing object', new ApiError(404, 'NotFound', 'secret detail'), 404, 'NotFound', null],
  ['an operator that stops', new DOMException('secret detail', 'AbortError'), 503, 'Stopping', '2'],
  ['a problem with a name', new HttpProblem({ status: 413, reason: 'BodyTooLarge', sentence: 'Too large' }), 413, 'BodyTooLarge', null],
];

describe('http/app', () => {
  for (const [title, error, status, reason, retryAfter] of failures) {
    it(`${title} is ${status} ${reason}, in our words`, async () => {
      const { app, log } = anApp(() => {
        throw error;
      });
      const response = await app.request('/api/v1/fail', { headers: { 'x-request-id': 'abc-1' } });
      const body: any = await response.json();
      assert.deepEqual([response.status, body.code, body.reason, body.requestId], [status, status, reason, 'abc-1']);
      assert.equal(response.headers.get('retry-after'), retryAfter);
      assert.doesNotMatch(JSON.stringify(body), /secret detail/);
      assert.match(body.error, /^[A-Z].*[a-z]$/);
      const logged = log.lines.filter(({ level }) => level === 'error').map(({ fields }) => 'request_id' in fields && fields.request_id);
      assert.deepEqual(logged, status >= 500 ? ['abc-1'] : []);
    });
  }

  it('outside of /api errors are plain text', async () => {
    const { app } = anApp(() => {
      throw new TypeError('secret detail');
    });
    const response = await app.request('/plain/1', { method: 'POST' });
    assert.equal(await response.text(), 'The operator failed; its log has the details under this requestId\n');
    assert.equal((await app.request('/other')).headers.get('content-type'), 'text/plain; charset=UTF-8');
    const missing: any = await (await app.request('/api/other')).json();
    assert.equal(missing.reason, 'NoSuchRoute');
  });

  const ids: readonly [given: string, taken: boolean][] = [
    ['abc.DEF-1_2', true],
    ['x'.repeat(64), true],
    ['x'.repeat(65), false],
    ['a b', false],
    ['<script>', false],
  ];
  for (const [given, taken] of ids) {
    it(`the request id ${given.slice(0, 20)} is ${taken ? 'taken over' : 'replaced'}`, async () => {
      const { app } = anApp(() => assert.fail());
      const id = (await app.request('/plain/1', { headers: { 'x-request-id': given } })).headers.get('x-request-id');
      assert.equal(id === given, taken);
      assert.match(id ?? '', /^[\w.-]{1,64}$/);
    });
  }

  it('counts requests by the template of their route, and what has no route together', async () => {
    const { app, metrics } = anApp(() => assert.fail());
    for (const path of ['/plain/1', '/plain/2', '/plain/3/', '/x', '/y']) await app.request(path);
    await app.request('/plain/4', { method: 'PUT' });
    assert.equal(metrics.value('http_requests_total', { server: 'api', route: '/plain/:id', code: '200' }), 3);
    assert.equal(metrics.value('http_requests_total', { server: 'api', route: '/plain/:id', code: '405' }), 1);
    assert.equal(metrics.value('http_requests_total', { server: 'api', route: 'none', code: '404' }), 2);
  });

  it('names every allowed method', async () => {
    const response = await anApp(() => assert.fail()).app.request('/plain/4', { method: 'DELETE' });
    assert.equal(response.headers.get('allow'), 'GET, HEAD, POST');
  });
});
