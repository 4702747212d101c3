import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { sentTo, startKubeApi } from '../../test/fakes/kube-api.ts';
import type { FakeApiServer } from '../../test/fakes/api-server.ts';
import { Refusal } from '../../test/fakes/api-writes.ts';
import { ApiError } from '../errors.ts';
import type { PullContext } from '../ports.ts';
import { KubePullSecrets } from './pull-secrets.ts';

const signal = new AbortController().signal;
const auths = '{"auths":{"registry.example.com":{}}}';

function aSecret(name: string, namespace = 'shop') {
  const data = { '.dockerconfigjson': Buffer.from(auths).toString('base64'), other: 'c2VjcmV0' };
  return { metadata: { name, namespace }, type: 'kubernetes.io/dockerconfigjson', data };
}

function aContext(overrides: Partial<PullContext> = {}): PullContext {
  return { namespace: 'shop', serviceAccountName: 'default', pullSecretNames: [], ...overrides };
}

async function start(t: TestContext, fill: (api: FakeApiServer) => void = () => undefined) {
  const { api, client } = await startKubeApi(t);
  api.objects.put('/api/v1/secrets', aSecret('regcred'));
  api.objects.put('/api/v1/secrets', aSecret('of-account'));
  api.objects.put('/api/v1/serviceaccounts', {
    metadata: { name: 'default', namespace: 'shop' },
    imagePullSecrets: [{ name: 'of-account' }],
  });
  fill(api);
  const time = { now: 1_000 };
  return { api, time, secrets: new KubePullSecrets({ client, now: () => time.now }) };
}

const names = ({ secrets }: Awaited<ReturnType<KubePullSecrets['of']>>) => secrets.map(({ name }) => name);

