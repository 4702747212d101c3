import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LogLevel } from '../core/config-table.ts';
import { ApiError } from '../errors.ts';
import type { AuditEntry } from '../ports.ts';
import { createLog } from './log.ts';

const canary = 'c4nary-s3cret-value';

function aLog(level: LogLevel = 'info') {
  const lines: string[] = [];
  const log = createLog({
    level,
    clock: { now: () => Date.parse('2026-01-15T10:00:00Z') },
    destination: { write: (line) => lines.push(line) },
  });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '{}') };
}

const secrets: readonly [title: string, fields: object][] = [
  ['a member named authorization', { headers: { Authorization: `Bearer ${canary}` } }],
  ['a token deep inside', { a: { b: { c: { token: canary } } } }],
  ['a password in a list', { users: [{ password: canary }] }],
  ['the secret part of a credential', { credential: { source: 'Secret team/regcred', secret: { password: canary } } }],
  ['user and password in a URL', { url: `https://user:${canary}@ghcr.io/v2/` }],
  ['a token in a query', { url: `https://auth.example.com/token?scope=a&access_token=${canary}` }],
  ['a JWT after a dash', { text: `x-eyJhbGciOiJSUzI1.${canary}.signature` }],
  ['a signed URL', { url: `https://s3.example.com/blob?X-Amz-Signature=${canary}&X-Amz-Date=1` }],
  ['a bearer in a sentence', { reason: `sent Authorization: Bearer ${canary}` }],
  ['the message of an error', { error: new Error(`GET https://u:${canary}@ghcr.io/`) }],
  ['the cause of an error', { error: new Error('outer', { cause: new Error(`Basic ${canary}`) }) }],
  ['a Secret of type dockerconfigjson', { data: { '.dockerconfigjson': canary } }],
];

describe('telemetry/log', () => {
  for (const [title, fields] of secrets) {
    it(`redacts ${title}`, () => {
      const { log, lines } = aLog();
      log.info(fields, 'a line');
      assert.equal(lines.join('').includes(canary), false, lines.join(''));
      assert.match(lines.join(''), /\[redacted\]/);
    });
  }

  for (const text of ['a', 'a+b-', '-eyJaaaaaaaa', '&token', 'Bearer ', 'https://', '?key=', 'a:/']) {
    it(`is not held up by ${JSON.stringify(text)} again and again`, () => {
      const { log } = aLog();
      const endless = text.repeat(10_000);
      const startedAt = performance.now();
      log.info({ endless }, 'a line');
      assert.ok(performance.now() - startedAt < 100);
    });
  }

  it('redacts the message itself', () => {
    const { log, last } = aLog();
    log.warn({}, `calling https://me:${canary}@ghcr.io`);
    assert.equal(last()['message'], 'calling https://[redacted]@ghcr.io');
  });

  it('writes one JSON object per line with level, time, target and message', () => {
    const { log, last } = aLog();
    log.info({ key: 'shop/web', count: 2, ok: true, nothing: undefined }, 'looked');
    assert.deepEqual(last(), {
      level: 'info',
      timestamp: '2026-01-15T10:00:00.000Z',
      target: 'headwind',
      key: 'shop/web',
      count: 2,
      ok: true,
      message: 'looked',
    });
  });

  it('fields never take the place of what every line has', () => {
    const { log, lines, last } = aLog();
    log.info({ level: 'x', message: 'y', target: 'z' }, 'real');
    assert.deepEqual([last()['level'], last()['message'], last()['message_'], last()['target_']], ['info', 'real', 'y', 'z']);
    assert.equal(lines[0]?.match(/"message"/g)?.length, 1);
  });

  it('tells expected failures by code, bugs with their stack', () => {
    const { log, last } = aLog();
    log.error({ error: new ApiError(503, 'ServiceUnavailable', 'busy') }, 'failed');
    assert.deepEqual(last()['error'], { name: 'ApiError', code: 'ServiceUnavailable', message: 'busy' });
    log.error({ error: new TypeError('bug') }, 'failed');
    assert.match(JSON.stringify(last()['error']), /log\.test\.ts/);
  });

  it('survives what JSON cannot hold', () => {
    const { log, last } = aLog();
    const loop: Record<string, unknown> = { big: 1n, bytes: Buffer.from('abc'), when: new Date(Number.NaN), map: new Map([['a', 1]]) };
    loop['self'] = loop;
    log.info(loop, 'odd');
    assert.deepEqual([last()['big'], last()['bytes'], last()['when'], last()['map']], ['1', '[3 bytes]', 'invalid date', { a: 1 }]);
  });

  const levels: readonly [LogLevel, number][] = [
    ['trace', 4],
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['off', 0],
  ];
  for (const [level, count] of levels) {
    it(`level ${level} writes ${count} of 4 lines, and the audit line always`, () => {
      const { log, lines, last } = aLog('error');
      log.setLevel(level);
      for (const method of ['debug', 'info', 'warn', 'error'] as const) log[method]({}, method);
      assert.equal(lines.length, count);
      const entry: AuditEntry = {
        username: 'alice',
        action: 'approve',
        resource_type: 'UpdateRequest',
        namespace: 'shop',
        name: 'web-1',
        result: 'success',
        source: 'api',
        verified: false,
        target_kind: 'Deployment',
      };
      log.audit(entry);
      assert.equal(lines.length, count + 1);
      assert.deepEqual(last(), {
        ...entry,
        level: 'info',
        timestamp: '2026-01-15T10:00:00.000Z',
        target: 'headwind::audit',
        message: 'approve UpdateRequest shop/web-1 by alice: success',
      });
    });
  }
});
