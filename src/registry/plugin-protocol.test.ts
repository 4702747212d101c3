import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatPluginRequest, readPluginAnswer } from './plugin-protocol.ts';

const apiVersion = 'credentialprovider.kubelet.k8s.io/v1';
const head = { apiVersion, kind: 'CredentialProviderResponse', cacheKeyType: 'Registry' };

const durations = [
  // cacheDuration, milliseconds
  ['6h', 6 * 3_600_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
  ['0', 0],
  ['6h0m0s', 6 * 3_600_000],
  ['250ms', 250],
  [undefined, undefined],
  [null, undefined],
] as const;

const broken = [
  // title, answer, part of the sentence
  ['nothing', '', 'is not a JSON object'],
  ['text', 'canary', 'is not a JSON object'],
  ['another version', JSON.stringify({ ...head, apiVersion: 'x/canary' }), 'is not a CredentialProviderResponse'],
  ['another kind', JSON.stringify({ ...head, kind: 'canary' }), 'is not a CredentialProviderResponse'],
  ['no cache key', JSON.stringify({ ...head, cacheKeyType: 'canary' }), '"cacheKeyType"'],
  ['no duration', JSON.stringify({ ...head, cacheDuration: 'canary' }), '"cacheDuration"'],
  ['a negative duration', JSON.stringify({ ...head, cacheDuration: '-1h' }), '"cacheDuration"'],
  ['auth that is a list', JSON.stringify({ ...head, auth: ['canary'] }), '"auth"'],
] as const;

describe('registry/plugin-protocol', () => {
  it('writes the request as the kubelet does', () => {
    const request = {
      image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/app',
      serviceAccountToken: 'canary',
      serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/r' },
    };
    assert.deepEqual(JSON.parse(formatPluginRequest(request)), { apiVersion, kind: 'CredentialProviderRequest', ...request });
    assert.deepEqual(Object.keys(JSON.parse(formatPluginRequest({ image: 'x/y' }))), ['apiVersion', 'kind', 'image']);
  });

  for (const [text, ms] of durations) {
    it(`reads the duration ${text} as ${ms}`, () => {
      const answer = readPluginAnswer(Buffer.from(JSON.stringify({ ...head, cacheDuration: text })));
      assert.ok(!('invalid' in answer));
      assert.equal(answer.cacheMs, ms);
    });
  }

  it('reads logins by key, and leaves out what is none', () => {
    const auth = { 'a.io': { username: 'u', password: 'p' }, 'b.io': { username: 'u' }, 'c.io': 'x' };
    const answer = readPluginAnswer(Buffer.from(JSON.stringify({ ...head, auth })));
    assert.deepEqual(answer, {
      entries: [{ key: 'a.io', contents: [{ kind: 'basic', username: 'u', password: 'p' }] }],
      cacheKeyType: 'Registry',
      cacheMs: undefined,
    });
  });

  for (const [title, text, part] of broken) {
    it(`says what is wrong and quotes nothing: ${title}`, () => {
      const answer = readPluginAnswer(Buffer.from(text));
      assert.ok('invalid' in answer && answer.invalid.includes(part) && !answer.invalid.includes('canary'));
    });
  }

  it('answers for every text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readPluginAnswer(Buffer.from(text)) === 'object'));
  });
});
