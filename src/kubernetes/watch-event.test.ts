import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApiError } from '../errors.ts';
import { BrokenLineError } from './reconnect-policy.ts';
import { parseWatchEvent } from './watch-event.ts';

const metadata = { name: 'web', resourceVersion: '7' };
const end = { 'k8s.io/initial-events-end': 'true' };

const good = [
  // type, metadata, kind of event, ends the list
  ['ADDED', metadata, 'put', false],
  ['MODIFIED', metadata, 'put', false],
  ['DELETED', metadata, 'delete', false],
  ['BOOKMARK', { resourceVersion: '7' }, 'bookmark', false],
  ['BOOKMARK', { resourceVersion: '7', annotations: end }, 'bookmark', true],
  ['ADDED', { ...metadata, annotations: end }, 'put', false],
] as const;

const broken = [
  '{"type":"ADDED","object":{"metadata":{"na',
  'null',
  '[]',
  '{}',
  '{"type":"ADDED"}',
  '{"type":"ADDED","object":{"metadata":{"name":"web"}}}',
  '{"type":"ADDED","object":{"metadata":{"resourceVersion":"7"}}}',
  '{"type":"TOLD","object":{"metadata":{"name":"web","resourceVersion":"7"}}}',
  '{"type":"constructor","object":{"metadata":{"name":"web","resourceVersion":"7"}}}',
];

describe('kubernetes/watch-event', () => {
  for (const [type, meta, kind, endsList] of good) {
    it(`${type} ${JSON.stringify(meta)} is ${kind}${endsList ? ', the end of the list' : ''}`, () => {
      const event = parseWatchEvent(JSON.stringify({ type, object: { metadata: meta } }));
      assert.deepEqual([event.type, event.version, event.endsList], [kind, '7', endsList]);
    });
  }

  for (const line of broken) it(`${line} is broken`, () => assert.throws(() => parseWatchEvent(line), BrokenLineError));

  it('ERROR is thrown as ApiError', () => {
    const object = { code: 410, reason: 'Expired', message: 'too old', details: { retryAfterSeconds: 2 } };
    const expected = new ApiError(410, 'Expired', 'too old', { retryAfterMs: 2000 });
    assert.throws(() => parseWatchEvent(JSON.stringify({ type: 'ERROR', object })), expected);
  });
});