describe('kubernetes/pull-secrets', () => {
  it('the secrets of the template, decoded, and nothing of the service account', async (t) => {
    const { secrets, api } = await start(t);
    assert.deepEqual(await secrets.of(aContext({ pullSecretNames: ['regcred'] }), signal), {
      secrets: [{ namespace: 'shop', name: 'regcred', type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': auths } }],
      problems: [],
    });
    assert.deepEqual(
      sentTo(api).map(({ method, path }) => `${method} ${path}`),
      ['GET /api/v1/namespaces/shop/secrets/regcred'],
    );
  });

  it('a name that no object can have is never asked for', async (t) => {
    const { secrets, api } = await start(t);
    const { problems } = await secrets.of(aContext({ pullSecretNames: ['..', 'a/b', 'A', ''] }), signal);
    assert.equal(problems.length, 4);
    assert.match(problems[0]?.message ?? '', /Secret shop\/\.\. cannot exist/);
    assert.deepEqual(sentTo(api), []);
  });

  it('of a pod that names thousands only the first are read', async (t) => {
    const { secrets, api } = await start(t);
    const { problems } = await secrets.of(aContext({ pullSecretNames: Array.from({ length: 5000 }, (_, index) => `s${index}`) }), signal);
    assert.equal(sentTo(api).length, 20);
    assert.match(problems.at(-1)?.message ?? '', /names 5000 pull secrets; only the first 20 are read/);
  });

  it('what is kept is decoded once', async (t) => {
    const { secrets } = await start(t);
    const read = async () => (await secrets.of(aContext({ pullSecretNames: ['regcred'] }), signal)).secrets[0];
    assert.equal(await read(), await read());
  });

  it('only where the template names none, those of its service account', async (t) => {
    const { secrets } = await start(t);
    assert.deepEqual(names(await secrets.of(aContext(), signal)), ['of-account']);
  });

  it('an account without pull secrets, or none at all, is no problem', async (t) => {
    const { secrets } = await start(t, ({ objects }) => {
      objects.put('/api/v1/serviceaccounts', { metadata: { name: 'bare', namespace: 'shop' } });
    });
    for (const serviceAccountName of ['bare', 'missing']) {
      assert.deepEqual(await secrets.of(aContext({ serviceAccountName }), signal), { secrets: [], problems: [] });
    }
  });

  it('one that is missing is a problem that names it, and the others count', async (t) => {
    const { secrets } = await start(t);
    const answer = await secrets.of(aContext({ pullSecretNames: ['missing', 'regcred'] }), signal);
    assert.deepEqual(names(answer), ['regcred']);
    assert.deepEqual(answer.problems, [
      { reason: 'PullSecretMissing', message: 'Secret shop/missing does not exist; it is named as a pull secret' },
    ]);
  });

  for (const forbidden of ['secrets', 'serviceaccounts']) {
    it(`without the right to ${forbidden}: a problem that names the object`, async (t) => {
      const { secrets, api } = await start(t);
      api.intercept = ({ path }) => {
        if (path.includes(forbidden)) throw new Refusal(403, 'Forbidden', `cannot get ${forbidden}`);
        return undefined;
      };
      const { problems } = await secrets.of(aContext(), signal);
      assert.equal(problems[0]?.reason, 'PermissionMissing');
      assert.match(
        problems[0]?.message ?? '',
        forbidden === 'secrets' ? /Secret shop\/of-account may not/ : /ServiceAccount shop\/default may not/,
      );
    });
  }

  it('without the right to secrets it is asked once in ten minutes, even for a fresh look, and told as one problem', async (t) => {
    const { secrets, api, time } = await start(t);
    api.intercept = () => {
      throw new Refusal(403, 'Forbidden', 'cannot get secrets');
    };
    const context = aContext({ pullSecretNames: ['regcred', 'of-account', 'third'] });
    for (let looks = 0; looks < 13; looks++) {
      const { secrets: none, problems } = await secrets.of(context, signal, { fresh: looks % 2 === 1 });
      assert.deepEqual([none, problems.map(({ reason }) => reason)], [[], ['PermissionMissing']]);
      time.now += 45_000;
    }
    assert.equal(sentTo(api).length, 3);
    time.now += 60_000;
    api.intercept = undefined;
    assert.deepEqual(names(await secrets.of(context, signal)), ['regcred', 'of-account']);
  });

  it('what a live pod lists counts before the template, and the account only where neither lists any', async (t) => {
    const { secrets } = await start(t);
    const of = async (overrides: Partial<PullContext>) => names(await secrets.of(aContext(overrides), signal));
    assert.deepEqual(await of({ pullSecretNames: ['of-account'], podPullSecretNames: ['regcred'] }), ['regcred']);
    assert.deepEqual(await of({ podPullSecretNames: ['regcred'] }), ['regcred']);
    assert.deepEqual(await of({ pullSecretNames: ['regcred'], podPullSecretNames: [] }), ['regcred']);
    assert.deepEqual(await of({ podPullSecretNames: [] }), ['of-account']);
  });

  it('a server that does not answer is no answer', async (t) => {
    const { secrets, api } = await start(t);
    api.intercept = () => {
      throw new Refusal(500, 'InternalError', 'etcd');
    };
    await assert.rejects(
      secrets.of(aContext({ pullSecretNames: ['regcred'] }), signal),
      (error) => error instanceof ApiError && error.status === 500,
    );
    api.intercept = undefined;
    assert.deepEqual(names(await secrets.of(aContext({ pullSecretNames: ['regcred'] }), signal)), ['regcred']);
  });

  it('is kept for a minute, and read again when asked to', async (t) => {
    const { secrets, api, time } = await start(t);
    const context = aContext({ pullSecretNames: ['regcred', 'missing'] });
    await secrets.of(context, signal);
    time.now += 59_000;
    await secrets.of(context, signal);
    assert.equal(sentTo(api).length, 2);
    await secrets.of(context, signal, { fresh: true });
    assert.equal(sentTo(api).length, 4);
    time.now += 61_000;
    await secrets.of(context, signal);
    assert.equal(sentTo(api).length, 6);
  });

  it('is read once for all who ask at the same time', async (t) => {
    const { secrets, api } = await start(t);
    const context = aContext({ pullSecretNames: ['regcred'] });
    await Promise.all(Array.from({ length: 20 }, () => secrets.of(context, signal)));
    assert.equal(sentTo(api).length, 1);
  });

  it('one who gives up does not spoil it for the others', async (t) => {
    const { secrets } = await start(t);
    const context = aContext({ pullSecretNames: ['regcred'] });
    const impatient = new AbortController();
    const first = secrets.of(context, impatient.signal);
    const second = secrets.of(context, signal);
    impatient.abort(new Error('gave up'));
    await assert.rejects(first, /gave up/);
    assert.deepEqual(names(await second), ['regcred']);
  });

  it('namespaces are kept apart', async (t) => {
    const { secrets } = await start(t);
    await secrets.of(aContext({ pullSecretNames: ['regcred'] }), signal);
    const { problems } = await secrets.of(aContext({ namespace: 'other', pullSecretNames: ['regcred'] }), signal);
    assert.match(problems[0]?.message ?? '', /Secret other\/regcred/);
  });

  it('odd objects are empty', async (t) => {
    const { secrets } = await start(t, ({ objects }) => {
      objects.put('/api/v1/secrets', {
        metadata: { name: 'odd', namespace: 'shop' },
        data: { '.dockercfg': 7, '.dockerconfigjson': null },
      });
    });
    const { secrets: found } = await secrets.of(aContext({ pullSecretNames: ['odd'] }), signal);
    assert.deepEqual(found, [{ namespace: 'shop', name: 'odd', type: '', data: {} }]);
  });
});
