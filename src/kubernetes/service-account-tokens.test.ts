import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Refusal } from '../../test/fakes/api-writes.ts';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import { KubeServiceAccountTokens } from './service-account-tokens.ts';

const signal = new AbortController().signal;
const account = { namespace: 'shop', name: 'web' };
const start0 = Date.parse('2026-01-15T10:00:00Z');

async function start(t: TestContext) {
  const { api, client } = await startKubeApi(t);
  const metadata = {
    name: 'web',
    namespace: 'shop',
    uid: 'u-1',
    annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/r', odd: 7 },
  };
  api.objects.put('/api/v1/serviceaccounts', { metadata });
  const clock = { ms: start0, now: () => clock.ms };
  let given = 0;
  api.intercept = ({ method, path }) => {
    if (method !== 'POST' || !path.endsWith('/serviceaccounts/web/token')) return undefined;
    const expirationTimestamp = new Date(clock.ms + 3_600_000).toISOString();
    return { code: 201, body: { status: { token: `canary-${++given}`, expirationTimestamp } } };
  };
  return { api, clock, tokens: new KubeServiceAccountTokens({ client, clock }) };
}

describe('kubernetes/service-account-tokens', () => {
  it('reads annotations and uid, and keeps them for a minute', async (t) => {
    const { api, clock, tokens } = await start(t);
    const expected = { uid: 'u-1', annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/r' } };
    for (const waitMs of [0, 59_000, 61_000]) {
      clock.ms = start0 + waitMs;
      assert.deepEqual(await tokens.read(account, signal), expected);
    }
    assert.deepEqual(
      sentTo(api).map(({ method, path }) => `${method} ${path}`),
      Array.from({ length: 2 }, () => 'GET /api/v1/namespaces/shop/serviceaccounts/web'),
    );
  });

  it('asks for a token of one audience and uses it for most of its life', async (t) => {
    const { api, clock, tokens } = await start(t);
    const ask = async (audience: string) => (await tokens.token(account, audience, signal)).token;
    assert.deepEqual(
      [await ask('sts.amazonaws.com'), await ask('sts.amazonaws.com'), await ask('other')],
      ['canary-1', 'canary-1', 'canary-2'],
    );
    clock.ms += 2_870_000;
    assert.equal(await ask('sts.amazonaws.com'), 'canary-1');
    clock.ms += 20_000;
    assert.equal(await ask('sts.amazonaws.com'), 'canary-3');
    assert.deepEqual(sentTo(api)[0]?.body, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['sts.amazonaws.com'], expirationSeconds: 3_600 },
    });
  });

  it('without the right, or the account, it says so', async (t) => {
    const { api, clock, tokens } = await start(t);
    api.intercept = () => {
      throw new Refusal(403, 'Forbidden', 'cannot create resource "serviceaccounts/token"');
    };
    for (let looks = 0; looks < 10; looks++) {
      await assert.rejects(tokens.token(account, 'x', signal), { status: 403, message: /serviceaccounts\/token/ });
      clock.ms += 20_000;
    }
    assert.equal(sentTo(api).length, 1);
    api.intercept = undefined;
    await assert.rejects(tokens.read({ namespace: 'shop', name: 'missing' }, signal), { status: 404 });
  });

  it('an answer without a token is none', async (t) => {
    const { api, tokens } = await start(t);
    api.intercept = () => ({ code: 201, body: { status: {} } });
    await assert.rejects(tokens.token(account, 'x', signal), /gave no token of ServiceAccount shop\/web/);
  });
});
